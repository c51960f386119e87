"""`make faults`: the matrix on several grounds side by side, each with servers of its own; one table of all rows.

The rows are claimed one after another by whichever ground is free. JOBS says how many grounds; the other variables are
test_matrix.py's. The exit status is not 0 where anything was violated, or a row did not run.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.results import Result, table

GROUNDS = 2
FAILED = 1


def main() -> int:
    """Run, print the table, write RESULTS."""
    started = time.monotonic()
    only = [name for name in os.environ.get("ONLY", "").split(",") if name]
    jobs = min(int(os.environ.get("JOBS") or GROUNDS), len(only) or GROUNDS)
    with tempfile.TemporaryDirectory(prefix="blend-pos-faults-") as name:
        folder = Path(name)
        (folder / "claims").mkdir()
        statuses = _run(folder, jobs)
        parts = sorted(folder.glob("results-*.json"))
        results = [Result(**one) for part in parts for one in json.loads(part.read_text())]
    results.sort(key=lambda result: result.place)
    print(table(results))
    violations = sum(len(result.violations) for result in results)
    minutes = (time.monotonic() - started) / 60
    injections = sum(result.injections for result in results)
    print(f"{injections} injections, {violations} violations, {minutes:.0f} minutes on {jobs} grounds, seed {_seed()}")
    if path := os.environ.get("RESULTS"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(json.dumps([one.as_json() for one in results], indent=1))
    return FAILED if violations or any(statuses) else 0


def _seed() -> str:
    return os.environ.get("SEED", "1")


def _run(folder: Path, jobs: int) -> list[int]:
    """Each ground's pytest; their exit statuses."""
    running = []
    for number in range(jobs):
        environment = {
            **os.environ,
            "CLAIMS": str(folder / "claims"),
            "RESULTS": str(folder / f"results-{number}.json"),
            "HOURS": str(float(os.environ.get("HOURS", "0")) * jobs),
        }
        command = [sys.executable, "-m", "pytest", "-q", "-rN", "--tb=short", "tests/faults/test_matrix.py"]
        running.append(subprocess.Popen(command, env=environment))
    return [one.wait() for one in running]


if __name__ == "__main__":
    sys.exit(main())
