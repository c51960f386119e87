"""The guard: nothing outlives its starter, whatever the command forked and however the starter ended."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest

from scripts.guarded import Guarded
from scripts.processes import PYTHON, ROOT
from tests.polling import poll, wait_until

# Writes its pid and the pid of a daemon it left: its own session, no living parent, deaf to SIGTERM and SIGHUP.
DAEMON = """
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if os.fork() == 0:
        with open(sys.argv[1] + ".part", "w") as pids:
            pids.write(f"{sys.argv[2]} {os.getpid()}")
        os.rename(sys.argv[1] + ".part", sys.argv[1])
        time.sleep(600)
    os._exit(0)
os.wait()
time.sleep(600)
"""
# Threads that all want a core, each counting in a byte of its own; the main one, which a signal goes to first, sleeps.
COUNTING = """
import hashlib, mmap, os, sys, threading
counted = mmap.mmap(os.open(sys.argv[1], os.O_RDWR), 0)
def count(place):
    while True:
        hashlib.pbkdf2_hmac("sha256", b"", b"", 20)
        counted[place] = (counted[place] + 1) % 256
for place in range(len(counted)):
    threading.Thread(target=count, args=[place]).start()
"""
SHELL = 'exec "$0" -c "$1" "$2" $$'

# A starter that starts the above under a guard and then waits to be killed.
STARTER = """
import os, sys, time
from pathlib import Path
from scripts.guarded import Guarded
Guarded(sys.argv[2:], log=Path(sys.argv[1]), environment=os.environ, folder=Path.cwd())
time.sleep(600)
"""


def daemon(pids: Path) -> list[str]:
    return ["sh", "-c", SHELL, sys.executable, DAEMON, str(pids)]


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def started(pids: Path) -> list[int]:
    wait_until(pids.exists, timeout_s=10, what="the daemon has written its pid")
    found = [int(pid) for pid in pids.read_text().split()]
    assert not any(gone(pid) for pid in found)
    return found


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_the_end_takes_daemons_along(tmp_path: Path, end: str) -> None:
    running = Guarded(daemon(tmp_path / "pids"), log=tmp_path / "log", environment=os.environ, folder=tmp_path)
    pids = started(tmp_path / "pids")
    assert set(pids) <= set(running.pids)

    getattr(running, end)()

    assert all(gone(pid) for pid in pids)
    assert not running.running


def test_a_command_that_ends_takes_its_daemons_along(tmp_path: Path) -> None:
    running = Guarded(daemon(tmp_path / "pids"), log=tmp_path / "log", environment=os.environ, folder=tmp_path)
    main, left_behind = started(tmp_path / "pids")

    os.kill(main, signal.SIGKILL)

    wait_until(lambda: not running.running, timeout_s=5, what="the guard ends")
    assert gone(left_behind)
    assert running.returncode == 128 + signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_the_starter(tmp_path: Path, number: signal.Signals) -> None:
    command = [PYTHON, "-c", STARTER, str(tmp_path / "log"), *daemon(tmp_path / "pids")]
    with subprocess.Popen(command, cwd=ROOT) as starter:
        pids = started(tmp_path / "pids")
        starter.send_signal(number)

    for pid in pids:
        wait_until(partial(gone, pid), timeout_s=5, what=f"process {pid} has ended")


def test_a_command_deaf_to_its_signal_is_killed_after_its_grace(tmp_path: Path) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(600)"
    )
    command = [PYTHON, "-c", deaf]
    running = Guarded(command, log=tmp_path / "log", environment=os.environ, folder=tmp_path, grace_s=0.2)
    wait_until(lambda: "on" in running.log_text, timeout_s=10, what="the command runs")

    assert running.stop() == 128 + signal.SIGKILL


def test_the_exit_status_is_the_commands(tmp_path: Path) -> None:
    running = Guarded(["sh", "-c", "exit 3"], log=tmp_path / "log", environment=os.environ, folder=tmp_path)

    wait_until(lambda: not running.running, timeout_s=5, what="the command ends")

    assert running.returncode == 3


def counts_on(counted: Path, seen: bytes) -> bool:
    return counted.read_bytes() != seen


def test_what_is_frozen_stands_still_at_once_though_more_want_a_core_than_there_are(tmp_path: Path) -> None:
    counted = tmp_path / "counted"
    counted.write_bytes(bytes(4 * (os.cpu_count() or 1)))
    command = [sys.executable, "-c", COUNTING, str(counted)]
    running = Guarded(command, log=tmp_path / "log", environment=os.environ, folder=tmp_path)
    try:
        wait_until(lambda: all(counted.read_bytes()), timeout_s=10, what="each counts")
        for _ in range(60):
            running.freeze()
            assert not poll(partial(counts_on, counted, counted.read_bytes()), timeout_s=0.02)
            running.thaw()
    finally:
        running.kill()
