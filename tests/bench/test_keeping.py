"""What a run of some parts leaves of another's."""

import json
from pathlib import Path
from typing import Any

from bench.goals import Found, judge
from bench.keeping import keep
from tests.bench.test_goals import found
from ventas.scaling import read_measured

WHOLE, LATER, LAST = (
    {"when": f"2026-11-{day}T10:00:00+00:00", "cores": cores} for day, cores in (("01", 8), ("02", 2), ("03", 1))
)


def kept(folder: Path, measured: Found, about: dict[str, Any], *, partial: bool) -> dict[str, Any]:
    keep(measured, judge(measured, open_rate=200), about, partial=partial, folder=folder)
    written: dict[str, Any] = json.loads((folder / "latest.json").read_text())
    return written


def test_a_run_of_a_part_leaves_the_others_and_says_what_run_they_are_from(tmp_path: Path) -> None:
    whole = kept(tmp_path, found(), WHOLE, partial=False)
    drawing = (tmp_path / "latest.svg").read_text()
    opened = kept(tmp_path, Found(open={50: {}, **found().open}), LATER, partial=True)
    drained = kept(tmp_path, Found(drains=found().drains), LAST, partial=True)

    assert opened["matrix"] == drained["matrix"] == whole["matrix"]
    assert set(opened["open"]) == {"50", "200"} == set(drained["open"])
    assert opened["about"]["kept"]["drains"] == WHOLE
    assert (drained["about"]["when"], drained["about"]["kept"]["open"]) == (LAST["when"], LATER)
    assert drained["about"]["kept"]["matrix"] == WHOLE
    assert "drains" not in drained["about"]["kept"]
    assert {name for name, goal in drained["goals"].items() if not goal["holds"]} == set()
    assert (tmp_path / "latest.svg").read_text() == drawing
    assert read_measured(tmp_path / "latest.json").source.endswith("2026-11-03, 1 cores")


def test_a_whole_run_leaves_nothing_of_before(tmp_path: Path) -> None:
    kept(tmp_path, found(), WHOLE, partial=False)
    assert kept(tmp_path, Found(), LATER, partial=False)["drains"] == {}


def test_what_is_none_of_ours_is_not_kept(tmp_path: Path) -> None:
    for text in ("", "[]", "{}", "\0"):
        (tmp_path / "latest.json").write_text(text)
        assert kept(tmp_path, Found(drains=found().drains), LATER, partial=True)["about"]["kept"] == {}
