"""How much CPU time the parts have used, by the kernel's own count.

A process that ended within a round is missed, unless its parent has waited for it: none of the parts starts any.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
UTIME, STIME, CUTIME, CSTIME = 11, 12, 13, 14  # fields after the command's name, from 0: proc(5)
RSS = 21
PAGE = os.sysconf("SC_PAGE_SIZE")


def seconds(pids: Iterable[int]) -> float:
    """CPU seconds of these processes, and of those of their children that have ended."""
    return sum(sum(int(fields[place]) for place in (UTIME, STIME, CUTIME, CSTIME)) for fields in _each(pids)) / TICKS


def resident(pids: Iterable[int]) -> int:
    """Bytes of memory that these processes have, what they share counted for each."""
    return sum(int(fields[RSS]) * PAGE for fields in _each(pids))


def of_parts(parts: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """CPU seconds of each part."""
    return {name: seconds(pids) for name, pids in parts.items()}


def of_ended_children() -> float:
    """CPU seconds of this process' children that have ended and were waited for."""
    used = os.times()
    return used.children_user + used.children_system


def _each(pids: Iterable[int]) -> list[list[str]]:
    found = []
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        found.append(text.rpartition(")")[2].split())
    return found
