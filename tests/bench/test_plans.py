"""What is read out of a plan, from plans as PostgreSQL writes them."""

from typing import Any

from bench import report
from bench.plans import Read, Scan


def explained(*plans: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """EXPLAIN's answer for a node with these below it."""
    node = {"Node Type": "Limit", "Shared Hit Blocks": 30, "Shared Read Blocks": 12, "Plans": list(plans), **more}
    return [{"Plan": node, "Execution Time": 1.5}]


def scan(kind: str, table: str, rows: int, **more: Any) -> dict[str, Any]:
    return {"Node Type": kind, "Relation Name": table, "Actual Rows": rows, "Actual Loops": 1, **more}


def test_a_way_by_an_index_has_its_name_and_what_it_read_in_vain() -> None:
    node = scan("Index Scan", "inventory_ledger", 100, **{"Index Name": "by_version", "Rows Removed by Filter": 7})
    read = Read.of(page="history", explained=explained({"Node Type": "Nested Loop", "Plans": [node]}))
    assert (read.scans, read.buffers, read.ms) == ([Scan("inventory_ledger", "by_version", 107)], 42, 1.5)


def test_a_whole_table_has_no_index_and_is_said_to_be_read_whole() -> None:
    read = Read.of(page="history", explained=explained(scan("Seq Scan", "inventory_ledger", 5, **{"Actual Loops": 3})))
    assert read.scans == [Scan("inventory_ledger", "", 15)]
    assert "the whole of inventory_ledger" in report.reads([read])


def test_a_bitmap_of_a_table_is_the_index_below_it() -> None:
    below = {"Node Type": "BitmapAnd", "Plans": [{"Node Type": "Bitmap Index Scan", "Index Name": "by_day"}]}
    read = Read.of(page="day", explained=explained(scan("Bitmap Heap Scan", "ventas", 9, Plans=[below])))
    assert read.scans == [Scan("ventas", "by_day", 9)]
    assert "by_day" in report.reads([read])


def test_it_comes_back_from_json_as_it_was() -> None:
    read = Read("day", [Scan("ventas", "by_day", 9)], 42, 1.5)
    kept = {"page": "day", "scans": [{"table": "ventas", "index": "by_day", "rows": 9}], "buffers": 42, "ms": 1.5}
    assert Read.from_json(kept) == read
