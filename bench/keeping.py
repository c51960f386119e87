"""What a run leaves in bench/results: every figure of every round, and the drawing.

A run of some parts keeps what another has measured of the rest, and says of each of those when and where that was.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.drawing import draw
from bench.goals import Found, Goal
from bench.report import as_json

FOLDER = Path(__file__).parent / "results"
LOGS = FOLDER / "logs"
FIGURES, DRAWING = "latest.json", "latest.svg"


def keep(
    found: Found, judged: list[Goal], about: Mapping[str, object], *, partial: bool, folder: Path = FOLDER
) -> None:
    """What there is by now: a run that is void in its last part has measured the others."""
    folder.mkdir(exist_ok=True)
    file, now = folder / FIGURES, as_json(found, judged, about)
    file.write_text(json.dumps(beside(before(file), now) if partial else now, indent=1))
    if found.matrix or not partial:
        (folder / DRAWING).write_text(draw(found))


def keep_logs(folder: Path, to: Path = LOGS) -> None:
    """The logs of each process and server of a run, in the place of an earlier run's."""
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    for log in (*folder.glob("*.log"), *folder.glob("servers/*/log")):
        shutil.copyfile(log, to / (log.name if log.suffix else f"{log.parent.name}.log"))


def before(file: Path) -> dict[str, Any]:
    """What lies there; empty where that is nothing, or none of ours."""
    try:
        kept = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) and {"about", "goals"} <= kept.keys() else {}


def beside(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """`now`, and of `before` what `now` has not measured; about.kept says of each such part what run it is from."""
    parts = {name: part for name, part in before.items() if part and not now.get(name) and name in now}
    earlier = before.get("about", {})
    origins: Mapping[str, Any] = earlier.get("kept", {})
    run = {name: value for name, value in earlier.items() if name != "kept"}
    goals = before.get("goals", {}) | {
        name: goal
        for name, goal in now["goals"].items()
        if goal["value"] is not None or name not in before.get("goals", {})
    }
    about = {**now["about"], "kept": {name: origins.get(name, run) for name in parts}}
    return {**now, **parts, "about": about, "goals": goals}
