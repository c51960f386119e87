"""What a supervisor may do with a failed sale: try it again, or discard it. Either is recorded, and neither loses
stock."""

import logging
import time
from datetime import datetime
from functools import partial
from uuid import uuid4

import orjson
from django.conf import settings
from django.db import OperationalError, transaction
from django.utils.translation import gettext_lazy as _

from blend_pos.tiendas.locks import own_tienda, share_tiendas
from cache_stock import intake, journal, reservation
from cache_stock.scripts import StockError
from inventario.models import InventoryLedger
from ventas import recovery
from ventas.messages import SaleMessage, UnreadableMessage, hold_of, read_sale, sale_payload
from ventas.models import EstadoFalla, Venta, VentaFallida
from ventas.publisher import Outcome, open_link, persist_message

logger = logging.getLogger(__name__)

PUBLISH_S = 3.0
OPEN = (EstadoFalla.ABIERTA, EstadoFalla.REINTENTADA)
_link = open_link(settings.RABBITMQ_URL)


class FailedSaleError(Exception):
    """The action was refused; nothing changed. `mensaje` is for whoever asked."""

    mensaje = _("La venta fallida no admite esa acción.")

    def __str__(self) -> str:
        return str(self.mensaje)


class NotOpen(FailedSaleError):
    """It was dealt with already."""

    mensaje = _("Ya se resolvió: no hay nada que hacer.")


class NoMessage(FailedSaleError):
    """What arrived cannot be read as a sale, so that there is nothing to try again."""

    mensaje = _("Lo que llegó no se puede leer como una venta: solo se puede descartar.")


class NoReason(FailedSaleError):
    """A discard needs a reason."""

    mensaje = _("Para descartarla hace falta una razón.")


class AlreadyWritten(FailedSaleError):
    """The sale is a Venta: there is nothing to do."""

    mensaje = _("Esa venta ya está registrada.")


class CannotHold(FailedSaleError):
    """The stock cannot be held now."""

    mensaje = _("Ahora no se puede reservar su stock: falta mercancía, o Redis no está listo.")


class NothingHeld(FailedSaleError):
    """Goods that nothing holds may be promised to others by now; an adjustment holds them before it takes them out."""

    mensaje = _("Nada reserva su mercancía: descártala como devuelta y registra la salida con un ajuste.")


class WrittenOff(FailedSaleError):
    """An earlier discard took its goods out by an adjustment: a venta would take them out again."""

    mensaje = _("Al descartarla se dio de baja su mercancía, y registrarla la sacaría otra vez: descártala de nuevo.")


class CannotWriteOff(FailedSaleError):
    """The ledger refuses the adjustment, perhaps for what kept the sale from being written."""

    mensaje = _("El ajuste de su mercancía no se puede escribir: sigue abierta.")


class CannotPublish(FailedSaleError):
    """The broker did not take it."""

    mensaje = _("La cola no la aceptó. Inténtalo más tarde.")


def _sale_of(failed: VentaFallida) -> SaleMessage:
    try:
        return read_sale(failed.mensaje)
    except UnreadableMessage as error:
        raise NoMessage from error


def can_retry(failed: VentaFallida) -> bool:
    """Whether there is a sale to try again: an open one that can be read."""
    return failed.estado in OPEN and recovery.kept_sale(failed) is not None


def retry(*, failed_id: int, now: datetime) -> None:
    """Hold the sale under the epoch of now, at the prices it was sold, and publish it. Raises a FailedSaleError.

    Held first, recorded then: what is recorded as held is held again by a cold start, so it has to be true.
    """
    failed = VentaFallida.objects.get(pk=failed_id)
    if failed.estado not in OPEN:
        raise NotOpen
    sale = _sale_of(failed)
    if _is_written_off(sale):
        raise WrittenOff
    hold = _hold_and_record(failed, sale, now)
    payload, _total = sale_payload(
        tienda_id=sale.tienda_id,
        venta_id=sale.venta_id,
        huella=sale.huella,
        epoch=hold.epoch,
        pedido=hold_of(sale)[0],
        products=hold.products,
    )
    message = persist_message([orjson.dumps(payload)])
    if _link.send(message, deadline=time.monotonic() + PUBLISH_S) is Outcome.REFUSED:
        VentaFallida.objects.filter(pk=failed_id, estado=EstadoFalla.REINTENTADA).update(estado=EstadoFalla.ABIERTA)
        reservation.keep_failed(tienda_id=sale.tienda_id, venta_id=sale.venta_id, huella=sale.huella)
        raise CannotPublish


def _hold_and_record(failed: VentaFallida, sale: SaleMessage, now: datetime) -> reservation.Hold:
    """It is held, and tried again: under one shared lock, so that nobody lets the hold go in between.

    Refused where Redis is of another epoch, its goods are written off, or somebody decided otherwise: a discard let it
    go, though a late copy may have opened the sale again.
    """
    nonce, hold = uuid4().hex, None
    try:
        with transaction.atomic():
            epoch = share_tiendas(tiendas=[sale.tienda_id]).get(sale.tienda_id)
            hold = _hold_again(sale, nonce, now)
            if hold.epoch != epoch:
                raise CannotHold
            if _is_written_off(sale):
                raise WrittenOff
            claimed = VentaFallida.objects.filter(pk=failed.pk, estado__in=OPEN, motivo=failed.motivo)
            if not claimed.update(estado=EstadoFalla.REINTENTADA, con_reserva=True):
                raise NotOpen
    except FailedSaleError:
        if hold is not None and hold.created:
            reservation.release(tienda_id=sale.tienda_id, venta_id=sale.venta_id, nonce=nonce)
        raise
    return hold


