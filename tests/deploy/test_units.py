"""deploy/systemd: by systemd's own reading, and against what `make run` starts."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from blend_pos import settings
from scripts import processes
from tests.deploy import units
from tests.deploy.commands import elsewhere

PARTS = ("web", "worker", "maintenance", "beat")
COMMANDS = {
    "migrate": processes.manage("migrate", "--no-input"),
    "web": processes.web(port=8000, workers=2),
    "worker": processes.worker(concurrency=3),
    "maintenance": processes.maintenance(),
    "beat": processes.beat(),
}


def unit(part: str) -> str:
    return f"blend-{part}.service"


def test_systemd_has_nothing_against_them(tmp_path: Path) -> None:
    assert units.verified(units.copied(tmp_path)) == ""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("PrivateTmp=yes", "PrivateTemp=yes"),
        ("ProtectSystem=strict", "ProtectSystem=severe"),
        ("bin/python -m granian", "bin/pyhton -m granian"),
        ("SystemCallFilter=@system-service", "SystemCallFilter=@system-services"),
    ],
)
def test_systemd_misses_nothing(tmp_path: Path, right: str, wrong: str) -> None:
    copies = units.copied(tmp_path)
    (web,) = [copy for copy in copies if copy.name == unit("web")]
    text = web.read_text()
    assert right in text
    web.write_text(text.replace(right, wrong))
    assert units.verified(copies)


@pytest.mark.parametrize("part", COMMANDS)
def test_the_commands_are_those_of_make_run(part: str) -> None:
    assert units.command(unit(part)) == elsewhere(COMMANDS[part], python=units.PYTHON, root=units.INSTALLED)


def test_every_unit_is_compared_and_wanted() -> None:
    found = {path.name for path in units.FOLDER.glob("blend-*.service")}
    assert found == {unit(part) for part in COMMANDS}
    (wanted,) = units.values("blend.target", "Wants")
    assert set(wanted.split()) == found


@pytest.mark.parametrize("part", COMMANDS)
def test_each_is_closed_in(part: str) -> None:
    assert units.exposed(units.FOLDER / unit(part)) == ""
    assert units.values(unit(part), "User") == ["blend"]


def test_one_that_is_open_is_noticed(tmp_path: Path) -> None:
    open_one = tmp_path / unit("web")
    text = (units.FOLDER / unit("web")).read_text()
    open_one.write_text(re.sub(r"^(Protect|Private|Restrict|SystemCall|Capability).*\n", "", text, flags=re.MULTILINE))
    assert "UNSAFE" in units.exposed(open_one) or "EXPOSED" in units.exposed(open_one)


@pytest.mark.parametrize("part", PARTS)
def test_each_comes_back_and_ends_in_order(part: str) -> None:
    name = unit(part)
    assert units.values(name, "Restart") == ["always"]
    assert units.values(name, "StartLimitIntervalSec") == ["0"], "it never gives up"
    assert units.values(name, "KillSignal") == ["SIGTERM"]
    assert units.values(name, "KillMode") == ["mixed"], "the first process hears it, and ends the others itself"
    (stop_s,) = map(int, units.values(name, "TimeoutStopSec"))
    least_s = {"web": settings.CHECKOUT_DEADLINE_MS / 1000 + 5, "worker": 60, "maintenance": 60, "beat": 15}
    assert stop_s >= least_s[part]
    assert all(units.values(name, limit) for limit in ("MemoryMax", "TasksMax"))


@pytest.mark.parametrize("part", PARTS)
def test_each_waits_for_the_tables_and_goes_with_the_target(part: str) -> None:
    name = unit(part)
    (after,) = units.values(name, "After")
    assert {"blend-migrate.service", "postgresql.service", "redis-server.service", "rabbitmq-server.service"} <= set(
        after.split()
    )
    assert units.values(name, "Requires") == ["blend-migrate.service"]
    assert units.values(name, "PartOf") == units.values(name, "WantedBy") == ["blend.target"]


@pytest.mark.parametrize("part", COMMANDS)
def test_settings_come_from_files_and_no_secret_is_in_a_unit(part: str) -> None:
    name = unit(part)
    assert units.values(name, "EnvironmentFile") == ["/etc/blend/blend.env", f"-/etc/blend/{part}.env"]
    assert {value.partition("=")[0] for value in units.values(name, "Environment")} <= {"PROMETHEUS_MULTIPROC_DIR"}


def test_what_they_count_is_joined_and_starts_from_nothing() -> None:
    assert units.values(unit("migrate"), "RuntimeDirectory") == ["blend/metrics"]
    assert units.values(unit("migrate"), "RuntimeDirectoryPreserve") == []
    for part in PARTS:
        assert units.values(unit(part), "Environment") == ["PROMETHEUS_MULTIPROC_DIR=/run/blend/metrics"]
        assert units.values(unit(part), "ReadWritePaths") == ["/run/blend/metrics"]


# --- waiting for PostgreSQL


WAITING = units.FOLDER / "await-database.sh"


@pytest.fixture
def waiting(tmp_path: Path) -> dict[str, str]:
    """A machine whose pg_isready says yes when it is asked for the third time, or never where there is no `soon`."""
    ready = tmp_path / "pg_isready"
    ready.write_text(
        f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\n[ -e {tmp_path}/soon ] && [ "$(wc -l <{tmp_path}/asked)" -ge 3 ]\n'
    )
    ready.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    return {"PATH": path, "DATABASE_URL": "postgres://blend@127.0.0.1/blend", "PAUSE_S": "0"}


def test_it_waits_for_postgresql(waiting: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "soon").touch()
    assert subprocess.run(["sh", str(WAITING)], env=waiting, timeout=30, check=False).returncode == 0
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked == ["--quiet --dbname=postgres://blend@127.0.0.1/blend"] * 3


def test_it_does_not_wait_for_ever(waiting: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(["sh", str(WAITING)], env=waiting, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "does not answer" in done.stderr
    assert len((tmp_path / "asked").read_text().splitlines()) == 120
