"""The invariants, counted: what must be so all the while, and what when everything has come to rest."""

import threading
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection

from cache_stock import keys, scripts
from cache_stock.scripts import StockError
from inventario.audit import audit_pages
from tests.faults.customers import PROMISED_S, Asked, Cart
from tests.pipeline.shop import Shop, receipt_gaps
from tests.pipeline.till import METODO_PAGO
from ventas.models import DetalleVenta, EstadoFalla, MotivoFalla, Venta, VentaFallida

LOOK_S = 0.25
HONEST = {HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE}

TAKEN = """
SELECT ventas.venta_id, detalle.linea, detalle.cantidad, count(moved.id), sum(moved.delta)
FROM ventas
JOIN detalle_ventas AS detalle ON detalle.venta_id = ventas.id
LEFT JOIN inventory_ledger AS moved ON moved.venta_id = ventas.id AND moved.linea = detalle.linea
    AND moved.producto_id = detalle.producto_id AND moved.tipo = 'VENTA'
WHERE ventas.tienda_id = %s
GROUP BY ventas.venta_id, detalle.linea, detalle.cantidad
HAVING count(moved.id) <> 1 OR sum(moved.delta) <> -detalle.cantidad
"""


@dataclass(slots=True)
class Watch:
    """I2 and I3, looked at again and again; each violation once."""

    shops: Sequence[Shop]
    found: set[str] = field(default_factory=set)
    looks: int = 0

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look as long as the block runs."""
        stop = threading.Event()

        def look() -> None:
            try:
                while not stop.wait(LOOK_S):
                    self.look()
            finally:
                connection.close()

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def look(self) -> None:
        """One look. A server that is away has nothing to be looked at."""
        for shop in self.shops:
            try:
                self.found |= set(ledger_violations(shop))
                self.found |= set(hold_violations(shop))
                self.looks += 1
            except (StockError, OperationalError, InterfaceError):
                connection.close()


def ledger_violations(shop: Shop) -> Iterator[str]:
    """I2, in one snapshot a page: stock ≥ 0, and what the ledger adds up to, in every way."""
    for page in audit_pages(tienda_id=shop.tienda_id):
        for product in page:
            if product.saldo_milli < 0 or not product.adds_up:
                yield f"I2 {product}"


def hold_violations(shop: Shop) -> Iterator[str]:
    """I3, in one script: reservado = what the journal's holds add up to ≥ 0; not while it is loaded anew."""
    names = [keys.meta(shop.tienda_id), keys.journal(shop.tienda_id)]
    names += [keys.stock(shop.tienda_id, producto) for producto in shop.products]
    prefix = keys.hold_prefix(shop.tienda_id)
    epoch, lost, products = scripts.audit(keys=names, arguments=[prefix, *map(str, shop.products)])
    if epoch is None:
        return
    if lost:
        yield f"I3 holds are gone: {lost}"
    for producto, (reservado, held) in zip(shop.products, products, strict=True):
        if reservado is not None and (reservado != held or reservado < 0):
            yield f"I3 {producto}: reservado {reservado}, held {held}"


Moments = Sequence[tuple[float, float]]


def late_answers(carts: Sequence[Cart], unwell: Moments, held: Sequence[float], *, patience: float = 1.0) -> list[str]:
    """I7: answers that came late or not at all. `unwell`: when the web server was killed or frozen, and owed none;
    `held`: when a request was held at its point, which excuses one that was under way; `patience` stretches what was
    promised, where the tills themselves wait for a core."""
    late = [
        (each, f"I7 {cart.key}: {each}")
        for cart in carts
        for each in cart.asked
        if not _overlaps(each, unwell) and (each.status is None or each.until - each.at > PROMISED_S * patience)
    ]
    for moment in held:
        excused = next((one for one in late if one[0].at < moment <= one[0].until), None)
        if excused is not None:
            late.remove(excused)
    return [text for _asked, text in late]


def rest_violations(shop: Shop, carts: Sequence[Cart], *, two_masters: bool = False) -> list[str]:
    """Everything else, at rest. `two_masters`: an old Redis may have promised what its epoch could not keep."""
    found = [*ledger_violations(shop), *hold_violations(shop), *_equal(shop), *_untaken(shop)]
    ventas = {venta.venta_id: venta for venta in Venta.objects.filter(tienda_id=shop.tienda_id)}
    failed = VentaFallida.objects.filter(tienda_id=shop.tienda_id).exclude(estado=EstadoFalla.PERSISTIDA)
    fallidas = set(failed.values_list("venta_id", flat=True))
    dropped = set(failed.filter(motivo=MotivoFalla.EPOCA).values_list("venta_id", flat=True))
    lines = _lines(shop)
    asked = {cart.key: cart for cart in carts if cart.shop is shop}
    for key, cart in asked.items():
        if cart.promised and (key in ventas) + (key in fallidas) != 1:
            found.append(f"I1 {key}: promised, {'twice' if key in ventas else 'nowhere'}")
        if cart.promised and key in dropped and not two_masters:
            found.append(f"I1 {key}: promised, and dropped as one of a past epoch: its stock was let go")
        if key in ventas and lines.get(key) != cart.quantities:
            found.append(f"I5 {key}: asked {cart.quantities}, written {lines.get(key)}")
        if key in ventas:
            found += _unpaid(cart, ventas[key])
        last = cart.asked[-1] if cart.asked else None
        refused = last is not None and last.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE}
        only = {each.status for each in cart.asked} <= {HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE}
        if refused and only and key in ventas:
            found.append(f"I7 {key}: told {last}, and it is written")
        found += [f"I7 {key}: {each}" for each in cart.asked if each.status not in {None, *HONEST}]
        bare = [each for each in cart.asked if each.status == HTTPStatus.SERVICE_UNAVAILABLE and not each.retry_after]
        found += [f"I7 {key}: no Retry-After with {each}" for each in bare]
    found += [f"I5 {key}: written, and nobody asked" for key in ventas.keys() - asked.keys()]
    found += [f"I1 receipts: {gap}" for gap in receipt_gaps(shop.tienda_id)]
    return found


