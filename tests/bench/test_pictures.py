"""The drawing of a panel, and the private Prometheus that answers it."""

import math
from collections.abc import Iterator

import pytest
import urllib3

from bench.pictures.chart import Chart, Line, draw, written
from bench.pictures.panels import panels
from bench.pictures.prometheus import EVERY_S, Prometheus
from scripts.ports import free_port
from tests.polling import wait_until


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One whose web server is not there."""
    server = Prometheus(folder=tmp_path_factory.mktemp("prometheus"), port=free_port(), web_port=free_port())
    server.start()
    yield server
    server.stop()


def test_a_real_prometheus_takes_every_rule(prometheus: Prometheus) -> None:
    found = urllib3.request("GET", f"{prometheus.url}/api/v1/rules").json()["data"]["groups"]
    rules = [rule for group in found for rule in group["rules"]]
    assert len(rules) > 10
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}


def test_a_panel_asks_and_is_answered(prometheus: Prometheus) -> None:
    (web,) = (panel for panel in panels() if panel.title == "Web")

    def lines() -> list[Line]:
        now = wait_until(lambda: _newest(prometheus), timeout_s=30, what="Prometheus has asked once")
        return list(web.asked(prometheus, start=now - 5 * EVERY_S, end=now).lines)

    (line,) = wait_until(lines, timeout_s=30, what="it is answered")
    assert line.name == "procesos que contestan"
    assert {value for _at, value in line.points} == {0}


def _newest(prometheus: Prometheus) -> float:
    found = urllib3.request("GET", f"{prometheus.url}/api/v1/query?query=timestamp(up{{job='web'}})").json()
    return max((float(one["value"][1]) for one in found["data"]["result"]), default=0.0)


def test_every_query_of_the_dashboard_is_answered(prometheus: Prometheus) -> None:
    for panel in panels():
        panel.asked(prometheus, start=0, end=EVERY_S)


def chart(*points: tuple[float, float]) -> str:
    return draw(Chart("Uno & dos", "s", 10, [Line("p95 <", points)], [(0.05, "red"), (9, "yellow")]))


def test_a_line_is_drawn_with_what_is_red_and_no_more() -> None:
    drawn = chart((0, 0.02), (2, 0.04), (4, 0.06))
    assert "Uno &amp; dos" in drawn
    assert "p95 &lt;" in drawn
    assert drawn.count("stroke-dasharray") == 1, "the other threshold lies above the picture"
    assert "60 ms" in drawn
    assert drawn.count('stroke-width="1.8"') == 1


def test_where_nothing_was_answered_there_is_no_line() -> None:
    gap = chart((0, 0.02), (2, 0.02), (8, 0.02), (10, math.nan))
    assert gap.count('stroke-width="1.8"') == 2
    assert "sin datos" in draw(Chart("Nada", "none", 10, [], []))


def test_values_are_written_in_their_unit() -> None:
    assert [written(0.05, "s"), written(60, "s"), written(0, "s")] == ["50 ms", "60 s", "0"]
    assert written(0.95, "percentunit") == "95 %"
    assert written(1000, "suffix: ventas/s") == "1000"
