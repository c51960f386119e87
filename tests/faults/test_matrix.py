"""Every row of the matrix. FAULTS says how often (smoke, test, faults, long); ONLY, N, SEED and HOURS choose a part."""

import os
from pathlib import Path
from typing import cast

import pytest

from tests.faults.ground import Ground
from tests.faults.matrix import Row, run_row
from tests.faults.results import Result, table, write
from tests.faults.scene import Size
from tests.faults.table import ROWS

HOURS = float(os.environ.get("HOURS") or 0)
SIZE = cast("Size", "long" if HOURS else os.environ.get("FAULTS", "smoke"))
SEED = os.environ.get("SEED", "1")
ONLY = [name for name in os.environ.get("ONLY", "").split(",") if name]
# What may take longest comes first, so that no ground is left alone with it at the end.
CHOSEN = sorted(
    (row for row in ROWS if (row.name in ONLY if ONLY else row.count(SIZE))), key=lambda row: -row.longest_s(SIZE)
)


def test_the_rows_that_are_asked_for_are_there() -> None:
    assert set(ONLY) <= {row.name for row in ROWS}


def _claim(name: str) -> bool:
    """Whether the row is this process' to run: CLAIMS names a folder that several share."""
    folder = os.environ.get("CLAIMS")
    if folder is None:
        return True
    try:
        (Path(folder) / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


@pytest.mark.timeout(0)
@pytest.mark.parametrize("row", CHOSEN, ids=lambda row: row.name)
def test_row(
    row: Row, ground: Ground, live_db: None, results: list[Result], capsys: pytest.CaptureFixture[str]
) -> None:
    if not _claim(row.name):
        pytest.skip("it runs on another ground")
    most_s = HOURS * 3600 / len(CHOSEN) if HOURS else None
    result = run_row(row, ground, place=ROWS.index(row), size=SIZE, seed=SEED, most_s=most_s)
    results.append(result)
    if "RESULTS" in os.environ:  # a long run: each row is told as soon as it is there, and kept
        write(results, Path(os.environ["RESULTS"]))
        with capsys.disabled():
            print(f"\n{table([result])}", flush=True)
    assert not result.violations, "\n".join(result.violations)
    assert result.promised
