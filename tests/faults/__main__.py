"""`make faults`: the matrix on several grounds side by side, each with servers of its own; one table of all rows.

The rows are claimed one after another by whichever ground is free. JOBS says how many grounds; the other variables are
test_matrix.py's. The exit status is not 0 where anything was violated, a row did not run, or a variable makes no sense.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blend_pos.settings")
django.setup()

from tests.faults.results import Result, table, write  # noqa: E402 - Django first
from tests.faults.scene import Size  # noqa: E402 - Django first
from tests.faults.table import ROWS  # noqa: E402 - Django first

GROUNDS = 3
FAILED, USAGE = 1, 2


def complaint(environment: Mapping[str, str]) -> str:
    """What is wrong with the variables that choose a part; '' where nothing is."""
    names = [row.name for row in ROWS]
    strange = sorted(set(_only(environment)).difference(names))
    if strange:
        return f"ONLY: there is no row {', '.join(strange)}. There are:\n  " + "\n  ".join(names)
    for name in ("N", "JOBS"):
        if (text := environment.get(name)) and not (text.isdecimal() and int(text) >= 1):
            return f"{name}={text}: it is a whole number, at least 1."
    try:
        hours = float(environment.get("HOURS") or 0)
    except ValueError:
        hours = math.nan
    if not 0 <= hours < math.inf:
        return f"HOURS={environment['HOURS']}: it is a number, at least 0."
    if (size := environment.get("FAULTS", "faults")) not in get_args(Size):
        return f"FAULTS={size}: it is one of {', '.join(get_args(Size))}."
    return ""


def _only(environment: Mapping[str, str]) -> list[str]:
    return [name for name in environment.get("ONLY", "").split(",") if name]


def main() -> int:
    """Run, print the table, write RESULTS."""
    if wrong := complaint(os.environ):
        print(wrong, file=sys.stderr)
        return USAGE
    started = time.monotonic()
    only = _only(os.environ)
    jobs = min(int(os.environ.get("JOBS") or GROUNDS), len(only) or GROUNDS)
    with tempfile.TemporaryDirectory(prefix="blend-pos-faults-") as name:
        folder = Path(name)
        (folder / "claims").mkdir()
        statuses = _run(folder, jobs)
        parts = sorted(folder.glob("results-*.json"))
        results = [Result(**one) for part in parts for one in json.loads(part.read_text())]
    results.sort(key=lambda result: result.place)
    print(table(results))
    minutes = (time.monotonic() - started) / 60
    print(summary(results, f"{minutes:.0f} minutes on {jobs} grounds, seed {_seed()}"))
    if path := os.environ.get("RESULTS"):
        write(results, Path(path))
    return FAILED if not results or any(result.violations for result in results) or any(statuses) else 0


def summary(results: Sequence[Result], where: str) -> str:
    """The last line; no row at all is not a clean run."""
    if not results:
        return f"Nothing was run, and nothing is shown: the servers did not start, or no row ended. {where}"
    violations = sum(len(result.violations) for result in results)
    return f"{sum(result.injections for result in results)} injections, {violations} violations, {where}"


def _seed() -> str:
    return os.environ.get("SEED", "1")


def _run(folder: Path, jobs: int) -> list[int]:
    """Each ground's pytest; their exit statuses."""
    running = []
    for number in range(jobs):
        environment = {
            **{name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
            "CLAIMS": str(folder / "claims"),
            "RESULTS": str(folder / f"results-{number}.json"),
            "HOURS": str(float(os.environ.get("HOURS") or 0) * jobs),
        }
        command = [sys.executable, "-m", "pytest", "-q", "-rN", "--tb=short", "tests/faults/test_matrix.py"]
        running.append(subprocess.Popen(command, env=environment))
    return [one.wait() for one in running]


if __name__ == "__main__":
    sys.exit(main())
