"""How many worker processes a rate of sales needs, from what one of them was measured to write."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from django.conf import settings

ROOM = 0.7  # of what a process can do: the rest is for peaks, and for the time that one of them is away
MEASURED = settings.BASE_DIR / "bench" / "results" / "latest.json"


class NotMeasured(Exception):
    """There is no figure to compute with. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Sales a second that one worker process writes, and where that is from."""

    a_second: float
    source: str


def processes_needed(*, rate: float, a_second: float) -> int:
    """Worker processes for so many sales a second, at ROOM of what each can do; at least 1."""
    return max(1, math.ceil(rate / (a_second * ROOM)))


def read_measured(path: Path) -> Measured:
    """From what `make bench` wrote. Raises NotMeasured."""
    try:
        kept = json.loads(path.read_text())
        rates = [one["sales"] / one["seconds"] for one in kept["drains"]["one_process"]]
        about = kept["about"].get("kept", {}).get("drains", kept["about"])  # of the run that measured this part
        run = "a quick run of " if about.get("quick") else ""
        return Measured(median(rates), f"{path}, {run}{about['when'][:10]}, {about['cores']} cores")
    except FileNotFoundError as error:
        raise NotMeasured(f"There is no {path}: run make bench ONLY=drains, or say --per-process.") from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        lack = f"{path} holds no drain of one process: run make bench ONLY=drains, or say --per-process."
        raise NotMeasured(lack) from error
