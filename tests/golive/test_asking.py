"""What lines make of what answers over HTTP: Prometheus, Grafana, /metrics, the management API, or something else."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.test import override_settings

from ventas import broker
from ventas.golive import runner, web
from ventas.golive.findings import Asked, Check, Finding, Part, State
from ventas.topology import FAILED_QUEUE, SALES_QUEUE

UP = b'{"status": "success", "data": {"result": [{"metric": {"instance": "web:8000"}, "value": [1, "%b"]}]}}'


@contextmanager
def answering(
    body: bytes, status: int = 200, *, only_to: str = "", promised: int | None = None, speaks: str = "HTTP/1.0"
) -> Iterator[str]:
    """A server that always says the same; a 401 to who does not send `only_to`. `promised`: how long it says it is."""

    class Answering(BaseHTTPRequestHandler):
        protocol_version = speaks

        def do_GET(self) -> None:
            self.send_response(status if only_to in self.headers.get("Authorization", "") else 401)
            if promised is not None:
                self.send_header("Content-Length", str(promised))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Not at all."""

    server = HTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("body", "state"),
    [(UP % b"1", "ok"), (UP % b"0", "failed"), (b'{"data": {"result": []}}', "failed")],
)
def test_prometheus_reaches_everybody_or_it_is_said_whom_not(body: bytes, state: str) -> None:
    with answering(body) as url:
        found = web.prometheus(Asked(workers=1, web_url="", metrics_url="", prometheus_url=url))
    assert found.state == state
    assert ("web:8000" in found.seen) is (body == UP % b"0")


def test_a_name_and_a_password_in_an_address_are_sent() -> None:
    with answering(UP % b"1", only_to="Basic YWRtaW46czM6Y3JldC8=") as url:
        address = url.replace("//", "//admin:s3:cret%2F@") + "/prom"
        found = web.prometheus(Asked(workers=1, web_url="", metrics_url="", prometheus_url=address))
    assert found.state == State.OK


def test_a_management_api_that_is_cut_off_is_away() -> None:
    away = pytest.raises(broker.BrokerAway, match="IncompleteRead")
    with answering(b'{"messages": 1', promised=500) as url, override_settings(RABBITMQ_MANAGEMENT_URL=url), away:
        broker.unfinished_messages()


SAMPLED = {"messages": 0}
COUNTED = {"name": SALES_QUEUE.name, "messages": 1}, {"name": FAILED_QUEUE.name, "messages": 2}


@pytest.mark.parametrize(
    ("sampled", "counted"),
    [
        ({}, COUNTED),
        (SAMPLED, []),
        (SAMPLED, {"error": "not_found"}),
        (SAMPLED, COUNTED[:1]),
        (SAMPLED, [COUNTED[0], {"name": FAILED_QUEUE.name}]),
        (SAMPLED, [COUNTED[0], {"name": FAILED_QUEUE.name, "messages": math.inf}]),
    ],
    ids=["not since it started", "none", "no list", "one of them", "one without a leader", "no number"],
)
def test_a_queue_that_was_not_counted_is_not_taken_for_empty(
    sampled: object, counted: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(path: str) -> object:
        return counted if path == broker.AS_COUNTED else sampled

    monkeypatch.setattr(broker, "_asked", told)
    with pytest.raises(broker.BrokerAway, match="management API"):
        broker.unfinished_messages()


def test_one_that_moves_from_node_to_node_is_counted_wherever_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = [*COUNTED, {"name": SALES_QUEUE.name, "messages": 0}, {"name": "another", "messages": 100}]
    monkeypatch.setattr(broker, "_asked", lambda path: twice if path == broker.AS_COUNTED else SAMPLED)
    assert broker.unfinished_messages() == 3


@pytest.mark.parametrize("url", ["http://blend:s3/cret@127.0.0.1:1", "http://blend:s3cret@127.0.0.1:s3cret"])
def test_what_is_no_address_is_not_repeated(url: str) -> None:
    with override_settings(RABBITMQ_MANAGEMENT_URL=url), pytest.raises(broker.BrokerAway) as away:
        broker.unfinished_messages()
    assert "s3" not in str(away.value)

    def look(_asked: Asked) -> Finding:
        return web.grafana(Asked(workers=1, web_url="", metrics_url="", grafana_url=url))

    (line,) = runner.run(
        parts=[Part("part", (Check("grafana", "Grafana", look),), "remedy")],
        asked=Asked(workers=1, web_url="", metrics_url=""),
    )
    assert line.finding.state == State.FAILED
    assert "s3" not in line.finding.seen


@pytest.mark.parametrize(("body", "state"), [(b'{"database": "ok"}', "ok"), (b'{"database": "failing"}', "failed")])
def test_grafana_is_up_with_its_database(body: bytes, state: str) -> None:
    with answering(body) as url:
        found = web.grafana(Asked(workers=1, web_url="", metrics_url="", grafana_url=url))
    assert found.state == state


def test_what_is_no_http_is_no_answer() -> None:
    def look(asked: Asked) -> Finding:
        return web.grafana(asked)

    with answering(b"", speaks="SSH-2.0") as url:
        asked = Asked(workers=1, web_url=url, metrics_url=url, grafana_url=url)
        (line,) = runner.run(parts=[Part("part", (Check("grafana", "Grafana", look),), "remedy")], asked=asked)
        away = pytest.raises(broker.BrokerAway, match="BadStatusLine")
        with override_settings(RABBITMQ_MANAGEMENT_URL=url), away:
            broker.unfinished_messages()

    assert line.finding.state == State.FAILED
    assert "no contesta" in line.finding.seen


@pytest.mark.parametrize(
    ("figures", "state", "seen"),
    [
        (b'part_up{part="redis"} 1\n', State.OK, "1 cifras"),
        (b'part_up{part="redis"} 0\n', State.FAILED, "redis"),
        (b"checkout_seconds_count 3\n", State.FAILED, "ninguna dice a quién alcanza web"),
    ],
)
def test_metrics_say_whom_web_reaches_or_are_not_fine(figures: bytes, state: State, seen: str) -> None:
    with answering(figures) as url:
        found = web.Watched({}).read(Asked(workers=1, web_url=url, metrics_url=url))
    assert found.state == state
    assert seen in found.seen
