"""sweep.lua: overdue holds are claimed for another publish, and never given back."""

from uuid import UUID, uuid4

import pytest
import redis

from cache_stock import reservation, scripts
from cache_stock.reservation import HeldProduct, LiveHold
from cache_stock.scripts import StockRefused
from tests.lua.stocked import HUELLA, NOW_MS, SWEEP_AFTER_MS, StockedTienda

DUE_MS = NOW_MS + SWEEP_AFTER_MS
FIRST_PAUSE_MS = 1000
LONGEST_PAUSE_MS = 60_000


def claim(tienda: StockedTienda, *, now_ms: int = DUE_MS, most: int = 10) -> list[LiveHold]:
    return reservation.claim_overdue(
        tienda_id=tienda.tienda_id,
        now_ms=now_ms,
        first_pause_ms=FIRST_PAUSE_MS,
        longest_pause_ms=LONGEST_PAUSE_MS,
        most=most,
    )


def claim_named(tienda: StockedTienda, *ventas: UUID, now_ms: int = DUE_MS) -> list[list[str]]:
    """As a sweep that read the journal a while ago."""
    return scripts.sweep(
        keys=[tienda.meta, tienda.journal, *map(tienda.hold_key, ventas)],
        arguments=[now_ms, FIRST_PAUSE_MS, LONGEST_PAUSE_MS, *map(str, ventas)],
    )


def test_claims_the_held_message_as_it_was(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000, precio=1050, impuesto=800, catalogo_version=2)
    venta_id = tienda.held({bread: 1500}, pedido='{"cajero": 7}')
    tienda.warm(bread, saldo=5000, precio=9999, catalogo_version=3)

    assert claim(tienda) == [
        LiveHold(tienda.tienda_id, venta_id, HUELLA, 1, '{"cajero": 7}', (HeldProduct(bread, 1500, 1050, 800, 2),))
    ]


def test_a_hold_that_is_not_overdue_is_left_alone(tienda: StockedTienda) -> None:
    venta_id = tienda.held({tienda.product(saldo=5000): 1500})
    before = tienda.dump()

    assert claim(tienda, now_ms=DUE_MS - 1) == []
    assert claim_named(tienda, venta_id, now_ms=DUE_MS - 1) == []

    assert tienda.dump() == before


def test_a_claim_is_a_publish_intent_and_keeps_the_stock(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1500})
    stock = tienda.stock(bread)

    claim(tienda)

    assert tienda.hold(venta_id) | {"intentos": "2", "barridos": "1"} == tienda.hold(venta_id)
    assert tienda.stock(bread) == stock


def test_backs_off_up_to_the_longest_pause(tienda: StockedTienda) -> None:
    venta_id = tienda.held({tienda.product(saldo=5000): 1500})
    pauses, now_ms = [], DUE_MS
    for _ in range(9):
        assert len(claim(tienda, now_ms=now_ms)) == 1
        again_ms = int(tienda.holds()[str(venta_id)])
        pauses.append(again_ms - now_ms)
        now_ms = again_ms

    assert pauses == [2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000, 60000]


def test_back_off_never_overflows(tienda: StockedTienda) -> None:
    venta_id = tienda.held({tienda.product(saldo=5000): 1500})
    tienda.client.hset(tienda.hold_key(venta_id), "barridos", 10**9)
    now_ms = 4 * 10**12  # in the year 2096

    assert len(claim(tienda, now_ms=now_ms)) == 1

    assert tienda.holds() == {str(venta_id): now_ms + LONGEST_PAUSE_MS}


def test_of_two_sweeps_at_once_one_gets_it(tienda: StockedTienda) -> None:
    venta_id = tienda.held({tienda.product(saldo=5000): 1500})

    assert len(claim_named(tienda, venta_id)) == 1
    assert claim_named(tienda, venta_id) == []


def test_a_hold_that_went_meanwhile_is_left_out(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    settled, stays = tienda.held({bread: 1500}), tienda.held({bread: 500})
    tienda.settle(settled)

    assert [found[0] for found in claim_named(tienda, settled, stays, uuid4())] == [str(stays)]


def test_a_failed_sale_is_never_swept(tienda: StockedTienda) -> None:
    venta_id = tienda.held({tienda.product(saldo=5000): 1500})
    assert reservation.keep_failed(tienda_id=tienda.tienda_id, venta_id=venta_id, huella=HUELLA)
    before = tienda.dump()

    assert claim(tienda, now_ms=2**53) == []
    assert claim_named(tienda, venta_id, now_ms=2**53) == []

    assert tienda.dump() == before


def test_claims_a_bounded_number_the_oldest_first(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    ventas = [tienda.held({bread: 1000}, now_ms=NOW_MS - age) for age in (1, 3, 2)]

    assert [hold.venta_id for hold in claim(tienda, most=2)] == [ventas[1], ventas[2]]
    assert [hold.venta_id for hold in claim(tienda, most=2)] == [ventas[0]]


def test_claims_nothing_while_not_armed(tienda: StockedTienda) -> None:
    tienda.held({tienda.product(saldo=5000): 1500})
    tienda.disarm()
    before = tienda.dump()

    assert claim(tienda) == []

    assert tienda.dump() == before


def test_an_entry_of_the_journal_without_its_hold_disarms(tienda: StockedTienda) -> None:
    """Its message is lost, and what it held would be held for ever."""
    bread = tienda.product(saldo=5000)
    stays, lost = tienda.held({bread: 1000}), tienda.held({bread: 1500})
    tienda.client.delete(tienda.hold_key(lost))
    before = tienda.hold(stays)

    assert claim(tienda) == []

    assert not tienda.armed()
    assert tienda.hold(stays) == before


def test_a_wrong_number_of_arguments_is_refused(tienda: StockedTienda) -> None:
    venta_id = tienda.held({tienda.product(saldo=5000): 1500})
    before = tienda.dump()

    with pytest.raises(StockRefused, match="sweep: one argument a hold"):
        scripts.sweep(keys=[tienda.meta, tienda.journal, tienda.hold_key(venta_id)], arguments=[DUE_MS, 1, 1])

    assert tienda.dump() == before


def test_runs_at_the_limit_of_memory(small_redis: "redis.Redis") -> None:
    """What it publishes is what will make room."""
    tienda = StockedTienda(small_redis)
    tienda.arm()
    tienda.held({tienda.product(saldo=5000): 1500})
    small_redis.config_set("maxmemory", 1)

    assert len(claim(tienda)) == 1
