"""Thousands of short schedules of the whole protocol, on every core, each time the same ones.

`make simulate` runs as many as it is told to, others each time.
"""

import subprocess
import sys

import pytest

SCHEDULES = 10_000
ACTS = 20


@pytest.mark.timeout(600)
def test_no_schedule_breaks_it() -> None:
    command = [
        sys.executable,
        "-m",
        "tests.lua.protocol.simulate",
        "--seed=0",
        f"--schedules={SCHEDULES}",
        f"--acts={ACTS}",
    ]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{SCHEDULES} schedules" in ran.stdout
