"""A private Prometheus with the settings that a shop has, and how it is asked."""

import json
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml

from scripts import binaries
from scripts.ports import LOOPBACK
from scripts.processes import ROOT
from scripts.service import Service

SETTINGS = ROOT / "deploy" / "prometheus" / "prometheus.yml"
EVERY_S = 2  # a shop's is asked every 15 s; a run of minutes wants more points
WINDOW = "10s"  # what Grafana makes of $__rate_interval then, and a little more
IO_S = 10


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its labels, and (seconds since the epoch, value) each."""

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]


class Prometheus(Service):
    """It asks one web server, which counts for all processes of this machine, and itself."""

    name = "Prometheus"

    def __init__(self, *, folder: Path, port: int, web_port: int) -> None:
        super().__init__(folder=folder, ports=[port])
        self.port, self._web_port = port, web_port

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def prepare(self) -> list[str]:
        """deploy/prometheus/prometheus.yml with this machine's ports: what is not here is not asked."""
        told: dict[str, Any] = yaml.safe_load(SETTINGS.read_text())
        jobs = {job["job_name"]: job for job in told["scrape_configs"]}
        web = {"job_name": "web", "static_configs": [{"targets": [f"{LOOPBACK}:{self._web_port}"]}]}
        own = {**jobs["prometheus"], "static_configs": [{"targets": [f"{LOOPBACK}:{self.port}"]}]}
        told["scrape_configs"] = [web, own]
        every = f"{EVERY_S}s"
        told["global"] = {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every}
        told["rule_files"] = [str(SETTINGS.parent / name) for name in told["rule_files"]]
        settings = self.folder / SETTINGS.name
        settings.write_text(yaml.safe_dump(told))
        return [
            str(binaries.prometheus()),
            f"--config.file={settings}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address={LOOPBACK}:{self.port}",
            "--log.level=warn",
        ]

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=IO_S) as answer:
                return bool(answer.status == HTTPStatus.OK)
        except OSError:
            return False

    def ask(self, expression: str, *, start: float, end: float) -> list[Series]:
        """What a panel asks for: the expression at every EVERY_S of that time."""
        named = {"query": expression, "start": start, "end": end, "step": EVERY_S}
        query = urllib.parse.urlencode(named)
        with urllib.request.urlopen(f"{self.url}/api/v1/query_range?{query}", timeout=IO_S) as answer:
            found = json.load(answer)["data"]["result"]
        return [
            Series({name: text for name, text in one["metric"].items() if name != "__name__"}, _points(one["values"]))
            for one in found
        ]


def _points(values: Sequence[tuple[float, str]]) -> list[tuple[float, float]]:
    return [(at, float(text)) for at, text in values]
