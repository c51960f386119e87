"""Numbers are written as the till and the receipt write them; dates as each language does, moments short."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import translation
from django.utils.formats import localize, number_format


@pytest.mark.parametrize("language", ["es", "en"])
def test_numbers_have_a_decimal_point_and_commas_between_thousands(language: str) -> None:
    with translation.override(language):
        assert localize(Decimal("10.000")) == "10.000"
        assert number_format(Decimal("1234567.50"), force_grouping=True) == "1,234,567.50"


@pytest.mark.parametrize(
    ("language", "day", "moment"),
    [
        ("es", "24 de noviembre de 2026", "24/11/2026 16:05"),
        ("en", "Nov. 24, 2026", "Nov. 24, 2026, 4:05 p.m."),
    ],
)
def test_dates_are_each_languages_own(language: str, day: str, moment: str) -> None:
    with translation.override(language):
        assert localize(date(2026, 11, 24)) == day
        assert localize(datetime(2026, 11, 24, 16, 5, tzinfo=UTC)) == moment
