"""Stock that comes in and goes out: once, never below zero, and completed where a process died in between."""

import threading
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, connections, transaction

from cache_stock import intake, keys, operations, reservation, scripts
from cache_stock.operations import Operation
from inventario import ledger
from inventario.models import InventoryLedger, Producto, TipoMovimiento
from scripts.services import Services
from tests.cache_stock.store import SWEEP_AFTER_MS, Store, now_ms


@pytest.fixture
def producto(store: Store) -> UUID:
    producto = store.product(stock="10")
    store.warm()
    return producto


def movements(producto: UUID) -> list[tuple[str, str]]:
    rows = InventoryLedger.objects.filter(producto=producto).order_by("version")
    return [(row.tipo, str(row.delta)) for row in rows]


def lower(operation: Operation) -> list[ledger.StockBalance]:
    return intake.lower_stock(operation=operation, now_ms=now_ms())


def overdue(store: Store) -> list[reservation.LiveHold]:
    return reservation.claim_overdue(
        tienda_id=store.tienda_id,
        now_ms=now_ms() + 20 * SWEEP_AFTER_MS,
        first_pause_ms=1,
        longest_pause_ms=1,
        most=10,
    )


def test_a_purchase_is_written_and_sells_at_once(store: Store, producto: UUID) -> None:
    operation = store.operation({producto: 2500}, tipo=TipoMovimiento.COMPRA, motivo="factura 7")
    (balance,) = intake.receive_stock(operation=operation)
    assert (str(balance.saldo), balance.version) == ("12.500", 2)
    assert movements(producto) == [("INICIAL", "10.000"), ("COMPRA", "2.500")]
    row = InventoryLedger.objects.get(producto=producto, tipo="COMPRA")
    assert (row.motivo, row.operacion, row.saldo) == ("factura 7", operation.operacion, balance.saldo)
    store.assert_in_step()


def test_the_same_purchase_twice_is_one(store: Store, producto: UUID) -> None:
    operation = store.operation({producto: 2500}, tipo=TipoMovimiento.COMPRA)
    first = intake.receive_stock(operation=operation)
    assert intake.receive_stock(operation=operation) == first
    assert len(movements(producto)) == 2
    store.assert_in_step()


def test_ten_at_once_with_one_key_are_one(store: Store, producto: UUID) -> None:
    operation = store.operation({producto: 1000})
    outcomes: list[list[ledger.StockBalance]] = []

    def act() -> None:
        try:
            outcomes.append(lower(operation))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=act) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 10
    assert movements(producto) == [("INICIAL", "10.000"), ("AJUSTE", "-1.000")]
    store.assert_in_step()


def test_nothing_reaches_redis_where_the_transaction_is_rolled_back(store: Store, producto: UUID) -> None:
    with transaction.atomic():
        intake.receive_stock(operation=store.operation({producto: 2500}, tipo=TipoMovimiento.COMPRA))
        transaction.set_rollback(True)
    assert (len(movements(producto)), store.available(producto)) == (1, 10_000)


def test_what_goes_out_is_held_first(store: Store, producto: UUID) -> None:
    store.hold({producto: 9000})
    with pytest.raises(intake.NotEnough) as refusal:
        lower(store.operation({producto: 2000}))
    assert "1.000" in str(refusal.value)  # as Mexico writes it
    (short,) = refusal.value.detalles["productos"]
    assert (short["producto_id"], str(short["solicitado"]), str(short["disponible"])) == (
        str(producto),
        "2.000",
        "1.000",
    )
    assert (len(movements(producto)), len(store.journal()), store.available(producto)) == (1, 1, 1000)

    (balance,) = lower(store.operation({producto: 1000}))
    assert (str(balance.saldo), store.available(producto), len(store.journal())) == ("9.000", 0, 1)


