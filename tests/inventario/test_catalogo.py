"""Products: created with their first movement, priced under their row's lock, and told of once changed."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, connections, transaction

from blend_pos.tiendas.models import Tienda
from inventario import catalogo, ledger, selectors
from inventario.catalogo import NewProduct, ProductChange, change_product, create_products
from inventario.models import InventoryLedger, Producto
from inventario.selectors import Since, changed_products, search_products
from tests.polling import wait_until
from tests.tiendas.people import hire, open_shop
from ventas.models import Venta

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def tienda(live_db: None) -> Tienda:
    return open_shop().tienda


def new_product(*, nombre: str = "Leche", precio: str = "10.00", stock: str = "5", **fields: object) -> NewProduct:
    producto = uuid4()
    values: dict[str, object] = {"id": producto, "sku": f"SKU-{producto.hex[:8]}", "nombre": nombre}
    values |= {"precio": Decimal(precio), "stock_inicial": Decimal(stock)}
    return NewProduct(**values | fields)  # type: ignore[arg-type] # each test gives the right kind


def create(tienda: Tienda, *products: NewProduct) -> list[UUID]:
    create_products(tienda_id=tienda.pk, products=products, fecha=datetime.now(UTC))
    return [product.id for product in products]


def test_each_has_its_first_movement(tienda: Tienda) -> None:
    stocked, empty = create(tienda, new_product(stock="1.500"), new_product(stock="0"))
    rows = InventoryLedger.objects.filter(producto__tienda=tienda).order_by("producto__stock_actual")
    assert [(row.producto_id, row.tipo, str(row.delta), str(row.saldo), row.version) for row in rows] == [
        (empty, "INICIAL", "0.000", "0.000", 1),
        (stocked, "INICIAL", "1.500", "1.500", 1),
    ]
    producto = Producto.objects.get(pk=stocked)
    assert (str(producto.stock_actual), producto.version, producto.catalogo_version) == ("1.500", 1, 1)


def test_all_or_none(tienda: Tienda) -> None:
    first = new_product()
    with pytest.raises(IntegrityError, match="productos_tienda_sku_unico"):
        create(tienda, new_product(), first, new_product(sku=first.sku))
    assert not Producto.objects.filter(tienda=tienda).exists()
    assert not InventoryLedger.objects.filter(producto__tienda=tienda).exists()


def test_more_than_one_statement_takes(tienda: Tienda) -> None:
    products = [new_product() for _ in range(catalogo.ROWS_A_STATEMENT + 1)]
    create(tienda, *products)
    assert Producto.objects.filter(tienda=tienda, version=1).count() == len(products)


def test_an_unknown_tienda(live_db: None) -> None:
    with pytest.raises(catalogo.UnknownTienda):
        create_products(tienda_id=uuid4(), products=[new_product()], fecha=datetime.now(UTC))


@pytest.mark.parametrize(
    ("change", "raised"),
    [
        (ProductChange(precio=Decimal("10.01")), 1),
        (ProductChange(impuesto=Decimal("8.00")), 1),
        (ProductChange(is_active=False), 1),
        (ProductChange(precio=Decimal("11"), impuesto=Decimal(0), is_active=False), 1),
        (ProductChange(nombre="Leche entera", sku="otro", codigo_barras="750", unidad="KG"), 0),
    ],
)
def test_a_change_raises_the_catalogue_version_once(tienda: Tienda, change: ProductChange, raised: int) -> None:
    (producto,) = create(tienda, new_product())
    before = Producto.objects.get(pk=producto)
    assert change_product(producto_id=producto, change=change)
    after = Producto.objects.get(pk=producto)
    assert after.catalogo_version == 1 + raised
    assert after.actualizado > before.actualizado
    assert (after.stock_actual, after.version) == (before.stock_actual, before.version)
    assert not change_product(producto_id=producto, change=change)
    unchanged = Producto.objects.get(pk=producto)
    assert (unchanged.catalogo_version, unchanged.actualizado) == (after.catalogo_version, after.actualizado)


def test_a_price_is_compared_as_it_is_kept(tienda: Tienda) -> None:
    (producto,) = create(tienda, new_product(precio="10.00"))
    assert not change_product(producto_id=producto, change=ProductChange(precio=Decimal("10.0000")))
    assert not change_product(producto_id=producto, change=ProductChange(precio=Decimal("10.001")))


def test_changes_at_once_are_all_counted(tienda: Tienda) -> None:
    (producto,) = create(tienda, new_product(precio="1.00"))

    def price(number: int) -> None:
        try:
            change_product(producto_id=producto, change=ProductChange(precio=Decimal(number)))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=price, args=(number,)) for number in range(2, 22)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Producto.objects.get(pk=producto).catalogo_version == 21


def test_two_who_change_different_things_at_once_keep_both(tienda: Tienda) -> None:
    (producto,) = create(tienda, new_product(nombre="Leche", precio="1.00"))
    priced, waiting = threading.Event(), threading.Event()

    def price() -> None:
        try:
            with transaction.atomic():
                change_product(producto_id=producto, change=ProductChange(precio=Decimal(2)))
                priced.set()
                assert waiting.wait(10)
        finally:
            connections.close_all()

    def rename() -> None:
        try:
            assert priced.wait(10)
            change_product(producto_id=producto, change=ProductChange(nombre="Leche entera"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=price), threading.Thread(target=rename)]
    for thread in threads:
        thread.start()
    wait_until(somebody_waits_for_a_lock, timeout_s=10, what="the second one waits for the row")
    waiting.set()
    for thread in threads:
        thread.join()
    found = Producto.objects.get(pk=producto)
    assert (found.nombre, found.precio, found.catalogo_version) == ("Leche entera", Decimal(2), 2)


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return bool(cursor.fetchone()[0])


def test_an_unknown_product(live_db: None) -> None:
    with pytest.raises(ledger.UnknownProduct):
        change_product(producto_id=uuid4(), change=ProductChange(precio=Decimal(1)))


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        (ProductChange(precio=Decimal("-0.01")), "productos_precio_no_negativo"),
        (ProductChange(impuesto=Decimal("100.01")), "productos_impuesto_porcentaje"),
        (ProductChange(impuesto=Decimal("-1")), "productos_impuesto_porcentaje"),
        (ProductChange(unidad="LITRO"), "productos_unidad_conocida"),
    ],
)
def test_constraints_by_name(tienda: Tienda, change: ProductChange, constraint: str) -> None:
    (producto,) = create(tienda, new_product())
    with pytest.raises(IntegrityError, match=constraint):
        change_product(producto_id=producto, change=change)


def test_barcodes_are_unique_in_a_tienda_where_there_is_one(tienda: Tienda) -> None:
    create(tienda, new_product(codigo_barras="750"), new_product(), new_product())
    create(open_shop().tienda, new_product(codigo_barras="750"))
    with pytest.raises(IntegrityError, match="productos_tienda_codigo_barras_unico"):
        create(tienda, new_product(codigo_barras="750"))


# --- what changed since


def changed(tienda: Tienda, since: Since, most: int = 100) -> tuple[set[UUID], Since, bool]:
    changes = changed_products(tienda_id=tienda.pk, since=since, most=most)
    return {product.pk for product in changes.products}, changes.since, changes.more


def test_pages_of_changes_are_whole(tienda: Tienda) -> None:
    products = create(tienda, *(new_product() for _ in range(7)))  # one statement, one moment: only the id parts them
    create(open_shop().tienda, new_product())
    seen: list[UUID] = []
    since, more = Since(LONG_AGO), True
    while more:
        page = changed_products(tienda_id=tienda.pk, since=since, most=3)
        seen += [product.pk for product in page.products]
        since, more = page.since, page.more
    assert sorted(seen) == sorted(products)


def test_a_whole_number_of_pages(tienda: Tienda) -> None:
    products = create(tienda, new_product(), new_product())
    assert changed(tienda, Since(LONG_AGO), most=2)[::2] == (set(products), False)


def test_what_changes_while_the_pages_are_read_comes_too(tienda: Tienda) -> None:
    products = create(tienda, *(new_product() for _ in range(4)))
    first, since, more = changed(tienda, Since(LONG_AGO), most=2)
    assert more
    moved = next(iter(first))
    change_product(producto_id=moved, change=ProductChange(precio=Decimal(99)))
    rest, since, more = changed(tienda, since, most=10)
    assert not more
    assert first | rest == set(products)
    assert moved in rest


@pytest.fixture
def other_connection(live_db: None) -> Iterator[None]:
    """Runs the test's own connection beside the threads'."""
    yield
    connections.close_all()


@pytest.mark.usefixtures("other_connection")
def test_a_row_that_commits_late_is_not_missed(tienda: Tienda, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "OVERLAP", timedelta(0))  # the guard alone, without its safety margin
    (producto, *_rest) = create(tienda, new_product(), new_product())
    written, asked = threading.Event(), threading.Event()

    def change_slowly() -> None:
        try:
            with transaction.atomic():
                change_product(producto_id=producto, change=ProductChange(precio=Decimal(77)))
                written.set()
                assert asked.wait(10)
        finally:
            connections.close_all()

    slow = threading.Thread(target=change_slowly)
    slow.start()
    assert written.wait(10)
    before, since, more = changed(tienda, Since(LONG_AGO))
    assert (producto in before, more) == (True, False)  # as it was
    asked.set()
    slow.join()

    after, _since, _more = changed(tienda, since)
    assert producto in after


@pytest.mark.usefixtures("other_connection")
def test_a_row_that_commits_between_two_pages_is_not_missed(tienda: Tienda, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "OVERLAP", timedelta(0))
    (late,) = create(tienda, new_product())
    others = create(tienda, *(new_product() for _ in range(5)))
    written, asked = threading.Event(), threading.Event()

    def change_slowly() -> None:
        try:
            with transaction.atomic():
                change_product(producto_id=late, change=ProductChange(precio=Decimal(77)))
                written.set()
                assert asked.wait(10)
        finally:
            connections.close_all()

    slow = threading.Thread(target=change_slowly)
    slow.start()
    assert written.wait(10)
    for other in others:
        change_product(producto_id=other, change=ProductChange(precio=Decimal(88)))
    first, since, _more = changed(tienda, Since(LONG_AGO), most=2)
    assert late in first  # as it was; the page ends behind the moment of its change
    asked.set()
    slow.join()
    rest: set[UUID] = set()
    more = True
    while more:
        page, since, more = changed(tienda, since, most=2)
        rest |= page
    assert late not in rest

    assert late in changed(tienda, since)[0]


def test_a_reader_that_is_slow_holds_nothing_back(tienda: Tienda) -> None:
    create(tienda, new_product())
    began, done = threading.Event(), threading.Event()
    start: list[datetime] = []

    def read_slowly() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT now()")
                start.append(cursor.fetchone()[0])
                began.set()
                assert done.wait(10)
        finally:
            connections.close_all()

    reader = threading.Thread(target=read_slowly)
    reader.start()
    assert began.wait(10)
    settled = selectors.settled_until()
    done.set()
    reader.join()
    assert settled > start[0]


def test_sales_are_no_changes_and_purchases_are(live_db: None) -> None:
    shop = open_shop()
    sold, bought = create(shop.tienda, new_product(), new_product())
    now = datetime.now(UTC)
    venta = Venta.objects.create(
        tienda=shop.tienda,
        venta_id=uuid4(),
        huella="a" * 64,
        fecha=now,
        total=10,
        metodo_pago="EFECTIVO",
        cajero=hire(shop),
        terminal=shop.terminal,
        recibo=1,
        epoch=1,
        persistida=now,
    )
    before = {product.pk: product.actualizado for product in Producto.objects.filter(tienda=shop.tienda)}
    with transaction.atomic():
        ledger.record(
            movements=[
                ledger.Movement(sold, shop.tienda.pk, "VENTA", Decimal(-1), now, venta=venta.pk, linea=1),
                ledger.Movement(bought, shop.tienda.pk, "COMPRA", Decimal(1), now, operacion=uuid4()),
            ]
        )
    after = {product.pk: product.actualizado for product in Producto.objects.filter(tienda=shop.tienda)}
    assert after[sold] == before[sold]
    assert after[bought] > before[bought]


# --- the search


def names(tienda: Tienda, text: str) -> list[str]:
    return [product.nombre for product in search_products(tienda_id=tienda.pk, text=text)]


def test_search_by_every_word_without_accents(tienda: Tienda) -> None:
    create(
        tienda,
        new_product(nombre="Jabón de tocador"),
        new_product(nombre="Jabón líquido", sku="JL-1"),
        new_product(nombre="Piña en lata"),
        new_product(nombre="Jabón retirado", is_active=False),
    )
    create(open_shop().tienda, new_product(nombre="Jabón ajeno"))
    assert names(tienda, "jabon") == ["Jabón de tocador", "Jabón líquido"]
    assert names(tienda, "TOCADOR jab") == ["Jabón de tocador"]
    assert names(tienda, "PIÑA") == names(tienda, "pina") == ["Piña en lata"]
    assert names(tienda, "jl-") == ["Jabón líquido"]
    assert names(tienda, "jabon piña") == []
    assert len(names(tienda, "  ")) == 3


def test_the_very_barcode_comes_first(tienda: Tienda) -> None:
    create(
        tienda,
        new_product(nombre="A 7501", sku="x1"),
        new_product(nombre="B", codigo_barras="75012"),
        new_product(nombre="C", codigo_barras="7501"),
        new_product(nombre="D", sku="7501"),
    )
    assert names(tienda, "7501") == ["C", "D", "A 7501", "B"]


@pytest.mark.parametrize("text", ["%", "_", "\\", "' OR 1=1 --"])
def test_wildcards_are_plain_text(tienda: Tienda, text: str) -> None:
    create(tienda, new_product(nombre="Leche"))
    assert names(tienda, text) == []
