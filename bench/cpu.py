"""How much CPU time the parts have used, and how much memory they have, by the kernel's own count.

A process that ended within a round is missed, unless its parent has waited for it: none of the parts starts any.
"""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
UTIME, STIME, CUTIME, CSTIME = 11, 12, 13, 14  # fields after the command's name, from 0: proc(5)


def seconds(pids: Iterable[int]) -> float:
    """CPU seconds of these processes, and of those of their children that have ended."""
    return sum(sum(int(fields[place]) for place in (UTIME, STIME, CUTIME, CSTIME)) for fields in _each(pids)) / TICKS


def memory(pids: Iterable[int]) -> int:
    """Bytes of memory that these processes have; of a page that several have, each its part."""
    return sum(
        int(line.split()[1]) * 1024
        for text in _texts(pids, "smaps_rollup")
        for line in text.splitlines()
        if line.startswith("Pss:")
    )


def of_parts(parts: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """CPU seconds of each part."""
    return {name: seconds(pids) for name, pids in parts.items()}


def of_ended_children() -> float:
    """CPU seconds of this process' children that have ended and were waited for."""
    used = os.times()
    return used.children_user + used.children_system


def _each(pids: Iterable[int]) -> list[list[str]]:
    return [text.rpartition(")")[2].split() for text in _texts(pids, "stat")]


def _texts(pids: Iterable[int], name: str) -> list[str]:
    """What the kernel says of each; nothing of one that has ended."""
    found = []
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            found.append(Path(f"/proc/{pid}/{name}").read_text())
    return found
