"""reserve.lua: every line of a cart, or none."""

import math
from uuid import UUID, uuid4

import pytest
import redis

from cache_stock import keys, reservation, scripts
from cache_stock.reservation import HeldProduct, Hold, Persisted
from cache_stock.scripts import StockRefused
from tests.lua.stocked import HUELLA, NOW_MS, OTHER_HUELLA, SWEEP_AFTER_MS, StockedTienda

MOST_MILLI = 10**14 - 1  # NUMERIC(14, 3)
MOST_CENTAVOS = 999_999_999_999_99  # NUMERIC(14, 2)


def test_holds_every_line_and_writes_the_journal(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000, precio=1050, impuesto=800, catalogo_version=3)
    milk = tienda.product(saldo=2000, precio=2590)
    venta_id = uuid4()

    hold = tienda.reserve({bread: 3000, milk: 2000}, venta_id=venta_id, nonce="mine", pedido='{"a": "ñ"}')

    products = (HeldProduct(bread, 3000, 1050, 800, 3), HeldProduct(milk, 2000, 2590, 1600, 1))
    assert hold == Hold(created=True, epoch=1, pedido='{"a": "ñ"}', products=products)
    assert tienda.reservado(bread, milk) == [3000, 2000]
    assert tienda.hold(venta_id) == {
        "huella": HUELLA,
        "nonce": "mine",
        "pedido": '{"a": "ñ"}',
        "lineas": reservation.format_lines(products),
        "epoch": "1",
        "creada": str(NOW_MS),
        "intentos": "1",
    }
    assert tienda.holds() == {str(venta_id): NOW_MS + SWEEP_AFTER_MS}


def test_the_stock_itself_is_not_touched(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    before = tienda.stock(bread)

    tienda.held({bread: 3000})

    assert tienda.stock(bread) == before | {"reservado": "3000"}


def test_takes_the_last_thousandth_and_not_one_more(tienda: StockedTienda) -> None:
    cheese = tienda.product(saldo=1500)

    tienda.held({cheese: 1499})
    with pytest.raises(reservation.Insufficient) as refused:
        tienda.reserve({cheese: 2})
    tienda.held({cheese: 1})

    assert refused.value.available == {cheese: 1}
    assert tienda.reservado(cheese) == [1500]


def test_the_same_sale_again_holds_once_and_answers_with_the_prices_of_then(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000, precio=1050)
    venta_id = uuid4()
    first = tienda.reserve({bread: 3000}, venta_id=venta_id, nonce="first", pedido="first")
    tienda.warm(bread, saldo=5000, precio=9999, activo=False, catalogo_version=2)
    before = tienda.dump()

    again = tienda.reserve(
        {bread: 3000}, venta_id=venta_id, nonce="again", pedido="again", expected={bread: "1"}, most_holds=0
    )

    assert isinstance(first, Hold)
    assert again == Hold(created=False, epoch=1, pedido="first", products=first.products)
    assert again.products[0].precio_centavos == 1050
    before[tienda.hold_key(venta_id)]["intentos"] = "2"
    assert tienda.dump() == before


def test_another_cart_under_the_same_id_is_a_conflict_while_it_is_held(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1000})
    before = tienda.dump(counters=True)

    with pytest.raises(reservation.SaleConflict):
        tienda.reserve({bread: 2000}, venta_id=venta_id, huella=OTHER_HUELLA)

    assert tienda.dump(counters=True) == before


def test_a_persisted_sale_answers_with_what_was_kept(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1000})
    tienda.settle(venta_id, answer='{"estado": "PERSISTIDA"}', balances={bread: (4000, 2)})
    before = tienda.dump(counters=True)

    assert tienda.reserve({bread: 1000}, venta_id=venta_id) == Persisted('{"estado": "PERSISTIDA"}')
    with pytest.raises(reservation.SaleConflict):
        tienda.reserve({bread: 2000}, venta_id=venta_id, huella=OTHER_HUELLA)

    assert tienda.dump(counters=True) == before


