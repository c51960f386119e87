"""The ledger: append-only whoever asks, versions without a gap, stock never below zero."""

import threading
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction

from blend_pos.tiendas.models import Tienda
from inventario import ledger
from inventario.catalogo import NewProduct, create_products
from inventario.ledger import Movement
from inventario.models import InventoryLedger, Producto
from tests.tiendas.people import open_shop


@pytest.fixture
def tienda(live_db: None) -> Tienda:
    return open_shop().tienda


def create(tienda: Tienda, stock: str = "5") -> UUID:
    producto = uuid4()
    new = NewProduct(id=producto, sku=producto.hex, nombre="Leche", precio=Decimal(10), stock_inicial=Decimal(stock))
    create_products(tienda_id=tienda.pk, products=[new], fecha=datetime.now(UTC))
    return producto


def movement(tienda: Tienda, producto: UUID, delta: str, *, tipo: str = "AJUSTE", **fields: object) -> Movement:
    now = datetime.now(UTC)
    return Movement(producto, tienda.pk, tipo, Decimal(delta), now, **fields)  # type: ignore[arg-type] # the right kind


def record(*movements: Movement) -> list[ledger.StockBalance]:
    with transaction.atomic():
        return ledger.record(movements=movements)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE inventory_ledger SET delta = 1 WHERE producto_id = %s",
        "DELETE FROM inventory_ledger WHERE producto_id = %s",
        "TRUNCATE inventory_ledger -- %s",
        "TRUNCATE productos CASCADE -- %s",
    ],
)
def test_the_database_refuses_to_change_it(tienda: Tienda, statement: str) -> None:
    producto = create(tienda)
    with connection.cursor() as cursor, pytest.raises(IntegrityError, match="append-only"):
        cursor.execute(statement, [producto])
    assert InventoryLedger.objects.filter(producto=producto).count() == 1


def test_saldo_and_version_go_on_from_the_last_movement(tienda: Tienda) -> None:
    producto, other = create(tienda), create(tienda, "1")
    balances = record(
        movement(tienda, producto, "2.5"), movement(tienda, other, "1"), movement(tienda, producto, "-7.125")
    )
    assert {b.producto_id: (b.saldo, b.version) for b in balances} == {
        producto: (Decimal("0.375"), 3),
        other: (Decimal(2), 2),
    }
    rows = InventoryLedger.objects.filter(producto=producto).order_by("version")
    assert [(row.version, row.saldo) for row in rows] == [
        (1, Decimal(5)),
        (2, Decimal("7.5")),
        (3, Decimal("0.375")),
    ]


def test_stock_never_goes_below_zero(tienda: Tienda) -> None:
    producto = create(tienda)
    with pytest.raises(IntegrityError, match="productos_stock_no_negativo"):
        record(movement(tienda, producto, "-5.001"))
    with pytest.raises(IntegrityError, match="ledger_saldo_no_negativo"):  # nor in the middle of a transaction
        record(movement(tienda, producto, "-6"), movement(tienda, producto, "6"))
    assert Producto.objects.get(pk=producto).stock_actual == 5
    assert InventoryLedger.objects.filter(producto=producto).count() == 1


def test_writers_at_once_leave_no_gap(tienda: Tienda) -> None:
    products = sorted(create(tienda, "100") for _ in range(3))

    def work(number: int) -> None:
        try:
            order = products if number % 2 else products[::-1]
            for _ in range(10):
                record(*(movement(tienda, producto, "-1") for producto in order))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for producto in products:
        rows = list(InventoryLedger.objects.filter(producto=producto).order_by("version"))
        assert [row.version for row in rows] == list(range(1, 62))
        assert rows[-1].saldo == Producto.objects.get(pk=producto).stock_actual == 40


def test_an_operation_moves_a_product_once(tienda: Tienda) -> None:
    producto, operacion = create(tienda), uuid4()
    record(movement(tienda, producto, "1", operacion=operacion))
    with pytest.raises(IntegrityError, match="ledger_producto_operacion_unica"):
        record(movement(tienda, producto, "1", operacion=operacion))
    assert Producto.objects.get(pk=producto).stock_actual == 6


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"tipo": "REGALO"}, "ledger_tipo_conocido"),
        ({"tipo": "VENTA"}, "ledger_venta_con_su_linea"),
    ],
)
def test_constraints_by_name(tienda: Tienda, fields: dict[str, str], constraint: str) -> None:
    producto = create(tienda)
    with pytest.raises(IntegrityError, match=constraint):
        record(movement(tienda, producto, "-1", **fields))


def test_a_version_is_given_once(tienda: Tienda) -> None:
    producto = create(tienda)
    with pytest.raises(IntegrityError, match="ledger_producto_version_unica"):
        InventoryLedger.objects.create(
            producto_id=producto, fecha=datetime.now(UTC), tipo="AJUSTE", delta=0, saldo=5, version=1
        )


def test_another_tiendas_product_is_unknown(tienda: Tienda) -> None:
    producto = create(open_shop().tienda)
    with pytest.raises(ledger.UnknownProduct):
        record(movement(tienda, producto, "1"))


def test_stock_moves_only_in_a_transaction(tienda: Tienda) -> None:
    with pytest.raises(ledger.NoTransaction):
        ledger.record(movements=[movement(tienda, create(tienda), "1")])


def test_a_product_with_history_is_not_deleted(tienda: Tienda) -> None:
    producto = create(tienda)
    with connection.cursor() as cursor, pytest.raises(DatabaseError):
        cursor.execute("DELETE FROM productos WHERE id = %s; COMMIT", [producto])
    connection.close()
    assert Producto.objects.filter(pk=producto).exists()
