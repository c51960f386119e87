"""deploy/supervisor: the same processes for who has supervisor."""

import shlex
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from scripts import processes
from scripts.processes import ROOT
from tests.deploy import test_units, units
from tests.deploy.commands import elsewhere

FOLDER = ROOT / "deploy" / "supervisor"
WRAPPER = FOLDER / "with-settings.sh"
PARTS = test_units.PARTS


def read() -> RawConfigParser:
    """As supervisor does."""
    found = RawConfigParser(inline_comment_prefixes=(";", "#"), strict=True)
    found.read_string((FOLDER / "blend.conf").read_text())
    return found


def command(part: str) -> list[str]:
    """The words that supervisor starts: it reads a single % as the beginning of something of its own."""
    line = read()[f"program:{part}"]["command"]
    assert "%" not in line.replace("%%", ""), line
    return shlex.split(line.replace("%%", "%"))


def test_its_programs_are_the_units() -> None:
    found = read()
    assert {name for name in found.sections() if name.startswith("program:")} == {
        f"program:{part}" for part in test_units.COMMANDS
    }
    assert found["group:blend"]["programs"].split(",") == list(PARTS)


@pytest.mark.parametrize("part", test_units.COMMANDS)
def test_the_commands_are_those_of_make_run(part: str) -> None:
    wrapper = ["/bin/sh", f"{units.INSTALLED}/deploy/supervisor/with-settings.sh", part]
    expected = elsewhere(test_units.COMMANDS[part], python=units.PYTHON, root=units.INSTALLED)
    assert command(part) == wrapper + expected


@pytest.mark.parametrize("part", PARTS)
def test_each_comes_back_and_ends_in_order(part: str) -> None:
    found = read()[f"program:{part}"]
    assert found["autostart"] == found["autorestart"] == "true"
    assert found["user"] == "blend"
    assert found["stopsignal"] == "TERM"
    assert (found["stopasgroup"], found["killasgroup"]) == ("false", "true"), "as systemd's KillMode=mixed"
    assert [found["stopwaitsecs"]] == units.values(test_units.unit(part), "TimeoutStopSec")
    assert all(found[f"{stream}_logfile_maxbytes"] == "20MB" for stream in ("stdout", "stderr"))


def test_the_tables_are_made_once_and_by_hand() -> None:
    found = read()["program:migrate"]
    assert (found["autostart"], found["autorestart"], found["startsecs"]) == ("false", "false", "0")


def run(folder: Path, part: str, script: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(WRAPPER), part, processes.PYTHON, "-c", script]
    settings = {"SETTINGS_FOLDER": str(folder)}
    return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=30, check=False)


def test_a_part_gets_its_own_settings_over_everybodys(tmp_path: Path) -> None:
    (tmp_path / "blend.env").write_text("SECRET_KEY='a $b c'\nRABBITMQ_URL=amqp://everybody\n")
    (tmp_path / "web.env").write_text("RABBITMQ_URL=amqp://web\n")
    asks = "import os; print(os.environ['SECRET_KEY'], os.environ['RABBITMQ_URL'])"
    assert run(tmp_path, "web", asks).stdout == "a $b c amqp://web\n"
    assert run(tmp_path, "beat", asks).stdout == "a $b c amqp://everybody\n"


def test_its_process_is_the_one_that_supervisor_stops(tmp_path: Path) -> None:
    (tmp_path / "blend.env").touch()
    assert run(tmp_path, "web", "import os; os.kill(os.getpid(), 15)").returncode == -15


def test_without_settings_nothing_starts(tmp_path: Path) -> None:
    assert run(tmp_path, "web", "print('started')").stdout == ""
