"""What the three private servers have in common: a folder of their own, a lock on it, a guarded process."""

import fcntl
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from scripts.guarded import Guarded
from scripts.ports import require_free

READY_S = 90.0
FOLDER_WAIT_S = 40.0  # longer than a server's grace: one whose starter was killed may still be stopping
PAUSE_S = 0.05


class ServiceError(Exception):
    """A private server did not start. The message says which, why, and shows the end of its log."""


class Service(ABC):
    """One private server on 127.0.0.1. It ends with the process that started it, whatever happens to that."""

    name: ClassVar[str]
    stop_signal: ClassVar[str] = "TERM"
    grace_s: ClassVar[float] = 20

    def __init__(self, *, folder: Path, ports: Sequence[int], remedy: str = "") -> None:
        """`folder` is this server's alone. `remedy` is what to tell somebody whose port is taken."""
        self.folder = folder
        self.ports = tuple(ports)
        self._remedy = remedy
        self._process: Guarded | None = None

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def prepare(self) -> list[str]:
        """Write what the server reads, and return the command that runs it in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it serves now. Raises nothing that a starting server may cause."""

    def environment(self) -> dict[str, str]:
        """What its process gets as environment: nothing of the starter's that could configure it."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}

    @property
    def running(self) -> bool:
        """Whether its process exists; a frozen one does."""
        return self._process is not None and self._process.running

    @property
    def pids(self) -> list[int]:
        return self._process.pids if self._process else []

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self) -> None:
        """Start on the data that is there, and return when it serves. Raises ServiceError or PortInUse."""
        if self.running:
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = self._lock_folder()
        try:
            for port in self.ports:
                require_free(port=port, wanted_by=self.name, remedy=self._remedy)
            self._process = Guarded(
                self.prepare(),
                log=self.log,
                environment=self.environment(),
                folder=self.folder,
                stop_signal=self.stop_signal,
                grace_s=self.grace_s,
                keep_open=[lock],
            )
        finally:
            os.close(lock)
        try:
            self._wait_until_it_answers(self._process)
        except BaseException:
            self._process.kill()
            raise

    def stop(self) -> None:
        """Stop in good order; its data stay. Nothing of it is left running."""
        if self._process:
            self._process.stop()

    def kill(self) -> None:
        """SIGKILL every process of it at once, as a power cut would."""
        if self._process:
            self._process.kill()

    def freeze(self) -> None:
        """SIGSTOP every process of it: connections stay open, nothing answers."""
        if self._process:
            self._process.freeze()

    def thaw(self) -> None:
        if self._process:
            self._process.thaw()

    def _lock_folder(self) -> int:
        """A lock that the guard then holds until the last process has ended. Returns its descriptor."""
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + FOLDER_WAIT_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(lock)
                    raise ServiceError(f"{self.name}: another run uses {self.folder}. Stop that one first.") from None
                time.sleep(PAUSE_S)
            else:
                return lock

    def _wait_until_it_answers(self, process: Guarded) -> None:
        deadline = time.monotonic() + READY_S
        while not self.answers():
            if not process.running:
                raise ServiceError(f"{self.name} ended with {process.returncode} at its start:\n{process.log_tail()}")
            if time.monotonic() > deadline:
                raise ServiceError(f"{self.name} does not answer after {READY_S:.0f} s:\n{process.log_tail()}")
            time.sleep(PAUSE_S)