def test_names_each_product_that_is_short_and_holds_nothing(tienda: StockedTienda) -> None:
    plenty = tienda.product(saldo=9000)
    short = tienda.product(saldo=2500)
    none = tienda.product(saldo=0)
    tienda.held({short: 1000})
    before = tienda.dump()

    with pytest.raises(reservation.Insufficient) as refused:
        tienda.reserve({plenty: 9000, short: 1501, none: 1})

    assert refused.value.available == {short: 1500, none: 0}
    assert tienda.dump() == before


def test_what_is_promised_beyond_the_balance_shows_as_less_than_nothing(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=3000)
    tienda.held({bread: 3000})
    tienda.warm(bread, saldo=1000, version=2)  # committed, not settled yet

    with pytest.raises(reservation.Insufficient) as refused:
        tienda.reserve({bread: 1})

    assert refused.value.available == {bread: -2000}


def test_names_each_product_that_is_not_cached(tienda: StockedTienda) -> None:
    warm = tienda.product(saldo=0)
    flushed = tienda.product(saldo=9000)
    unknown = uuid4()
    tienda.flush(flushed)
    before = tienda.dump()

    with pytest.raises(reservation.NotCached) as refused:
        tienda.reserve({warm: 1, flushed: 1, unknown: 1})

    assert refused.value.productos == (flushed, unknown)
    assert tienda.dump() == before


def test_a_flushed_product_is_cold_even_while_it_has_holds(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=9000)
    tienda.held({bread: 1000})
    tienda.flush(bread)

    with pytest.raises(reservation.NotCached):
        tienda.reserve({bread: 1})
    assert tienda.reservado(bread) == [1000]


@pytest.mark.parametrize("field", ["run_id", "master_replid"])
def test_refuses_on_a_server_that_was_not_armed(tienda: StockedTienda, field: str) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1000})
    tienda.client.hset(tienda.meta, field, "0" * 40)
    before = tienda.dump(counters=True)

    for sale in (uuid4(), venta_id):  # a held sale is not repeated either: the hold may be from before a loss
        with pytest.raises(reservation.NotArmed):
            tienda.reserve({bread: 1000}, venta_id=sale)

    assert tienda.dump(counters=True) == before


def test_refuses_where_nothing_was_ever_armed() -> None:
    never = StockedTienda(scripts.stock_client())

    with pytest.raises(reservation.NotArmed):
        never.reserve({uuid4(): 1})

    assert never.dump() == {never.meta: {}}


def test_compares_the_price_that_was_shown(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000, precio=1050)
    milk = tienda.product(saldo=5000, precio=2590)
    eggs = tienda.product(saldo=5000, precio=99)
    before = tienda.dump()

    with pytest.raises(reservation.PriceDiffers) as refused:
        tienda.reserve({bread: 1, milk: 1, eggs: 1}, expected={bread: "1050", milk: "2591"})

    assert refused.value.prices == {milk: 2590}
    assert tienda.dump() == before
    tienda.held({bread: 1, milk: 1, eggs: 1}, expected={bread: "1050", milk: "2590"})


def test_names_each_product_that_is_not_sold(tienda: StockedTienda) -> None:
    sold = tienda.product(saldo=5000)
    retired = tienda.product(saldo=5000, activo=False)
    before = tienda.dump()

    with pytest.raises(reservation.NotActive) as refused:
        tienda.reserve({sold: 1, retired: 1})

    assert refused.value.productos == (retired,)
    assert tienda.dump() == before
    tienda.held({retired: 1}, only_active=False)


def test_bounds_the_live_holds(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    first = tienda.held({bread: 1000}, most_holds=2)
    tienda.held({bread: 1000}, most_holds=2)
    before = tienda.dump()

    with pytest.raises(reservation.TooManyHolds):
        tienda.reserve({bread: 1000}, most_holds=2)

    assert tienda.dump() == before
    tienda.settle(first)
    tienda.held({bread: 1000}, most_holds=2)


def test_the_brake_refuses_new_holds_and_repeats_old_ones(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1000})
    tienda.client.hset(tienda.meta, "freno", "1")
    before = tienda.dump()

    with pytest.raises(reservation.TooManyHolds):
        tienda.reserve({bread: 1000})

    assert tienda.dump() == before
    assert isinstance(tienda.reserve({bread: 1000}, venta_id=venta_id), Hold)