def test_a_return_to_the_supplier_of_an_inactive_product(store: Store) -> None:
    producto = store.product(stock="3", is_active=False)
    store.warm()
    lower(store.operation({producto: 3000}, tipo=TipoMovimiento.DEVOLUCION, motivo=""))
    assert movements(producto) == [("INICIAL", "3.000"), ("DEVOLUCION", "-3.000")]
    store.assert_in_step()


def test_an_adjustment_twice_is_one_even_where_little_is_left(store: Store, producto: UUID) -> None:
    operation = store.operation({producto: 9000})
    first = lower(operation)
    assert lower(operation) == first
    assert len(movements(producto)) == 2
    store.assert_in_step()


def test_a_key_of_another_operation_moves_nothing(store: Store, producto: UUID) -> None:
    operation = store.operation({producto: 1000})
    lower(operation)
    other = store.operation({producto: 2000}, operacion=operation.operacion)
    with pytest.raises(intake.OperationConflict):
        lower(other)
    with pytest.raises(intake.OperationConflict):
        intake.receive_stock(operation=other)
    assert len(movements(producto)) == 2
    store.assert_in_step()


def test_a_key_that_a_sale_holds_moves_nothing(store: Store, producto: UUID) -> None:
    sale = uuid4()
    store.hold({producto: 1000}, venta_id=sale)
    with pytest.raises(intake.OperationConflict):
        lower(store.operation({producto: 1000}, operacion=sale))
    assert (len(movements(producto)), store.available(producto)) == (1, 9000)


def test_another_tiendas_product_is_unknown(store: Store, producto: UUID) -> None:
    theirs = Store()
    others = theirs.product()
    theirs.warm()
    with pytest.raises(ledger.UnknownProduct):
        lower(store.operation({producto: 1000, others: 1000}))
    with pytest.raises(ledger.UnknownProduct):
        intake.receive_stock(operation=store.operation({producto: 1000, others: 1000}))
    assert store.available(producto) == theirs.available(others) == 10_000
    store.assert_in_step()
    theirs.assert_in_step()


@pytest.mark.parametrize(
    ("quantities", "fields"),
    [
        ({}, {}),
        ({uuid4(): 0}, {}),
        ({uuid4(): -1}, {}),
        ({uuid4(): 10**14}, {}),
        ({uuid4(): 1}, {"motivo": "  "}),
        ({uuid4(): 1}, {"motivo": "x" * 201}),
        ({uuid4(): 1}, {"tipo": TipoMovimiento.VENTA}),
        ({uuid4(): 1}, {"tipo": TipoMovimiento.INICIAL}),
    ],
)
def test_operations_that_make_no_sense(store: Store, quantities: dict[UUID, int], fields: dict[str, str]) -> None:
    operation = store.operation(quantities, **fields)
    with pytest.raises(operations.InvalidOperation):
        intake.receive_stock(operation=operation)
    with pytest.raises(operations.InvalidOperation):
        lower(operation)


def test_a_purchase_does_not_go_out(store: Store, producto: UUID) -> None:
    with pytest.raises(operations.InvalidOperation):
        lower(store.operation({producto: 1000}, tipo=TipoMovimiento.COMPRA))


def test_a_product_that_is_cold_is_warmed(store: Store, producto: UUID) -> None:
    fresh = store.product(stock="5")
    lower(store.operation({fresh: 1000}))
    assert store.available(fresh) == 4000


def test_redis_not_armed_moves_nothing(store: Store, producto: UUID) -> None:
    store.disarm()
    with pytest.raises(intake.StockAway):
        lower(store.operation({producto: 1000}))
    assert len(movements(producto)) == 1


def died_after_the_hold(store: Store, operation: Operation) -> None:
    """What a process leaves that died between the hold and the transaction."""
    held = intake._reserve(operation, "nonce", now_ms())
    assert isinstance(held, reservation.Hold)


