"""Every shell script, by shellcheck."""

import subprocess
from pathlib import Path

import pytest

from scripts import binaries
from scripts.processes import ROOT

SCRIPTS = [ROOT / ".ci" / "run", *(ROOT / "scripts").glob("*.sh"), *(ROOT / "deploy").glob("**/*.sh")]


def complaints(path: Path) -> str:
    done = subprocess.run([binaries.shellcheck(), path], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_it_has_nothing_against_it(path: Path) -> None:
    assert complaints(path) == ""


def test_it_misses_nothing(tmp_path: Path) -> None:
    spoilt = tmp_path / "spoilt.sh"
    spoilt.write_text("#!/bin/sh\nrm -rf $1\n")
    assert "SC2086" in complaints(spoilt)
