"""What a round has to add up to."""

from dataclasses import replace
from typing import Any

import pytest

from bench.rounds import agrees
from scripts.replay.identity import ProductEvidence

SAME = ProductEvidence(
    stock_actual=7_000,
    version=3,
    ledger_rows=3,
    ledger_delta=7_000,
    ledger_last_saldo=7_000,
    ledger_last_version=3,
    breaks=0,
    ledger_sold=3_000,
    detalle_cantidad=3_000,
    redis_saldo=7_000,
    redis_reservado=0,
    redis_version=3,
)


def test_what_is_the_same_everywhere_agrees() -> None:
    assert agrees(SAME, piped=True)
    assert agrees(replace(SAME, redis_saldo=None, redis_version=None, redis_reservado=None), piped=False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"stock_actual": 6_000},
        {"ledger_delta": 6_000},
        {"ledger_last_saldo": None},
        {"version": 4},
        {"ledger_sold": 2_000},
        {"detalle_cantidad": 4_000},
        {"breaks": 1},
        {"redis_saldo": 6_000},
        {"redis_version": 2},
        {"redis_reservado": 1_000},
        {"redis_saldo": None},
    ],
    ids=str,
)
def test_one_difference_is_enough(wrong: dict[str, Any]) -> None:
    assert not agrees(replace(SAME, **wrong), piped=True)
