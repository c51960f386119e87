"""clear.lua: the journal and the old stock of a tienda go, a bounded piece at a time."""

from uuid import uuid4

import pytest
import redis

from tests.lua.cold_start_commands import Spoil, clear, refused_claim
from tests.lua.stocked import StockedTienda


def test_deletes_the_journal_and_the_stock_and_nothing_else(tienda: StockedTienda) -> None:
    bread, milk = tienda.product(saldo=5000), tienda.product(saldo=5000)
    tienda.flush(milk)
    tienda.held({bread: 1000})
    tienda.settle(persisted := uuid4(), answer="done")
    claim = tienda.claim()

    assert clear(tienda, claim) == 0

    assert tienda.dump().keys() == {tienda.meta, tienda.answer_key(persisted)}


def test_a_bounded_piece_at_a_time(tienda: StockedTienda) -> None:
    bread, milk, eggs = (tienda.product(saldo=5000) for _ in range(3))
    for wanted in (bread, milk, eggs, bread, milk):
        tienda.held({wanted: 1})
    claim = tienda.claim()

    assert [clear(tienda, claim, most=2) for _ in range(4)] == [4, 1, 0, 0]


def test_deletes_holds_of_failed_sales_too(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1000})
    tienda.client.zadd(tienda.journal, {str(venta_id): float("inf")})

    clear(tienda, tienda.claim())

    assert tienda.dump().keys() == {tienda.meta}


def test_another_tienda_keeps_its_own(tienda: StockedTienda) -> None:
    other = StockedTienda(tienda.client)
    other.arm()
    other.held({other.product(saldo=5000): 1000})
    before = other.dump()

    clear(tienda, tienda.claim())

    assert other.dump() == before


@refused_claim
def test_refused_without_a_trace(tienda: StockedTienda, spoil: Spoil) -> None:
    tienda.held({tienda.product(saldo=5000): 1000})
    claim = spoil(tienda, tienda.claim())
    before = tienda.dump()

    assert clear(tienda, claim) == -1

    assert tienda.dump() == before


@pytest.mark.parametrize("most", [1, 100])
def test_runs_at_the_limit_of_memory(small_redis: "redis.Redis", most: int) -> None:
    tienda = StockedTienda(small_redis)
    tienda.arm()
    tienda.held({tienda.product(saldo=5000): 1000})
    claim = tienda.claim()
    small_redis.config_set("maxmemory", 1)

    assert clear(tienda, claim, most=most) == 0