def scene_violations(shops: Sequence[Shop], *, to_fail: Set[UUID], confirmed: Set[UUID]) -> list[str]:
    """I6 at rest: what RabbitMQ has confirmed is written or failed; of sales, only those that were to fail have, but
    for those of a past epoch. (Bodies that are no sales are waited for.)"""
    tiendas = [shop.tienda_id for shop in shops]
    failed = VentaFallida.objects.filter(tienda__in=tiendas).exclude(estado=EstadoFalla.PERSISTIDA)
    others = failed.exclude(motivo=MotivoFalla.EPOCA).values_list("venta_id", flat=True)
    fallidas = {venta for venta in others if venta is not None}
    found = [f"I6 failed: {venta}" for venta in fallidas - to_fail]
    everywhere = set(Venta.objects.values_list("venta_id", flat=True))
    everywhere |= {failed.venta_id for failed in VentaFallida.objects.only("venta_id") if failed.venta_id is not None}
    return found + [f"I6 confirmed, and nowhere: {venta}" for venta in confirmed - everywhere]


def counts(shops: Sequence[Shop]) -> tuple[int, int, int]:
    """How many sales are written, dropped by epoch, and failed otherwise."""
    tiendas = [shop.tienda_id for shop in shops]
    failed = VentaFallida.objects.filter(tienda__in=tiendas).exclude(estado=EstadoFalla.PERSISTIDA)
    dropped = failed.filter(motivo=MotivoFalla.EPOCA).count()
    return Venta.objects.filter(tienda__in=tiendas).count(), dropped, failed.count() - dropped


def _overlaps(asked: Asked, unwell: Moments) -> bool:
    return any(asked.at < end and asked.until > begin for begin, end in unwell)


def _equal(shop: Shop) -> Iterator[str]:
    """I4: at rest Redis has PostgreSQL's balances, and holds what open failed sales hold."""
    stock = shop.stock()
    waiting = VentaFallida.objects.filter(
        tienda_id=shop.tienda_id, con_reserva=True, estado__in=(EstadoFalla.ABIERTA, EstadoFalla.REINTENTADA)
    )
    kept = set(waiting.values_list("venta_id", flat=True))
    held = set(shop.holds())
    if kept != held:
        yield f"I4 held {held - kept}, and not held {kept - held}"
    for producto, (saldo, _reservado) in shop.saldos().items():
        if saldo != stock[producto]:
            yield f"I4 {producto}: saldo {saldo}, stock_actual {stock[producto]}"


def _untaken(shop: Shop) -> Iterator[str]:
    """I1: each line that is written took exactly what it says, once. (I2 cannot tell: stock and ledger agree.)"""
    with connection.cursor() as cursor:
        cursor.execute(TAKEN, [shop.tienda_id])
        for venta_id, linea, cantidad, movements, delta in cursor.fetchall():
            yield f"I1 {venta_id}, line {linea}: {cantidad} sold, {movements} movements of {delta}"


def _unpaid(cart: Cart, venta: Venta) -> Iterator[str]:
    """I5: the money is what the lines cost, paid as it was said, and what was answered."""
    if (venta.total, venta.metodo_pago) != (cart.total, METODO_PAGO):
        yield f"I5 {cart.key}: {cart.total} by {METODO_PAGO}, written {venta.total} by {venta.metodo_pago}"
    for each in cart.asked:
        if each.status == HTTPStatus.CREATED and each.total != float(cart.total):
            yield f"I7 {cart.key}: costs {cart.total}, told {each}"


def _lines(shop: Shop) -> dict[UUID, dict[UUID, Decimal]]:
    """What each written sale took, by its lines."""
    found: dict[UUID, dict[UUID, Decimal]] = {}
    rows = DetalleVenta.objects.filter(venta__tienda_id=shop.tienda_id)
    for venta_id, producto, cantidad in rows.values_list("venta__venta_id", "producto_id", "cantidad"):
        sums = found.setdefault(venta_id, {})
        sums[producto] = sums.get(producto, Decimal(0)) + cantidad
    return found
