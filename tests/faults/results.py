"""What came of the rows, and the table of all of it. Needs neither Django nor a server."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Result:
    """What came of one row. `healed_s`: the longest time from the mend to what `heals` names, which may take
    `within_s`. Of the sales, `dropped` are those of a past epoch."""

    name: str
    place: int  # in the table
    seed: str
    heals: str
    within_s: float
    injections: int = 0
    cases: int = 0
    points: dict[str, int] = field(default_factory=dict)
    carts: int = 0
    promised: int = 0
    persisted: int = 0
    dropped: int = 0
    failed: int = 0
    looks: int = 0
    healed_s: float = 0.0
    armed_s: float = 0.0  # the same of the cases that fell upon a cold start, where that takes longer
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """For a file."""
        return asdict(self)


def write(results: list[Result], path: Path) -> None:
    """All of it, as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([one.as_json() for one in results], indent=1))


def table(results: list[Result]) -> str:
    """The matrix, as it is printed."""
    names = ("injected", "cases", "carts", "201", "written", "epoch", "failed", "looks", "took")
    columns = "".join(f"{name:>9}" for name in names)
    lines = [f"{'fault':18}{columns}  {'healed':26}  violations"]
    for one in results:
        sales = (one.carts, one.promised, one.persisted, one.dropped, one.failed)
        figures = "".join(f"{count:9}" for count in (one.injections, one.cases, *sales, one.looks))
        healed = f"{one.healed_s:.1f} of {one.within_s:.0f} s, {one.heals}"
        lines.append(f"{one.name:18}{figures}{one.seconds:7.0f} s  {healed:26}  {len(one.violations)}")
        lines += [f"    {note}" for note in one.notes]
        lines += [f"    {violation}" for violation in one.violations[:20]]
    return "\n".join(lines)
