"""A command in the background that never outlives its starter: see guard.py."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts import guard

GUARD_SPARE_S = 10.0
LOG_TAIL_LINES = 30
PAUSE_S = 0.05
STILL_S = 0.002  # between two looks at whether a tree stands still


def guarded_command(
    command: Sequence[str], *, stop_signal: str = "TERM", grace_s: float = 10, starter: int | None = None
) -> list[str]:
    """The command line that runs `command` under a guard; `starter` is this process where not given."""
    return [
        sys.executable,
        "-I",
        guard.__file__,
        f"--starter={starter or os.getpid()}",
        f"--signal={stop_signal}",
        f"--grace-s={grace_s}",
        "--",
        *command,
    ]


class Guarded:
    """One running command, its tree of processes, and its log file."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str],
        folder: Path,
        stop_signal: str = "TERM",
        grace_s: float = 10,
        keep_open: Sequence[int] = (),
    ) -> None:
        """Start it. Descriptors in `keep_open` stay open until the whole tree has ended."""
        self.log = log
        self._stop_within_s = grace_s + GUARD_SPARE_S
        with log.open("ab") as output:
            self._log_start = output.tell()
            self._guard = subprocess.Popen(
                guarded_command(command, stop_signal=stop_signal, grace_s=grace_s),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,
                pass_fds=keep_open,
            )

    @property
    def running(self) -> bool:
        return self._guard.poll() is None

    @property
    def returncode(self) -> int | None:
        return self._guard.poll()

    @property
    def pids(self) -> list[int]:
        """The command's own process first, then everything below it."""
        return guard.descendants(self._guard.pid) if self.running else []

    @property
    def log_text(self) -> str:
        """What this run of the command has written so far."""
        with self.log.open("rb") as stream:
            stream.seek(self._log_start)
            return stream.read().decode(errors="replace")

    def log_tail(self) -> str:
        return "\n".join(self.log_text.splitlines()[-LOG_TAIL_LINES:])

    def send(self, number: signal.Signals) -> None:
        """A signal to the command's own process alone."""
        os.kill(self.pids[0], number)

    def stop(self) -> int:
        """Ask it to end, kill what is left after its grace, and return its exit status. Stopped twice is fine."""
        if self.running:
            self._guard.terminate()
        return self._guard.wait(self._stop_within_s)

    def kill(self) -> None:
        """SIGKILL the whole tree at once; the guard then ends by itself."""
        deadline = time.monotonic() + self._stop_within_s
        while self.running:
            if time.monotonic() > deadline:
                raise TimeoutError(f"guard {self._guard.pid} does not end after SIGKILL of its command")
            guard.kill_descendants(self._guard.pid)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._guard.wait(PAUSE_S)  # not ended: it was only about to start its command

    def freeze(self) -> None:
        """SIGSTOP the whole tree, and wait until it stands still: where cores are scarce, threads run on a while."""
        deadline = time.monotonic() + self._stop_within_s
        guard.signal_all(self.pids, signal.SIGSTOP)
        while moving := [pid for pid in self.pids if not guard.stands_still(pid)]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"processes {moving} run on after SIGSTOP")
            guard.signal_all(moving, signal.SIGSTOP)  # a child may have been born meanwhile
            time.sleep(STILL_S)

    def thaw(self) -> None:
        guard.signal_all(self.pids, signal.SIGCONT)
