"""Run one command, and end everything it started when its starter goes away.

    python guard.py --starter PID --signal TERM --grace-s 10 -- command argument ...

A server forks, daemonizes (RabbitMQ's epmd) and changes sessions, so neither a process group nor a parent-death
signal finds all of it. The guard is a subreaper: whatever its command leaves behind stays its descendant.
It ends when the command ends, when SIGTERM comes, or when the starter dies, however that happens; in each case
nothing of the command's tree is left. Its exit status is the command's (128 + signal where a signal ended it).

Standard library only, and runnable as a plain file: one such process stands beside every server.
"""

import argparse
import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
KILL_ROUNDS = 100
KILL_PAUSE_S = 0.02


def descendants(pid: int) -> list[int]:
    """Every living process below `pid`, parents before their children. Zombies are left out."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # pid (name) state ppid …: the name may itself hold blanks and brackets.
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state not in "ZX":
            children[int(parent)].append(int(entry.name))
    found = [pid]
    for one in found:
        found.extend(children[one])
    return found[1:]


def stands_still(pid: int) -> bool:
    """Whether every thread of it is stopped, or it has ended."""
    states = []
    with contextlib.suppress(FileNotFoundError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                states.append((thread / "stat").read_text().rpartition(")")[2].split()[0])
    return all(state in "TtZX" for state in states)


def signal_all(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def kill_descendants(pid: int) -> None:
    """SIGKILL the whole tree below `pid`, again until nothing is left: a parent may have forked meanwhile."""
    for _ in range(KILL_ROUNDS):
        below = descendants(pid)
        if not below:
            return
        signal_all(below, signal.SIGKILL)
        time.sleep(KILL_PAUSE_S)
    raise RuntimeError(f"processes below {pid} survive SIGKILL: {descendants(pid)}")


def _become_subreaper() -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _reap_strays(child: int) -> None:
    """Collect what was left to the guard by parents that ended; the child itself is collected by its Popen."""
    while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid != child:
        os.waitpid(ended.si_pid, 0)


def _wait(child: int, starter: int, signals: int) -> None:
    """Return when the child ended, the starter died, or SIGTERM came. `signals` is read for signal numbers."""
    poller = select.poll()
    for descriptor in (os.pidfd_open(child), starter, signals):
        poller.register(descriptor, select.POLLIN)
    while [descriptor for descriptor, _ in poller.poll()] == [signals]:
        if signal.SIGTERM in os.read(signals, 512):
            return
        _reap_strays(child)


def _end(child: subprocess.Popen[bytes], number: signal.Signals, grace_s: float) -> int:
    """Ask the child to stop, wait for `grace_s`, then kill whatever is left of its tree."""
    if child.poll() is None:
        child.send_signal(number)
        signal_all(descendants(os.getpid()), signal.SIGCONT)  # a frozen server must be able to hear it
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(grace_s)
    kill_descendants(os.getpid())
    status = child.wait()
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)  # leave no zombie: what adopts it may never collect it
    return status if status >= 0 else 128 - status


def guard(*, command: list[str], starter: int, stop_signal: signal.Signals, grace_s: float) -> int:
    """Run `command` to its end, or to the starter's. Returns the exit status to end with."""
    _become_subreaper()
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)  # a handler, so that its number reaches the pipe
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        starter_fd = os.pidfd_open(starter)
    except ProcessLookupError:
        return 1
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    _wait(child.pid, starter_fd, readable)
    return _end(child, stop_signal, grace_s)


def main() -> int:
    parser = argparse.ArgumentParser(description="Run a command; end its whole tree with its starter.")
    parser.add_argument("--starter", type=int, required=True)
    parser.add_argument("--signal", default="TERM")
    parser.add_argument("--grace-s", type=float, default=10)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    return guard(
        command=options.command,
        starter=options.starter,
        stop_signal=signal.Signals[f"SIG{options.signal}"],
        grace_s=options.grace_s,
    )


if __name__ == "__main__":
    sys.exit(main())
