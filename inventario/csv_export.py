"""Rows as CSV for a spreadsheet, one at a time; no text of theirs is ever taken for a formula."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

BYTE_ORDER_MARK = "\ufeff"  # or Excel reads UTF-8 as something else
# What begins a formula, at the start of the text, or of a cell that a spreadsheet makes of it whose separator is not
# ours; before it whatever a spreadsheet may strip: spaces, quotes, marks that nobody sees.
STRIPPED = r"""[\s"'`\x00-\x20\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]*"""
FORMULA = re.compile(rf"(?:^|(?<=[;|\t\r\n]))(?={STRIPPED}[=+\-@＝＋－＠])")
CONTROL_STARTS = ("\t", "\r", "\n")


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def stream_csv(*, header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The lines of the file, the header first."""
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK
    yield writer.writerow([_cell(value) for value in header])
    for row in rows:
        yield writer.writerow([_cell(value) for value in row])


def _cell(value: Any) -> str:
    """A number as it is; text that a spreadsheet would compute behind an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, (int, Decimal)):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    text = FORMULA.sub("'", str(value))
    return f"'{text}" if text.startswith(CONTROL_STARTS) else text
