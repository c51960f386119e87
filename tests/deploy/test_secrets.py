"""The passwords and keys of a shop, as the documented ways make them."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import processes
from scripts.processes import ROOT
from tests.deploy import compose
from tests.security.conftest import PRODUCTION

SECRETS = ROOT / "deploy" / "compose" / "secrets.sh"


def test_the_script_makes_every_password_that_is_asked_for(tmp_path: Path) -> None:
    made = tmp_path / "made"
    subprocess.run(["sh", str(SECRETS), str(made)], check=True, capture_output=True)
    found = dict(line.split("=") for line in made.read_text().splitlines())
    assert set(found) == set(re.findall(r"\$\{(\w+):\?", compose.FILE.read_text()))
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in found.values())
    assert len(set(found.values())) == len(found)
    assert made.stat().st_mode & 0o077 == 0


def made_by_the_script(folder: Path) -> str:
    subprocess.run(["sh", str(SECRETS), str(folder / "made")], check=True, capture_output=True)
    return (folder / "made").read_text().partition("SECRET_KEY=")[2].partition("\n")[0]


def made_as_told_in(document: str) -> Callable[[Path], str]:
    def made(_folder: Path) -> str:
        (code,) = re.findall(r"python3 -c '([^']+)'", (ROOT / document).read_text())
        return subprocess.run([processes.PYTHON, "-c", code], check=True, capture_output=True, text=True).stdout.strip()

    return made


@pytest.mark.parametrize(
    "made",
    [made_by_the_script, made_as_told_in(".env.example"), made_as_told_in("deploy/kubernetes/secrets.example.yaml")],
    ids=["compose", "environment", "kubernetes"],
)
def test_django_has_nothing_against_the_key_that_the_documented_way_makes(
    made: Callable[[Path], str], tmp_path: Path, process_environment: dict[str, str]
) -> None:
    settings_of_a_shop = process_environment | PRODUCTION | {"SECRET_KEY": made(tmp_path)}
    command = processes.manage("check", "--deploy", "--fail-level", "WARNING")
    done = subprocess.run(command, env=settings_of_a_shop, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_script_never_makes_them_anew(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.write_text("SECRET_KEY=of the data\n")
    done = subprocess.run(["sh", str(SECRETS), str(made)], check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "is there" in done.stderr
    assert made.read_text() == "SECRET_KEY=of the data\n"


def test_git_keeps_no_password() -> None:
    assert ".env.compose" in (ROOT / ".gitignore").read_text().splitlines()
