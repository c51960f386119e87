"""deploy/grafana's dashboard: its panels, and what a Prometheus answers to each as a chart."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.pictures.chart import Chart, Line
from bench.pictures.prometheus import WINDOW, Prometheus
from scripts.processes import ROOT

DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "blend.json"


@dataclass(frozen=True, slots=True)
class Panel:
    """What of a panel is drawn. `targets`: expression and legend each."""

    title: str
    unit: str
    targets: tuple[tuple[str, str], ...]
    thresholds: tuple[tuple[float, str], ...]

    @property
    def file(self) -> str:
        """The picture's name: that of the panel, in plain letters."""
        plain = unicodedata.normalize("NFKD", self.title).encode("ascii", "ignore").decode().lower()
        return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") + ".svg"

    def asked(self, prometheus: Prometheus, *, start: float, end: float) -> Chart:
        """Its queries' answers during that time."""
        lines = []
        for expression, legend in self.targets:
            asked = expression.replace("$__rate_interval", WINDOW)
            for series in prometheus.ask(asked, start=start, end=end):
                points = [(at - start, value) for at, value in series.points]
                lines.append(Line(_named(legend, series.labels), points))
        return Chart(self.title, self.unit, end - start, lines, self.thresholds)


def _named(legend: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), legend)


def panels() -> Iterator[Panel]:
    """Those that ask for something, in their order."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        if panel["type"] != "row":
            yield _read(panel)


def _read(panel: Mapping[str, Any]) -> Panel:
    told = panel["fieldConfig"]["defaults"]
    targets = tuple((target["expr"], target["legendFormat"]) for target in panel["targets"])
    steps = tuple((step["value"], step["color"]) for step in told["thresholds"]["steps"] if step["value"] is not None)
    return Panel(panel["title"], told["unit"], targets, steps)