def test_the_sweep_completes_what_died_after_the_hold(store: Store, producto: UUID) -> None:
    operation = store.operation({producto: 4000}, motivo="merma")
    died_after_the_hold(store, operation)
    assert store.available(producto) == 6000

    (hold,) = overdue(store)
    assert intake.is_adjustment(hold)
    assert intake.finish_adjustment(hold=hold)
    assert intake.finish_adjustment(hold=hold)  # twice: the sweep may have been slow

    assert movements(producto) == [("INICIAL", "10.000"), ("AJUSTE", "-4.000")]
    row = InventoryLedger.objects.get(producto=producto, tipo="AJUSTE")
    assert (row.motivo, row.operacion) == ("merma", operation.operacion)
    assert abs(row.fecha - operation.fecha) < timedelta(milliseconds=1)
    store.assert_in_step()


def test_the_sweep_completes_what_died_after_the_commit(store: Store, producto: UUID) -> None:
    operation = store.operation({producto: 4000})
    died_after_the_hold(store, operation)
    intake._write(operation, sign=-1, epoch=store.epoch())
    assert store.in_redis(producto)["reservado"] == "4000"

    (hold,) = overdue(store)
    assert intake.finish_adjustment(hold=hold)
    assert len(movements(producto)) == 2
    store.assert_in_step()


def test_asking_again_settles_what_died_after_the_commit(store: Store, producto: UUID) -> None:
    operation = store.operation({producto: 4000})
    died_after_the_hold(store, operation)
    intake._write(operation, sign=-1, epoch=store.epoch())
    lower(operation)
    store.assert_in_step()


def test_a_hold_from_before_a_cold_start_writes_nothing(store: Store, producto: UUID) -> None:
    operation = store.operation({producto: 4000})
    died_after_the_hold(store, operation)
    (hold,) = overdue(store)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tiendas SET epoch = epoch + 1 WHERE id = %s", [store.tienda_id])
    assert not intake.finish_adjustment(hold=hold)
    with pytest.raises(intake.StockAway):
        lower(operation)
    assert len(movements(producto)) == 1


def test_what_is_held_under_the_key_of_another_operation_is_given_back(store: Store, producto: UUID) -> None:
    """Whoever held it died before it gave that back; the ledger only grows, so it will never be written."""
    operation = store.operation({producto: 4000})
    died_after_the_hold(store, operation)
    (hold,) = overdue(store)
    intake._write(store.operation({producto: 3000}, operacion=operation.operacion), sign=-1, epoch=store.epoch())

    assert not intake.finish_adjustment(hold=hold)

    assert movements(producto) == [("INICIAL", "10.000"), ("AJUSTE", "-3.000")]
    assert store.journal() == {}
    store.assert_in_step()


def test_a_sale_is_no_adjustment(store: Store, producto: UUID) -> None:
    store.hold({producto: 1000}, pedido='{"pago": "AJUSTE", "lineas": []}')
    (hold,) = overdue(store)
    assert not intake.is_adjustment(hold)


def test_a_failed_write_gives_the_hold_back(store: Store, producto: UUID) -> None:
    # Redis believes in stock that PostgreSQL does not have: the constraint has the last word.
    scripts.stock_client().hset(keys.stock(store.tienda_id, producto), "saldo", 99_000)
    with pytest.raises(IntegrityError):
        lower(store.operation({producto: 11_000}))
    assert (store.journal(), store.in_redis(producto)["reservado"], len(movements(producto))) == ({}, "0", 1)
    assert Producto.objects.get(pk=producto).stock_actual == 10


def test_postgresql_away_is_no_loss(store: Store, producto: UUID, services: Services) -> None:
    operation = store.operation({producto: 4000})
    died_after_the_hold(store, operation)
    services.postgres.stop()
    with pytest.raises(intake.OutcomeUnknown):
        intake._complete(operation, epoch=1, nonce="nonce")
    services.postgres.start()
    connections.close_all()

    assert store.available(producto) == 6000
    (hold,) = overdue(store)
    assert intake.finish_adjustment(hold=hold)
    store.assert_in_step()
