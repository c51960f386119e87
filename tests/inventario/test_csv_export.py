"""No text of an export is a formula, in whichever way a spreadsheet takes it apart."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inventario.csv_export import BYTE_ORDER_MARK, stream_csv
from tests.fuzz.effort import cases

SIGNS = "=+-@＝＋－＠"
INVISIBLE = " \t\r\n\"'`\x00\x0b\x1c\x85\xa0\u200b\u200f\u2028\u202e\u2060\u3000\ufeff"
SEPARATORS = [",", ";", "\t", "|"]
NASTY = st.text(alphabet=st.sampled_from(SIGNS + INVISIBLE + ",;|a1(")) | st.text()


def cells(text: str, separator: str) -> list[str]:
    """Every cell of one column, as a spreadsheet with this separator reads it."""
    written = "".join(stream_csv(header=["h"], rows=[[text]])).removeprefix(BYTE_ORDER_MARK)
    body = written.split("\r\n", 1)[1]
    return [cell for row in csv.reader(io.StringIO(body, newline=""), delimiter=separator) for cell in row]


@pytest.mark.parametrize("separator", SEPARATORS)
@cases(150)
@given(NASTY)
@example("=1+1")
@example("\ufeff=1")
@example('" =HYPERLINK("http://a")')
@example("\t-1")
@example("leche; =1")
@example("leche\r\n@SUM(A1)")
def test_no_cell_is_a_formula(separator: str, text: str) -> None:
    stripped = INVISIBLE.replace("'", "")
    assert not [cell for cell in cells(text, separator) if cell.lstrip(stripped).startswith(tuple(SIGNS))]


@cases(100)
@given(st.text(alphabet=st.characters(exclude_characters=SIGNS, exclude_categories=["Cs", "Cc"])))
def test_other_text_is_left_alone(text: str) -> None:
    assert [text] == cells(text, ",") or text == ""


def test_numbers_and_moments_are_as_they_are() -> None:
    row = [Decimal("-1.500"), -3, None, datetime(2026, 11, 24, 10, 42, tzinfo=UTC)]
    assert list(stream_csv(header=[], rows=[row]))[-1] == "-1.500,-3,,2026-11-24 10:42:00+00:00\r\n"
