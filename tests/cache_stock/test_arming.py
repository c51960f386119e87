"""The cold start's steps: what each refuses, and that nothing committed meanwhile is lost."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from blend_pos.tiendas.locks import read_timeline
from blend_pos.tiendas.models import Tienda
from cache_stock import arming, intake, keys, reservation, rows, scripts, warmup
from inventario.catalogo import ProductChange, change_product
from inventario.models import TipoMovimiento
from tests.cache_stock.store import HUELLA, Store, now_ms

LEASE_MS = 5_000


def claim(store: Store, token: str = "first") -> arming.Claim | None:
    return arming.claim(tienda_id=store.tienda_id, token=token, now_ms=now_ms(), lease_ms=LEASE_MS)


def must_claim(store: Store, token: str = "first") -> arming.Claim:
    claimed = claim(store, token)
    assert claimed is not None
    return claimed


def load(
    store: Store, claimed: arming.Claim, seen_epoch: int = 1, **callbacks: Callable[[UUID], Iterable[object]]
) -> bool:
    done = arming.load_and_arm(claim=claimed, seen_epoch=seen_epoch, now_ms=now_ms(), **callbacks)  # type: ignore[arg-type] # each test gives the right kind
    return done is not None


def test_a_lost_redis_is_loaded_anew(store: Store) -> None:
    producto, other = store.product(stock="7"), store.product(stock="2")
    store.warm()
    store.hold({producto: 3000})
    scripts.stock_client().hset(keys.stock(store.tienda_id, other), mapping={"saldo": 999_000, "version": 40})
    store.disarm()

    assert load(store, must_claim(store))

    assert (store.armed(), store.epoch(), store.meta()["epoch"]) == (True, 2, "2")
    assert (store.meta()["timeline"], store.journal()) == (read_timeline(), {})
    assert (store.available(producto), store.available(other)) == (7000, 2000)
    assert store.warmed_at() is not None
    store.assert_in_step()


@pytest.mark.parametrize("restored", [False, True])
def test_what_another_postgresql_answered_for_is_forgotten(restored: bool, store: Store) -> None:
    """A sale of after the backup was restored is nowhere: who asks again for it must not hear that it is written."""
    store.product(stock="7")
    store.warm()
    kept = keys.answer(store.tienda_id, uuid4())
    scripts.stock_client().set(kept, f"{HUELLA} written")
    if restored:
        scripts.stock_client().hset(keys.meta(store.tienda_id), "timeline", "another")
    store.disarm()

    assert load(store, must_claim(store))

    assert bool(scripts.exists(keys=[kept])) is not restored


def test_an_armed_tienda_cannot_be_claimed(store: Store) -> None:
    store.warm()
    assert claim(store) is None


def test_a_claim_keeps_others_out_until_its_lease_ends(store: Store) -> None:
    store.warm()
    store.disarm()
    assert claim(store, "first") is not None
    assert claim(store, "second") is None
    assert claim(store, "first") is not None
    later = now_ms() + LEASE_MS + 1000
    assert arming.claim(tienda_id=store.tienda_id, token="second", now_ms=later, lease_ms=LEASE_MS) is not None


def test_of_two_cold_starts_the_one_without_the_claim_stops(store: Store) -> None:
    producto = store.product(stock="7")
    store.warm()
    store.disarm()
    first = must_claim(store)
    later = now_ms() + LEASE_MS + 1000
    second = arming.claim(tienda_id=store.tienda_id, token="second", now_ms=later, lease_ms=LEASE_MS)
    assert second is not None

    assert not load(store, first)
    assert (store.armed(), store.epoch()) == (False, 1)
    assert load(store, second)
    assert (store.armed(), store.epoch(), store.available(producto)) == (True, 2, 7000)


def test_a_claim_that_is_lost_in_the_middle_arms_nothing(store: Store) -> None:
    producto = store.product(stock="7")
    store.warm()
    store.disarm()
    taken: list[arming.Claim | None] = []

    def overtaken(tienda_id: UUID) -> list[arming.FailedHold]:
        later = now_ms() + LEASE_MS + 1000
        taken.append(arming.claim(tienda_id=tienda_id, token="second", now_ms=later, lease_ms=LEASE_MS))
        return []

    assert not load(store, must_claim(store), failed_holds=overtaken)
    assert (store.armed(), store.epoch()) == (False, 2)
    assert taken[0] is not None
    assert not load(store, taken[0], seen_epoch=1)  # the epoch it saw is over: it may not raise it again
    assert load(store, taken[0], seen_epoch=2)
    assert (store.epoch(), store.available(producto)) == (3, 7000)


def test_another_server_than_the_claim_saw_is_not_armed(store: Store) -> None:
    store.product()
    store.warm()
    store.disarm()
    seen = must_claim(store)
    elsewhere = arming.Claim(seen.tienda_id, seen.token, "0" * 40, seen.master_replid, seen.lease_ms)
    assert not load(store, elsewhere)
    assert (store.armed(), store.epoch()) == (False, 1)


@pytest.mark.parametrize("step", ["clear", "load", "rehold", "arm"])
def test_every_script_refuses_a_token_that_was_taken(store: Store, step: str) -> None:
    producto = store.product()
    store.warm()
    store.disarm()
    mine = must_claim(store)
    scripts.stock_client().hset(keys.meta(store.tienda_id), "token", "another")
    meta, journal, loaded = keys.meta(store.tienda_id), keys.journal(store.tienda_id), keys.loaded(store.tienda_id)
    prefix = keys.stock_prefix(store.tienda_id)
    before = store.in_redis(producto)
    if step == "clear":
        arguments: list[str | int] = [*mine.arguments, prefix, keys.hold_prefix(store.tienda_id), 100]
        assert scripts.clear(keys=[meta, journal, loaded], arguments=arguments) == -1
    elif step == "load":
        arguments = [*mine.arguments, now_ms(), str(producto), 1, 9, 1, 1, 1, 9]
        assert not scripts.load(keys=[meta, loaded, prefix + str(producto)], arguments=arguments)
    elif step == "rehold":
        sale = uuid4()
        arguments = [*mine.arguments, prefix, str(sale), HUELLA, 2, now_ms(), "{}", f"{producto} 1 1 1 1;"]
        assert not scripts.rehold(keys=[meta, journal, keys.hold(store.tienda_id, sale)], arguments=arguments)
    else:
        assert not scripts.arm(keys=[meta], arguments=[*mine.arguments, 2, ""])
    assert (store.armed(), store.in_redis(producto), store.journal()) == (False, before, {})


def test_failed_sales_hold_again_and_answers_are_known_again(store: Store) -> None:
    producto = store.product(stock="2")
    store.warm()
    store.disarm()
    failed, written = uuid4(), uuid4()
    asked: list[tuple[str, bool]] = []

    def failed_holds(tienda_id: UUID) -> list[arming.FailedHold]:
        asked.append(("holds", connection.in_atomic_block))
        return [arming.FailedHold(failed, HUELLA, '{"a": 1}', f"{producto} 3000 1000 1600 1;")]

    def answers(tienda_id: UUID) -> list[reservation.SettledSale]:
        asked.append(("answers", connection.in_atomic_block))
        return [reservation.SettledSale(written, "b" * 64, "written")]

    assert load(store, must_claim(store), failed_holds=failed_holds, answers=answers)

    assert asked == [("holds", True), ("answers", False)]
    assert store.journal() == {failed: float("inf")}
    assert store.available(producto) == -1000
    hold = reservation.find_hold(tienda_id=store.tienda_id, venta_id=failed)
    assert hold is not None
    assert (hold.epoch, hold.pedido, hold.products[0].cantidad_milli) == (2, '{"a": 1}', 3000)
    key = keys.answer(store.tienda_id, written)
    assert scripts.stock_client().get(key) == "b" * 64 + " written"
    assert 0 < scripts.stock_client().ttl(key) <= 48 * 3600


def test_more_of_everything_than_one_call_takes(store: Store) -> None:
    products = store.products(rows.PRODUCTS_A_CALL + 1, stock="3")
    store.warm()
    for producto in products[: arming.MEMBERS_A_CALL // 100]:
        store.hold({producto: 1000})
    store.disarm()

    def answers(tienda_id: UUID) -> Iterable[reservation.SettledSale]:
        return (reservation.SettledSale(uuid4(), HUELLA, "x") for _ in range(rows.PRODUCTS_A_CALL + 1))

    assert load(store, must_claim(store), answers=answers)
    assert (store.journal(), store.available(products[0]), store.available(products[-1])) == ({}, 3000, 3000)


def test_it_is_rolled_back_whole_where_the_callback_fails(store: Store) -> None:
    producto = store.product()
    store.warm()
    store.disarm()

    def fails(tienda_id: UUID) -> list[arming.FailedHold]:
        raise ZeroDivisionError

    before = store.in_redis(producto)
    with pytest.raises(ZeroDivisionError):
        load(store, must_claim(store), failed_holds=fails)
    assert (store.epoch(), store.armed(), store.in_redis(producto)) == (1, False, before)


def test_a_price_changed_while_nothing_was_armed_is_carried_after(store: Store) -> None:
    producto = store.product(precio="10.00")
    store.warm()
    store.disarm()

    def meanwhile(tienda_id: UUID) -> list[reservation.SettledSale]:
        change_product(producto_id=producto, change=ProductChange(precio=Decimal("11.00")))
        with pytest.raises(warmup.ColdStartNeeded):
            warmup.warm_products(productos=[producto], now_ms=now_ms())
        return []

    assert load(store, must_claim(store), answers=meanwhile)
    assert store.in_redis(producto)["precio"] == "1100"


def test_stock_received_while_nothing_was_armed_is_carried_after(store: Store) -> None:
    producto = store.product(stock="10")
    store.warm()
    store.disarm()

    def meanwhile(tienda_id: UUID) -> list[reservation.SettledSale]:
        intake.receive_stock(operation=store.operation({producto: 5000}, tipo=TipoMovimiento.COMPRA))
        return []

    assert load(store, must_claim(store), answers=meanwhile)
    assert store.available(producto) == 15_000
    store.assert_in_step()


def test_an_epoch_that_another_raised_is_not_raised_again(store: Store) -> None:
    store.warm()
    store.disarm()
    Tienda.objects.filter(pk=store.tienda_id).update(epoch=5)
    assert not load(store, must_claim(store), seen_epoch=1)
    assert (store.epoch(), store.armed()) == (5, False)


def test_it_needs_a_transaction_of_its_own(store: Store) -> None:
    store.warm()
    store.disarm()
    claimed = must_claim(store)
    with transaction.atomic(), pytest.raises(RuntimeError):
        load(store, claimed)
    assert store.epoch() == 1


def test_only_a_tienda_never_armed_is_armed_without_a_drain(store: Store) -> None:
    producto = store.product(stock="4")
    armed = arming.arm_new(tienda_id=store.tienda_id)
    assert armed == arming.Armed(epoch=1, products=1, active=1)
    assert arming.arm_new(tienda_id=store.tienda_id) is None
    store.disarm()
    assert arming.arm_new(tienda_id=store.tienda_id) is None
    assert (store.armed(), store.epoch(), store.in_redis(producto)["saldo"]) == (False, 1, "4000")
