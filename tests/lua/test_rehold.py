"""rehold.lua: a cold start holds again what open failed sales hold."""

import math
from uuid import uuid4

import pytest

from cache_stock import reservation, scripts
from cache_stock.reservation import HeldProduct, Hold
from cache_stock.scripts import StockRefused
from tests.lua.cold_start_commands import Spoil, arm, load, refused_claim, rehold
from tests.lua.stocked import HUELLA, NOW_MS, StockedTienda


def test_holds_without_the_sweep(tienda: StockedTienda) -> None:
    claim, bread, venta_id = tienda.claim(), uuid4(), uuid4()
    load(tienda, claim, {bread: (5000, 3)})

    assert rehold(tienda, claim, venta_id, {bread: 2000})

    assert tienda.reservado(bread) == [2000]
    assert tienda.holds() == {str(venta_id): math.inf}
    assert tienda.hold(venta_id) == {
        "huella": HUELLA,
        "nonce": "rehold",
        "pedido": "pedido",
        "lineas": reservation.format_lines([HeldProduct(bread, 2000, 1050, 1600, 1)]),
        "epoch": "2",
        "creada": str(NOW_MS),
        "intentos": "1",
    }


def test_a_second_time_holds_no_more(tienda: StockedTienda) -> None:
    claim, bread, venta_id = tienda.claim(), uuid4(), uuid4()
    load(tienda, claim, {bread: (5000, 3)})
    rehold(tienda, claim, venta_id, {bread: 2000})
    before = tienda.dump()

    assert rehold(tienda, claim, venta_id, {bread: 2000})

    assert tienda.dump() == before


def test_the_customer_has_the_goods_so_it_may_go_below_nothing(tienda: StockedTienda) -> None:
    claim, bread = tienda.claim(), uuid4()
    load(tienda, claim, {bread: (1000, 3)})
    rehold(tienda, claim, uuid4(), {bread: 2000})
    arm(tienda, claim)

    assert reservation.available(tienda_id=tienda.tienda_id, productos=[bread]) == {bread: -1000}


def test_once_armed_it_is_a_hold_like_another(tienda: StockedTienda) -> None:
    claim, bread, venta_id = tienda.claim(), uuid4(), uuid4()
    load(tienda, claim, {bread: (5000, 3)})
    rehold(tienda, claim, venta_id, {bread: 2000})
    arm(tienda, claim)

    again = tienda.reserve({bread: 2000}, venta_id=venta_id)

    assert isinstance(again, Hold)
    assert (again.created, again.epoch) == (False, 2)
    assert not tienda.release(venta_id)
    assert tienda.settle(venta_id, balances={bread: (3000, 4)}) == (1, True)
    assert tienda.reservado(bread) == [0]


def test_a_lost_product_is_no_reason_to_stop(tienda: StockedTienda) -> None:
    """What is not loaded can't be sold; the rest of the sale is held."""
    claim, bread, unknown, venta_id = tienda.claim(), uuid4(), uuid4(), uuid4()
    load(tienda, claim, {bread: (5000, 3)})

    assert rehold(tienda, claim, venta_id, {bread: 2000, unknown: 1000})

    assert tienda.reservado(bread) == [2000]
    assert not tienda.client.exists(tienda.stock_key(unknown))


@refused_claim
def test_refused_without_a_trace(tienda: StockedTienda, spoil: Spoil) -> None:
    bread, venta_id = tienda.product(saldo=5000), uuid4()
    claim = spoil(tienda, tienda.claim())
    before = tienda.dump()

    assert not rehold(tienda, claim, venta_id, {bread: 2000})

    assert tienda.dump() == before


@pytest.mark.parametrize("count", [6, 8])
def test_a_wrong_number_of_arguments_is_refused(tienda: StockedTienda, count: int) -> None:
    claim, names = tienda.claim(), [tienda.meta, tienda.journal, tienda.hold_key(uuid4())]
    before = tienda.dump()

    with pytest.raises(StockRefused, match="rehold: ten arguments"):
        scripts.rehold(keys=names, arguments=[*claim, *["1"] * count])

    assert tienda.dump() == before
