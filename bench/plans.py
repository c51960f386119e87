"""How PostgreSQL reads a table: what EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) says of it, in short."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Scan:
    """One way into a table. `index`: '' where the whole of it is read; `rows`: read, those left out again too."""

    table: str
    index: str
    rows: int


@dataclass(frozen=True, slots=True)
class Read:
    """One statement of a page. `buffers`: pages of 8 KiB that it touched."""

    page: str
    scans: Sequence[Scan]
    buffers: int
    ms: float

    @classmethod
    def of(cls, *, page: str, explained: Any) -> Self:
        """From EXPLAIN's answer."""
        plan = explained[0]["Plan"]
        buffers = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        return cls(page, list(_scans(plan)), buffers, explained[0]["Execution Time"])

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """As dataclasses.asdict wrote it."""
        return cls(**{**kept, "scans": [Scan(**scan) for scan in kept["scans"]]})


def _scans(plan: Mapping[str, Any]) -> Iterator[Scan]:
    if "Relation Name" in plan:
        left_out = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        rows = round((plan["Actual Rows"] + left_out) * plan["Actual Loops"])
        yield Scan(plan["Relation Name"], plan.get("Index Name") or _below_bitmap(plan), rows)
    for below in plan.get("Plans", ()):
        yield from _scans(below)


def _below_bitmap(plan: Mapping[str, Any]) -> str:
    """The index that a bitmap scan of a table begins with, or ''."""
    for below in plan.get("Plans", ()):
        found = below.get("Index Name") or _below_bitmap(below)
        if found:
            return str(found)
    return ""