def _hold_again(sale: SaleMessage, nonce: str, now: datetime) -> reservation.Hold:
    """The hold that is there, or a new one; from now on the sweep looks after it."""
    pedido, products = hold_of(sale)
    now_ms = int(now.timestamp() * 1000)
    try:
        held = reservation.reserve(
            tienda_id=sale.tienda_id,
            venta_id=sale.venta_id,
            huella=sale.huella,
            nonce=nonce,
            wanted=[reservation.Wanted(p.producto_id, p.cantidad_milli) for p in products],
            pedido=pedido.encode(),
            now_ms=now_ms,
            sweep_after_ms=settings.SWEEP_AFTER_MS,
            most_holds=settings.HOLDS_MAX_PER_TIENDA,
            only_active=False,
        )
        if isinstance(held, reservation.Persisted):
            if "PERSISTIDA" in held.answer:
                raise AlreadyWritten
            journal.forget_answer(
                tienda_id=sale.tienda_id, venta_id=sale.venta_id
            )  # it was discarded, and is not any more
            return _hold_again(sale, nonce, now)
        journal.sweep_again(tienda_id=sale.tienda_id, venta_id=sale.venta_id, at_ms=now_ms + settings.SWEEP_AFTER_MS)
    except (reservation.ReservationRefused, StockError) as error:
        raise CannotHold from error
    return held


def discard(*, failed_id: int, usuario_id: int, nota: str, goods_came_back: bool, now: datetime) -> None:
    """Leave a tombstone, then let the hold go: the goods came back, or their loss is written as an adjustment.

    Raises a FailedSaleError. Refused where the sale is written after all.
    """
    if not nota.strip():
        raise NoReason
    held_epoch = None if goods_came_back else _held_epoch(VentaFallida.objects.get(pk=failed_id))
    with transaction.atomic():
        tienda_id = VentaFallida.objects.filter(pk=failed_id).values_list("tienda_id", flat=True).first()
        epoch = own_tienda(tienda_id=tienda_id) if tienda_id is not None else None
        failed = VentaFallida.objects.select_for_update().get(pk=failed_id)
        if failed.estado not in OPEN:
            raise NotOpen
        written = Venta.objects.filter(tienda=failed.tienda, huella=failed.huella)
        if failed.venta_id is not None and written.filter(venta_id=failed.venta_id).exists():
            raise AlreadyWritten
        failed.estado = EstadoFalla.DESCARTADA
        failed.resuelta, failed.resuelta_por_id, failed.nota = now, usuario_id, nota.strip()[:200]
        failed.save(update_fields=["estado", "resuelta", "resuelta_por", "nota"])
        sale = recovery.kept_sale(failed)
        if sale is None and not goods_came_back:
            raise NothingHeld
        if sale is not None:
            if not goods_came_back and not _is_written_off(sale):
                # Neither a cold start nor whoever lets go what a tombstone holds has let it go since.
                if held_epoch is None or held_epoch != epoch or not failed.con_reserva:
                    raise NothingHeld
                _write_off(sale, usuario_id, nota, now)
            transaction.on_commit(partial(_let_go, sale))


def _held_epoch(failed: VentaFallida) -> int | None:
    """The epoch in which Redis holds its goods; None where it does not. Raises CannotHold where it cannot be asked."""
    if failed.tienda_id is None or failed.venta_id is None:
        return None
    try:
        hold = reservation.find_hold(tienda_id=failed.tienda_id, venta_id=failed.venta_id)
    except StockError as error:
        raise CannotHold from error
    return hold.epoch if hold is not None and hold.huella == failed.huella else None


def _is_written_off(sale: SaleMessage) -> bool:
    """Whether an earlier discard took its goods out: its message came again after that."""
    return InventoryLedger.objects.filter(operacion=sale.venta_id, producto__tienda=sale.tienda_id).exists()


def _let_go(sale: SaleMessage) -> None:
    productos = {item.producto_id for item in sale.items}
    try:
        recovery.let_go(tienda_id=sale.tienda_id, venta_id=sale.venta_id, huella=sale.huella, productos=productos)
    except (StockError, OperationalError) as error:
        logger.warning("discarded sale %s is let go by the next round: %s", sale.venta_id, error)


def _write_off(sale: SaleMessage, usuario_id: int, nota: str, now: datetime) -> None:
    """The goods are gone: an adjustment of each product, once, under the sale's own id."""
    _pedido, products = hold_of(sale)
    try:
        intake.write_off(
            tienda_id=sale.tienda_id,
            quantities={p.producto_id: p.cantidad_milli for p in products},
            operacion=sale.venta_id,
            motivo=nota,
            usuario_id=usuario_id,
            now=now,
        )
    except intake.CannotWriteOff as error:
        raise CannotWriteOff from error
