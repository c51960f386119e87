"""What an error or a field says comes out in one line, and without the rows that PostgreSQL quotes."""

import io
import json
import logging
from typing import Any

import pytest
from django.db import IntegrityError, connection
from hypothesis import example, given
from hypothesis import strategies as st

from blend_pos.logs import _dumps, line_formatter
from blend_pos.telling import describe, in_one_line, without_values
from tests.fuzz.effort import cases

CARD = "4111-1111"
ANYTHING = st.text() | st.text(alphabet=st.sampled_from("\n\r\x1b\x00\x85\u2028\u202e\ud800a={}\"' "))


def written(*, is_json: bool, message: str, error: BaseException | None = None, **extra: Any) -> str:
    """What one record of Python's logging comes out as."""
    stream = io.StringIO()
    record = logging.LogRecord("a", logging.ERROR, "", 0, "%s", (message,), None)
    record.__dict__.update(extra)
    if error is not None:
        record.exc_info = (type(error), error, error.__traceback__)
    return line_formatter(stream=stream, is_json=is_json).format(record)


@cases(200)
@given(ANYTHING, ANYTHING)
@example('\n{"event":"forged"}', "\x1b[2J")
@example("\ud800", "\x85")
def test_a_record_is_one_line_whatever_it_says(message: str, field: str) -> None:
    console = written(is_json=False, message=message, path=field)
    assert console.isprintable()
    as_json = written(is_json=True, message=message, path=field)
    assert not set(as_json) & set("\n\r\x1b\x00")
    said = json.loads(as_json)
    assert (said["event"], said["path"]) == (message, field)


def failing(text: str) -> ValueError:
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


@cases(100)
@given(ANYTHING)
@example("\n2026-11-24T10:42:07Z [info     ] forged")
def test_a_traceback_is_indented_so_that_no_line_of_it_is_taken_for_another(text: str) -> None:
    first, *rest = written(is_json=False, message="x", error=failing(text)).split("\n")
    assert "[error" in first
    assert all(line.startswith("  ") and line.isprintable() for line in rest)


def test_postgresql_quotes_no_row(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE tarjetas (referencia text, monto int CONSTRAINT algo CHECK (monto > 0))")
        with pytest.raises(IntegrityError) as raised:
            cursor.execute("INSERT INTO tarjetas VALUES (%s, 0)", [CARD])

    error = raised.value
    assert CARD in str(error)
    assert CARD not in describe(error)
    assert '"algo"' in describe(error)
    for is_json in (True, False):
        said = written(is_json=is_json, message=f"broke: {error}", error=error)
        assert CARD not in said
        assert '"algo"' in said or '\\"algo\\"' in said


def test_other_errors_are_told_as_they_are() -> None:
    assert describe(ValueError("a\nb")) == "ValueError: a\\nb"
    assert without_values("as it is", None) == "as it is"
    assert in_one_line("ñ — ✅") == "ñ — ✅"


def test_what_json_cannot_hold_is_escaped() -> None:
    assert json.loads(_dumps({"a": "\ud800", "b": 2**70})) == {"a": "\ud800", "b": 2**70}
