"""settle.lua: after the COMMIT the holds go, and the balances of that transaction come."""

from uuid import uuid4

import pytest
import redis

from cache_stock import keys, reservation, scripts
from cache_stock.reservation import Persisted
from cache_stock.scripts import StockRefused
from tests.lua.stocked import HUELLA, OTHER_HUELLA, TTL_S, StockedTienda

MOST_MILLI = 10**14 - 1


def test_drops_the_holds_of_a_batch_and_writes_its_balances(tienda: StockedTienda) -> None:
    bread, milk = tienda.product(saldo=5000), tienda.product(saldo=9000)
    first, second = tienda.held({bread: 1000, milk: 2000}), tienda.held({bread: 500})
    other = tienda.held({milk: 3000})

    assert tienda.settle(first, second, balances={bread: (3500, 3), milk: (7000, 2)}) == (2, True)

    assert tienda.holds().keys() == {str(other)}
    assert not tienda.hold(first)
    assert not tienda.hold(second)
    assert tienda.stock(bread) | {"saldo": "3500", "version": "3", "reservado": "0"} == tienda.stock(bread)
    assert tienda.stock(milk) | {"saldo": "7000", "version": "2", "reservado": "3000"} == tienda.stock(milk)


def test_what_is_available_does_not_change_by_it(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1000})
    before = reservation.available(tienda_id=tienda.tienda_id, productos=[bread])

    tienda.settle(venta_id, balances={bread: (4000, 2)})

    assert reservation.available(tienda_id=tienda.tienda_id, productos=[bread]) == before == {bread: 4000}


def test_a_second_time_changes_nothing(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1000})
    tienda.settle(venta_id, answer="done", balances={bread: (4000, 2)})
    before = tienda.dump()

    assert tienda.settle(venta_id, answer="done", balances={bread: (4000, 2)}) == (0, True)

    assert tienda.dump() == before


def test_an_older_balance_is_not_written_and_the_hold_goes_all_the_same(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    first, second = tienda.held({bread: 1000}), tienda.held({bread: 500})

    tienda.settle(second, balances={bread: (3500, 3)})
    tienda.settle(first, balances={bread: (4000, 2)})

    assert tienda.stock(bread) | {"saldo": "3500", "version": "3", "reservado": "0"} == tienda.stock(bread)


def test_a_hold_of_another_cart_stays(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1000}, huella=OTHER_HUELLA)
    before = tienda.dump()

    assert tienda.settle(venta_id) == (0, True)

    assert tienda.dump() == before


def test_a_sale_twice_in_a_batch_is_dropped_once(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1000})

    assert tienda.settle(venta_id, venta_id, balances={bread: (4000, 2)}) == (1, True)

    assert tienda.reservado(bread) == [0]


def test_the_answer_is_kept_for_a_time_and_nothing_else_expires(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id, silent = tienda.held({bread: 1000}), tienda.held({bread: 1000})

    tienda.settle(venta_id, answer='{"total": "1050"}', balances={bread: (4000, 2)})
    tienda.settle(silent, balances={bread: (3000, 3)})

    assert tienda.client.get(tienda.answer_key(venta_id)) == f'{HUELLA} {{"total": "1050"}}'
    assert tienda.reserve({bread: 1000}, venta_id=venta_id) == Persisted('{"total": "1050"}')
    assert not tienda.client.exists(tienda.answer_key(silent))
    expiring = {key: tienda.client.ttl(key) for key in tienda.dump() if tienda.client.ttl(key) != -1}
    assert list(expiring) == [tienda.answer_key(venta_id)]
    assert TTL_S - 60 < expiring[tienda.answer_key(venta_id)] <= TTL_S


def test_a_flushed_balance_stays_forgotten_and_its_version_is_raised(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1000})
    tienda.flush(bread)

    assert tienda.settle(venta_id, balances={bread: (4000, 2)}) == (1, True)

    assert "saldo" not in tienda.stock(bread)
    assert tienda.stock(bread)["version"] == "2"
    assert tienda.warm(bread, saldo=5000, version=1) == (0, 1)  # read before the sale was written
    assert "saldo" not in tienda.stock(bread)
    with pytest.raises(reservation.NotCached):
        tienda.reserve({bread: 1})


def test_a_product_that_was_never_loaded_is_left_alone(tienda: StockedTienda) -> None:
    unknown = uuid4()
    before = tienda.dump()

    assert tienda.settle(uuid4(), balances={unknown: (1000, 1)}) == (0, True)

    assert tienda.dump() == before


@pytest.mark.parametrize("held", [True, False])
def test_a_loaded_product_that_is_missing_disarms(tienda: StockedTienda, held: bool) -> None:
    bread, lost = tienda.product(saldo=5000), tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1000, lost: 1000}) if held else uuid4()
    tienda.lose(lost)

    assert tienda.settle(venta_id, balances={bread: (4000, 2), lost: (4000, 2)}) == (0, False)

    assert not tienda.armed()
    assert bool(tienda.hold(venta_id)) is held  # half of it can't be given back
    assert tienda.reservado(bread) == [1000 if held else 0]
    assert not tienda.client.exists(tienda.stock_key(lost))