def test_a_loaded_product_that_is_missing_disarms(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    lost = tienda.product(saldo=5000)
    tienda.held({bread: 1000, lost: 1000})
    tienda.lose(lost)
    before = tienda.dump()

    with pytest.raises(reservation.NotArmed):
        tienda.reserve({bread: 1, lost: 1})

    del before[tienda.meta]["run_id"], before[tienda.meta]["master_replid"]
    assert tienda.dump() == before
    assert not tienda.armed()


def test_a_flushed_product_that_is_missing_disarms_too(tienda: StockedTienda) -> None:
    lost = tienda.product(saldo=5000)
    tienda.flush(lost)
    tienda.lose(lost)

    with pytest.raises(reservation.NotArmed):
        tienda.reserve({lost: 1})


def test_counts_hits_and_misses_of_products_looked_up(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=1000)
    venta_id = tienda.held({bread: 1000})
    tienda.reserve({bread: 1000}, venta_id=venta_id)  # no look-up
    with pytest.raises(reservation.NotCached):
        tienda.reserve({bread: 1, uuid4(): 1, uuid4(): 1})
    with pytest.raises(reservation.Insufficient):
        tienda.reserve({bread: 1})

    assert tienda.client.hmget(tienda.meta, "aciertos", "fallos") == ["3", "2"]


@pytest.mark.parametrize("saldo", [1, 2**31, 10**12 + 1, MOST_MILLI - 1, MOST_MILLI])
def test_quantities_up_to_the_largest_are_exact(tienda: StockedTienda, saldo: int) -> None:
    salt = tienda.product(saldo=saldo)

    with pytest.raises(reservation.Insufficient) as refused:
        tienda.reserve({salt: saldo + 1})
    tienda.held({salt: saldo})

    assert refused.value.available == {salt: saldo}
    assert tienda.reservado(salt) == [saldo]
    with pytest.raises(reservation.Insufficient) as refused:
        tienda.reserve({salt: 1})
    assert refused.value.available == {salt: 0}


def test_a_price_of_twelve_digits_travels_exactly(tienda: StockedTienda) -> None:
    ring = tienda.product(saldo=1000, precio=MOST_CENTAVOS, impuesto=9999)

    with pytest.raises(reservation.PriceDiffers) as refused:
        tienda.reserve({ring: 1000}, expected={ring: str(MOST_CENTAVOS - 1)})
    hold = tienda.reserve({ring: 1000}, expected={ring: str(MOST_CENTAVOS)})

    assert refused.value.prices == {ring: MOST_CENTAVOS}
    assert isinstance(hold, Hold)
    assert hold.products == (HeldProduct(ring, 1000, MOST_CENTAVOS, 9999, 1),)


def test_a_kilo_and_a_half_is_sold_to_the_gram(tienda: StockedTienda) -> None:
    cheese = tienda.product(saldo=2000)
    venta_id = tienda.held({cheese: 1500})

    assert tienda.reservado(cheese) == [1500]
    assert tienda.release(venta_id)
    assert tienda.client.hincrby(tienda.stock_key(cheese), "reservado", 0) == 0  # still a whole number


def test_a_cart_of_a_thousand_products_is_held_whole(tienda: StockedTienda) -> None:
    productos = [tienda.product(saldo=1000) for _ in range(1000)]

    tienda.held(dict.fromkeys(productos, 1000))

    assert tienda.reservado(*productos) == [1000] * 1000


def reserve_raw(tienda: StockedTienda, *lines: tuple[UUID, object], spoil: int = 0) -> None:
    """What a careless caller may send: any quantity, a product twice, `spoil` arguments too many."""
    names = [tienda.meta, tienda.journal, tienda.loaded, tienda.hold_key(uuid4()), tienda.answer_key(uuid4())]
    arguments: list[str | int] = ["venta", HUELLA, "nonce", NOW_MS, NOW_MS, 100, "pedido", "1"]
    for producto, cantidad in lines:
        names.append(keys.stock(tienda.tienda_id, producto))
        arguments += [str(producto), str(cantidad), ""]
    scripts.reserve(keys=names, arguments=arguments + ["more"] * spoil)


@pytest.mark.parametrize(
    "cantidad", [0, -1, -1000, 1.5, "1e3", "", "one", "0x10", " 1", math.inf, math.nan, "+1", "01"]
)
def test_a_quantity_that_is_no_whole_positive_number_is_refused_whole(tienda: StockedTienda, cantidad: object) -> None:
    bread, milk = tienda.product(saldo=5000), tienda.product(saldo=5000)
    before = tienda.dump(counters=True)

    with pytest.raises(StockRefused, match="reserve: "):
        reserve_raw(tienda, (bread, 1000), (milk, cantidad))

    assert tienda.dump(counters=True) == before


def test_a_product_twice_is_refused(tienda: StockedTienda) -> None:
    """Either line alone could be held, both together not: the caller sums them first."""
    bread = tienda.product(saldo=5000)
    before = tienda.dump(counters=True)

    with pytest.raises(StockRefused, match="reserve: each product once"):
        reserve_raw(tienda, (bread, 3000), (bread, 3000))

    assert tienda.dump(counters=True) == before


@pytest.mark.parametrize("spoil", [1, 2, 3])
def test_a_wrong_number_of_arguments_is_refused(tienda: StockedTienda, spoil: int) -> None:
    bread = tienda.product(saldo=5000)
    before = tienda.dump(counters=True)

    with pytest.raises(StockRefused, match="reserve: three arguments a product"):
        reserve_raw(tienda, (bread, 1000), spoil=spoil)

    assert tienda.dump(counters=True) == before


def test_an_empty_cart_is_refused(tienda: StockedTienda) -> None:
    with pytest.raises(StockRefused, match="reserve: three arguments a product"):
        reserve_raw(tienda)


def test_a_key_of_another_kind_leaves_nothing_half_done(tienda: StockedTienda) -> None:
    bread, spoiled = tienda.product(saldo=5000), uuid4()
    tienda.client.set(tienda.stock_key(spoiled), "no hash")
    before = tienda.dump(counters=True)

    with pytest.raises(StockRefused, match="WRONGTYPE"):
        tienda.reserve({bread: 1, spoiled: 1})

    assert tienda.dump(counters=True) == before


def test_no_key_of_a_hold_expires(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    tienda.held({bread: 1000})

    assert {key: tienda.client.ttl(key) for key in tienda.dump()} == dict.fromkeys(tienda.dump(), -1)


def test_another_tienda_neither_sees_nor_spends_it(tienda: StockedTienda) -> None:
    other = StockedTienda(tienda.client)
    other.arm(epoch=7)
    bread, venta_id = tienda.product(saldo=1000), uuid4()
    other.warm(bread, saldo=1000)
    before = other.dump()

    tienda.reserve({bread: 1000}, venta_id=venta_id)

    assert other.dump() == before
    hold = other.reserve({bread: 1000}, venta_id=venta_id)
    assert isinstance(hold, Hold)
    assert (hold.created, hold.epoch) == (True, 7)


def test_refused_at_the_limit_of_memory(small_redis: "redis.Redis") -> None:
    tienda = StockedTienda(small_redis)
    tienda.arm()
    bread = tienda.product(saldo=5000)
    small_redis.config_set("maxmemory", 1)
    before = tienda.dump(counters=True)

    with pytest.raises(StockRefused, match="maxmemory"):
        tienda.reserve({bread: 1000})

    assert tienda.dump(counters=True) == before
