"""deploy/grafana: the dashboard's shape, that every query parses, and that a running product shows what it asks for."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
import yaml

from bench.pictures import panels as pictures
from scripts.processes import ROOT
from tests.deploy import promql
from tests.deploy.compose import document
from tests.deploy.live_metrics import Shown
from tests.deploy.test_alerts import OPERATIONS, headings, rules

FOLDER = ROOT / "deploy" / "grafana" / "dashboards"
FILE = FOLDER / "blend.json"
DESCRIBED = ROOT / "docs" / "dashboard.md"
OF_THE_SPECIFICATION = (
    "Ventas procesadas/segundo",
    "Latencia p50/p95/p99",
    "Redis hit rate",
    "RabbitMQ queue depth",
)
UNITS = re.compile(r"none|s|percentunit|suffix: [a-z/]+")
WIDE = 24
Panel = dict[str, Any]


def dashboard() -> Panel:
    found: Panel = json.loads(FILE.read_text())
    return found


def panels() -> list[Panel]:
    """Those that ask for something; rows are left out."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_each_panel_says_what_it_shows_and_what_to_do(panel: Panel) -> None:
    assert panel["type"] in {"stat", "timeseries"}
    assert panel["title"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "prometheus"}
    told = panel["fieldConfig"]["defaults"]
    assert UNITS.fullmatch(told["unit"])
    steps = told["thresholds"]["steps"]
    values = [step["value"] for step in steps[1:]]
    assert steps[0]["value"] is None
    assert values
    assert values == sorted(values)
    assert re.search("roj[oa]|Amarillo", panel["description"])
    anchors = re.findall(rf"docs/{OPERATIONS.name}#(\S+?)(?=[.,;]? |[.,;]?$)", panel["description"])
    assert set(anchors) <= headings()
    assert [target["refId"] for target in panel["targets"]] == ["A", "B", "C"][: len(panel["targets"])]
    assert all(target["legendFormat"] for target in panel["targets"])


def test_no_two_have_a_number_or_a_title_or_a_place() -> None:
    every = dashboard()["panels"]
    assert len({panel["id"] for panel in every}) == len(every)
    assert len({panel["title"] for panel in every}) == len(every)
    for panel in every:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= WIDE
    for one, other in combinations((panel["gridPos"] for panel in every), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below


def test_the_specifications_panels_are_there() -> None:
    titles = [panel["title"] for panel in panels() if panel["type"] == "timeseries"]
    assert tuple(titles[:4]) == OF_THE_SPECIFICATION


@pytest.mark.parametrize(("title", "expression"), list(expressions()))
def test_every_query_parses(title: str, expression: str) -> None:
    promql.parsed(expression)


@pytest.mark.parametrize("wrong", ["rate(checkout_seconds_count)", "sum(", "histogram_quantile(stock_holds)"])
def test_a_query_that_does_not_is_missed(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"expected|unclosed"):
        promql.parsed(wrong)


def test_each_asks_for_what_a_running_product_shows(shown: Shown) -> None:
    bad = {title: promql.unknown(expression, shown) for title, expression in expressions()}
    assert {title: lacks for title, lacks in bad.items() if lacks} == {}


def test_whoever_is_called_sees_on_it_what_the_alert_is_about() -> None:
    seen = {one.metric for _title, expression in expressions() for one in promql.asked(expression)}
    for name, rule in rules().items():
        families = {re.sub("_(bucket|count|sum)$", "", one.metric) for one in promql.asked(rule["expr"])}
        assert families & {re.sub("_(bucket|count|sum)$", "", metric) for metric in seen}, name


def test_everything_that_is_counted_is_on_it(shown: Shown) -> None:
    ours = re.compile("(sale|sales|stock|checkout|part|beat)_")
    ends = re.compile("_(bucket|count|sum|created)$")
    seen = {ends.sub("", one.metric) for _title, expression in expressions() for one in promql.asked(expression)}
    assert {ends.sub("", metric) for metric in shown if ours.match(metric)} - seen == set()


def test_each_has_a_picture_of_a_run() -> None:
    told = re.findall(r"^!\[(.+)\]\((.+)\)$", DESCRIBED.read_text(), re.MULTILINE)
    assert told == [(panel.title, f"dashboard/{panel.file}") for panel in pictures.panels()]
    assert [panel.title for panel in pictures.panels()] == [panel["title"] for panel in panels()]
    drawn = {path.name for path in (DESCRIBED.parent / "dashboard").iterdir()}
    assert drawn == {panel.file for panel in pictures.panels()}
    for _title, path in told:
        assert "<path" in (DESCRIBED.parent / path).read_text()


def test_grafana_finds_it() -> None:
    (provider,) = yaml.safe_load((FOLDER / "blend.yml").read_text())["providers"]
    mounted = provider["options"]["path"]
    assert provider["type"] == "file"
    assert f"./{FOLDER.relative_to(ROOT)}:{mounted}:ro" in document()["services"]["grafana"]["volumes"]
    assert mounted == "/etc/grafana/provisioning/dashboards", "where Grafana looks for the provider"