def test_a_hold_beyond_what_is_reserved_disarms(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1000})
    tienda.client.hset(tienda.stock_key(bread), "reservado", 999)

    assert tienda.settle(venta_id, balances={bread: (4000, 2)}) == (0, False)

    assert not tienda.armed()
    assert tienda.reservado(bread) == [999]


@pytest.mark.parametrize(
    ("armed_with", "came_from", "sound"),
    [("1:1", "1:1", True), ("1:1", "1:2", False), ("1:1", "", True), ("", "1:1", False)],
)
def test_a_balance_of_another_postgresql_disarms(
    tienda: StockedTienda, armed_with: str, came_from: str, sound: bool
) -> None:
    bread = tienda.product(saldo=5000)
    tienda.client.hset(tienda.meta, "timeline", armed_with)

    venta_id = tienda.held({bread: 1000})
    settled = tienda.settle(venta_id, answer="written", balances={bread: (4000, 2)}, timeline=came_from)

    assert settled == (1, sound)
    assert tienda.armed() is sound
    assert bool(scripts.exists(keys=[keys.answer(tienda.tienda_id, venta_id)])) is sound


@pytest.mark.parametrize(("later", "sound"), [(-1, True), (0, True), (1, False)])
def test_a_server_that_is_armed_with_a_past_epoch_is_disarmed(tienda: StockedTienda, later: int, sound: bool) -> None:
    """Another one was in its place, and it is back; what is behind it in PostgreSQL is a cold start's own affair."""
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1000})
    armed_with = tienda.epoch

    assert tienda.settle(venta_id, balances={bread: (4000, 2)}, epoch=armed_with + later) == (1, sound)

    assert tienda.armed() is sound


def test_runs_while_not_armed(tienda: StockedTienda) -> None:
    """Workers drain the queue before a cold start; what they settle does no harm."""
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1000})
    tienda.disarm()

    assert tienda.settle(venta_id, balances={bread: (4000, 2)}) == (1, True)

    assert not tienda.armed()


def test_the_largest_balances_and_versions_are_exact(tienda: StockedTienda) -> None:
    salt = tienda.product(saldo=MOST_MILLI, version=10**15 - 2)
    venta_id = tienda.held({salt: MOST_MILLI - 1})

    tienda.settle(venta_id, balances={salt: (1, 10**15 - 1)})
    tienda.settle(balances={salt: (MOST_MILLI, 10**15 - 2)})

    assert tienda.stock(salt) | {"saldo": "1", "version": str(10**15 - 1)} == tienda.stock(salt)


def test_nothing_at_all_to_settle(tienda: StockedTienda) -> None:
    before = tienda.dump()

    assert tienda.settle() == (0, True)

    assert tienda.dump() == before


@pytest.mark.parametrize("spoil", [-1, 1, 2])
def test_a_wrong_number_of_arguments_is_refused(tienda: StockedTienda, spoil: int) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1000})
    names = [tienda.meta, tienda.journal, tienda.loaded, tienda.hold_key(venta_id), tienda.answer_key(venta_id)]
    arguments: list[str | int] = ["stock:", TTL_S, "", 0, 1, str(venta_id), HUELLA, "", "spoil", "spoil"]
    before = tienda.dump()

    with pytest.raises(StockRefused, match="settle: three arguments a sale and a product"):
        scripts.settle(keys=names, arguments=arguments[: 8 + spoil])

    assert tienda.dump() == before


@pytest.mark.parametrize(
    ("saldo", "version"), [("1.5", 2), ("", 2), ("one", 2), (-1, 2), (1000, "two"), (1000, ""), (1000, "1.5")]
)
def test_a_balance_that_is_no_whole_number_is_refused_whole(
    tienda: StockedTienda, saldo: object, version: object
) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1000})
    before = tienda.dump()

    with pytest.raises(StockRefused, match="settle: "):
        scripts.settle(
            keys=[
                *(tienda.meta, tienda.journal, tienda.loaded),
                *(tienda.hold_key(venta_id), tienda.answer_key(venta_id), tienda.stock_key(bread)),
            ],
            arguments=[
                *(tienda.stock_key(bread)[:-36], TTL_S, "", 0, 1),
                *(str(venta_id), HUELLA, "done", str(bread), str(saldo), str(version)),
            ],
        )

    assert tienda.dump() == before


def test_at_the_limit_of_memory_it_settles_and_keeps_no_answers(small_redis: "redis.Redis") -> None:
    tienda = StockedTienda(small_redis)
    tienda.arm()
    bread = tienda.product(saldo=5000)
    first, second = tienda.held({bread: 1000}), tienda.held({bread: 500})
    small_redis.config_set("maxmemory", 1)

    assert tienda.settle(first, answer="done", balances={bread: (4000, 2)}) == (1, True)
    assert not small_redis.exists(tienda.answer_key(first))
    small_redis.config_set("maxmemory", 0)
    tienda.settle(second, answer="done", balances={bread: (3500, 3)})

    assert small_redis.exists(tienda.answer_key(second))
    assert tienda.stock(bread) | {"saldo": "3500", "version": "3", "reservado": "0"} == tienda.stock(bread)
