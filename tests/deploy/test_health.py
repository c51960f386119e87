"""scripts/health.py: what the containers' health checks ask."""

from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from scripts import health
from scripts.ports import free_port
from tests.conftest import SERVICES


class Answering(BaseHTTPRequestHandler):
    """Always the same."""

    status = HTTPStatus.OK

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(self.status)
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Not at all."""


@pytest.fixture(params=[HTTPStatus.OK, HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.BAD_REQUEST, HTTPStatus.BAD_GATEWAY])
def web(request: pytest.FixtureRequest) -> Iterator[tuple[int, HTTPStatus]]:
    """(The port of a server, what it answers to everything)."""
    server = HTTPServer(("127.0.0.1", 0), type("One", (Answering,), {"status": request.param}))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, request.param
    server.shutdown()
    thread.join()
    server.server_close()


def test_web_is_well_where_it_answers_without_an_error(web: tuple[int, HTTPStatus]) -> None:
    port, status = web
    assert health.web(port=port) is (status < HTTPStatus.BAD_REQUEST)


def test_web_is_not_well_where_nothing_answers() -> None:
    assert health.web(port=free_port()) is False


@pytest.mark.parametrize(("minutes", "well"), [(None, False), (1, True), (9, True), (11, False)])
def test_beat_is_well_where_it_sent_something_lately(live_db: None, minutes: int | None, well: bool) -> None:
    url = SERVICES.postgres.database_url(connection.settings_dict["NAME"])
    before = dict(PeriodicTask.objects.values_list("pk", "last_run_at"))
    assert before, "the schedule is a migration's"
    PeriodicTask.objects.update(last_run_at=minutes and timezone.now() - timedelta(minutes=minutes))
    try:
        assert health.beat(database_url=url) is well
    finally:
        for pk, moment in before.items():
            PeriodicTask.objects.filter(pk=pk).update(last_run_at=moment)


def test_beat_is_not_well_where_postgresql_does_not_answer() -> None:
    assert health.beat(database_url=f"postgres://nobody@127.0.0.1:{free_port()}/none") is False


def test_whoever_asks_for_something_else_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert health.main(["worker"]) == health.main([]) == 2
    assert "web, beat" in capsys.readouterr().err
