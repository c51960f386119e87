"""Arrays written as text are what PostgreSQL reads."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from blend_pos.arrays import NotPlain, array

ID = UUID("6d1f0a52-7c07-4a4b-9b1f-0c8f1f1f0001")
MOMENT = datetime(2026, 11, 29, 1, 2, 3, 456, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "values", "read"),
    [
        ("uuid", [ID, None], [ID, None]),
        ("numeric", [Decimal("-1.500"), Decimal("1E+3"), "12.50"], [Decimal("-1.500"), Decimal(1000), Decimal("12.5")]),
        ("bigint", [1, -(2**62)], [1, -(2**62)]),
        ("boolean", [True, False], [True, False]),
        ("timestamptz", [MOMENT.isoformat()], [MOMENT]),
        ("text", ["EFECTIVO"], ["EFECTIVO"]),
        ("text", [], []),
    ],
)
def test_each_element_arrives(kind: str, values: list[Any], read: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}[]", [array(values)])
        assert cursor.fetchone() == (read,)


@pytest.mark.parametrize("value", ["a,b", '"', "{", "}", "\\", "", " ", "a b", "ñ", "'", "a\n"])
def test_what_has_to_be_quoted_is_refused(value: str) -> None:
    with pytest.raises(NotPlain):
        array(["first", value])
