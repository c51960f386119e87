"""Copies of a failed sale's message that come after a person has decided, or after a cold start."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from blend_pos.tiendas.models import Rol
from cache_stock import keys
from cache_stock.scripts import stock_client
from tests.cache_stock.store import Store
from tests.tiendas.people import hire
from tests.ventas.test_admin import failed_sale, held_sale, write
from tests.ventas.test_failed_sales import stand_still
from ventas import cold_start, failed_sales, persistence, recovery
from ventas.messages import read_sale
from ventas.models import EstadoFalla, MotivoFalla, Venta, VentaFallida


@pytest.fixture
def store(live_db: None) -> Store:
    store = Store()
    store.product(stock="2")
    store.warm()
    return store


@pytest.fixture
def discarded(store: Store) -> VentaFallida:
    """Its goods came back: what it held may be promised to others."""
    failed = failed_sale(store, hire(store.shop, rol=Rol.CAJERO))
    failed_sales.discard(
        failed_id=failed.pk,
        usuario_id=hire(store.shop, rol=Rol.ADMINISTRADOR).pk,
        nota="la devolvió",
        goods_came_back=True,
        now=datetime.now(UTC),
    )
    return failed


def assert_stays_discarded(store: Store, failed: VentaFallida) -> None:
    failed.refresh_from_db()
    assert (failed.estado, failed.motivo, failed.con_reserva) == (EstadoFalla.ABIERTA, MotivoFalla.LAPIDA, False)
    assert not cold_start.failed_holds(store.tienda_id)  # its stock may be promised to another by now
    assert not Venta.objects.filter(tienda=store.tienda_id).exists()
    store.assert_in_step()


def test_no_copy_of_a_discarded_sale_is_written_however_many_come(store: Store, discarded: VentaFallida) -> None:
    for _copy in range(3):
        write(read_sale(discarded.mensaje))

    assert_stays_discarded(store, discarded)


def test_nor_after_one_of_them_was_archived(store: Store, discarded: VentaFallida) -> None:
    sale = read_sale(discarded.mensaje)

    assert recovery.record_failed_sale(sale=sale, error="dead-lettered", now=datetime.now(UTC))
    write(sale)

    assert_stays_discarded(store, discarded)


def test_who_tries_it_again_has_it_written(store: Store, discarded: VentaFallida) -> None:
    write(read_sale(discarded.mensaje))
    assert discarded.venta_id is not None
    stock_client().delete(keys.answer(store.tienda_id, discarded.venta_id))  # Redis has forgotten that it is annulled

    failed_sales.retry(failed_id=discarded.pk, now=datetime.now(UTC))
    write(read_sale(discarded.mensaje))

    discarded.refresh_from_db()
    assert discarded.estado == EstadoFalla.PERSISTIDA
    assert Venta.objects.get(tienda=store.tienda_id).venta_id == discarded.venta_id
    store.assert_in_step()


def test_a_copy_from_before_a_cold_start_does_not_forget_the_hold(store: Store) -> None:
    """The customer has the goods: the next cold start holds them again."""
    failed = failed_sale(store, hire(store.shop, rol=Rol.CAJERO))
    sale = read_sale(failed.mensaje)

    write(replace(sale, epoch=sale.epoch - 1))

    failed.refresh_from_db()
    assert (failed.estado, failed.con_reserva) == (EstadoFalla.ABIERTA, True)
    assert store.journal() == {failed.venta_id: float("inf")}


def test_a_copy_of_a_written_sale_settles_it_with_the_balances_of_now(store: Store) -> None:
    """The settlement was lost: hold and balance are still those from before the sale."""
    sale = held_sale(store, hire(store.shop, rol=Rol.CAJERO))
    persistence.write(sales=[sale], now=datetime.now(UTC))

    write(sale)

    assert not store.journal()
    store.assert_in_step()


def test_a_sale_that_is_discarded_before_it_is_held_again_is_not_tried(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    cajero = hire(store.shop, rol=Rol.CAJERO)
    failed = failed_sale(store, cajero)
    discarded = VentaFallida.objects.filter(pk=failed.pk)
    decision = {"estado": EstadoFalla.DESCARTADA, "resuelta": datetime.now(UTC), "resuelta_por": cajero, "nota": "x"}
    stand_still(monkeypatch, lambda: discarded.update(**decision))

    with pytest.raises(failed_sales.NotOpen):
        failed_sales.retry(failed_id=failed.pk, now=datetime.now(UTC))

    failed.refresh_from_db()
    assert failed.estado == EstadoFalla.DESCARTADA


def test_a_failed_message_from_before_a_cold_start_holds_nothing(store: Store) -> None:
    """It was promised to nobody: the next cold start must not hold for it what others were promised."""
    sale = held_sale(store, hire(store.shop, rol=Rol.CAJERO))

    assert recovery.record_failed_sale(sale=replace(sale, epoch=sale.epoch - 1), error="a test", now=datetime.now(UTC))

    failed = VentaFallida.objects.get(tienda=store.tienda_id)
    assert (failed.motivo, failed.con_reserva) == (MotivoFalla.EPOCA, False)
    assert not cold_start.failed_holds(store.tienda_id)


def test_another_cart_under_a_written_key_holds_nothing_where_it_is_from_before_a_cold_start(store: Store) -> None:
    sale = held_sale(store, hire(store.shop, rol=Rol.CAJERO))
    write(sale)

    write(replace(sale, huella="c" * 64, epoch=sale.epoch - 1))

    failed = VentaFallida.objects.get(tienda=store.tienda_id)
    assert (failed.motivo, failed.con_reserva) == (MotivoFalla.HUELLA, False)


def test_another_cart_under_a_written_key_is_not_published_for_ever(store: Store) -> None:
    """Redis had forgotten the first one, and held the second: it is a failed sale, and the sweep leaves it."""
    cajero = hire(store.shop, rol=Rol.CAJERO)
    first = held_sale(store, cajero)
    write(replace(first, huella="c" * 64))
    assert store.journal()[first.venta_id] < float("inf")

    write(first)

    assert VentaFallida.objects.get(tienda=store.tienda_id).motivo == MotivoFalla.HUELLA
    assert store.journal() == {first.venta_id: float("inf")}
