"""What the bench is asked for, what it cannot do, and what it leaves of a run that ends badly."""

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench.goals import Found
from bench.keeping import keep_logs
from bench.machine import machine
from bench.rounds import Void, named
from bench.sizes import QUICK, Size
from bench.stand import Stand
from scripts import processes
from scripts.services import Services
from tests.polling import wait_until

ROOT = processes.ROOT
READY_S = 60


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only=nonsense"], "ONLY: no nonsense; there are matrix, "),
        (["--quick", "--only=open,load_test,ledger"], "ONLY: load_test, ledger is no part of a quick run"),
    ],
)
def test_what_it_cannot_do_is_said(arguments: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "make bench [QUICK=1]" in done.stderr


@pytest.mark.parametrize("quick", ["0", "maybe"])
def test_quick_is_1_or_nothing(quick: str, tmp_path: Path) -> None:
    rule = (ROOT / "Makefile").read_text().partition("\nbench:")[2].partition("\n\n")[0].splitlines()
    checked = tmp_path / "Makefile"
    checked.write_text(
        f".PHONY: bench\nbench:\n{next(line for line in rule if 'filter-out' in line)}\n\t@echo measured\n"
    )
    done = subprocess.run(
        ["make", f"--file={checked}", "bench", f"QUICK={quick}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f"not QUICK={quick}" in done.stderr
    assert "measured" not in done.stdout
    assert subprocess.run(["make", f"--file={checked}", "bench", "QUICK=1"], check=False).returncode == 0


def test_what_does_not_add_up_says_of_whom() -> None:
    with pytest.raises(Void, match=r"^hot, checkout, round 2: 3 holds$"), named("hot, checkout, round 2"):
        raise Void("3 holds")


def test_the_part_that_failed_is_named_and_its_logs_are_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, services: Services, process_environment: dict[str, str]
) -> None:
    @contextmanager
    def made(folder: Path) -> Iterator[Stand]:
        yield Stand(folder, services, process_environment, 0, 0, 0)

    def fail(stand: Stand, _size: Size, _found: Found, _seed: int) -> None:
        stand.start("worker", [sys.executable, "-c", "raise SystemExit('no Redis')"])
        wait_until(lambda: stand.ended, timeout_s=READY_S, what="it has ended")
        raise Void("not at rest")

    monkeypatch.setattr(bench, "stand", made)
    monkeypatch.setattr(bench, "keep_logs", lambda folder: keep_logs(folder, tmp_path / "logs"))
    monkeypatch.setattr(bench, "STEPS", {"drains": fail})
    about: dict[str, object] = {}
    with pytest.raises(Void) as failed:
        bench.run_parts(["drains"], QUICK, Found(), about, argparse.Namespace(seed=1, only=["drains"]))

    said = "\n".join(failed.value.__notes__)
    assert "In the part drains" in said
    assert "worker has ended with 1:\nno Redis" in said
    assert "no Redis" in (tmp_path / "logs" / "worker.log").read_text()
    assert "PostgreSQL" in str(about["servers"])


def test_told_to_end_it_leaves_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    started = subprocess.Popen(
        [sys.executable, "-m", "bench", "--quick", "--only=open"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: list(tmp_path.glob("*/servers/*")), timeout_s=READY_S, what="its servers start")
    started.send_signal(signal.SIGTERM)
    _, said = started.communicate(timeout=READY_S)
    assert started.returncode == bench.STOPPED
    assert said.strip().startswith("Stopped.")
    assert list(tmp_path.iterdir()) == []


def test_it_says_where_it_ran() -> None:
    said = machine()
    assert said["cores"] == os.cpu_count()
    assert json.dumps(said)
    assert set(said) == {"cores", "cpu", "memory_gib", "python", "commit"}
