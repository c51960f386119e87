"""Where a run was made: so that its figures can be placed."""

import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path

from scripts import processes, versions

CPU_INFO = Path("/proc/cpuinfo")


def machine() -> dict[str, object]:
    """Cores, what they are, memory, Python, and the commit; "" where that is not known."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": os.cpu_count(),
        "cpu": _cpu(),
        "memory_gib": round(pages / 2**30, 1),
        "python": platform.python_version(),
        "commit": _commit(),
    }


def servers(settings: Mapping[str, str]) -> list[str]:
    """Name and version of each, as it says them itself."""
    return [said.split(" at ")[0] for _role, said in versions.describe(settings)]


def _cpu() -> str:
    try:
        lines = CPU_INFO.read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _commit() -> str:
    """With a + where files have changed since."""
    asked = ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
    try:
        return subprocess.run(asked, cwd=processes.ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
