"""Stock that comes in or goes out otherwise than by a sale.

What comes in is written in PostgreSQL, then its balance goes to Redis. What goes out is held in Redis first, like a
sale, so that nobody is promised it meanwhile; then it is written, once under its operation's key, and the hold is
settled. Where the process dies in between, the sweep finds the hold and finish_adjustment() completes it.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError, transaction
from django.utils.formats import localize
from django.utils.translation import gettext as _

from blend_pos.tiendas.locks import read_timeline, share_tiendas
from cache_stock import reservation, rows, warmup
from cache_stock.operations import (
    INCOMING,
    OUTGOING,
    IntakeError,
    Operation,
    as_decimal,
    check_operation,
    is_adjustment,
)
from cache_stock.scripts import ReplyLost, StockError
from inventario import ledger
from inventario.models import InventoryLedger, TipoMovimiento

__all__ = ["finish_adjustment", "is_adjustment", "lower_stock", "receive_stock", "write_off"]

logger = logging.getLogger(__name__)

ONCE = "ledger_producto_operacion_unica"


class OperationConflict(IntakeError):
    """The operation's key belongs to another one."""


class NotEnough(IntakeError):
    """Less is available than is to go out."""


class StockAway(IntakeError):
    """Redis cannot hold it now; try again, with the same key."""

    retry_after_s = 5


class CannotWriteOff(IntakeError):
    """The ledger refuses the goods, perhaps for what kept their sale from being written."""


class OutcomeUnknown(IntakeError):
    """It may be written now or later, once: asking again with the same key is safe."""

    retry_after_s = 5


@dataclass(frozen=True, slots=True)
class _Written:
    """What the transaction left, for Redis."""

    balances: list[ledger.StockBalance]
    timeline: str


class _EpochOver(Exception):
    """A cold start has passed since the hold was made: the hold is gone."""


def receive_stock(*, operation: Operation) -> list[ledger.StockBalance]:
    """Add stock: COMPRA, DEVOLUCION, or AJUSTE upwards. The balances reach Redis on commit.

    Written twice, it is a no-op. Raises InvalidOperation, OperationConflict, ledger.UnknownProduct.
    """
    check_operation(operation, tipos=INCOMING)
    with transaction.atomic():
        written = _write(operation, sign=1, epoch=None)
        transaction.on_commit(partial(_tell_redis, operation, written, ()), robust=True)
    return written.balances


def lower_stock(*, operation: Operation, now_ms: int) -> list[ledger.StockBalance]:
    """Take stock out: AJUSTE downwards, or DEVOLUCION to a supplier. Written twice, it is a no-op.

    Raises InvalidOperation, OperationConflict, NotEnough, StockAway, OutcomeUnknown, ledger.UnknownProduct,
    rows.InsideTransaction.
    """
    rows.assert_committed()
    check_operation(operation, tipos=OUTGOING)
    done = _find_written(operation, sign=-1)
    if done is None:
        nonce = uuid4().hex
        hold = _hold(operation, nonce, now_ms)
        written = _complete(operation, epoch=hold.epoch, nonce=nonce)
    else:
        written = _Written(done, read_timeline())
    _tell_redis(operation, written, [reservation.SettledSale(operation.operacion, operation.huella)])
    return written.balances


def finish_adjustment(*, hold: reservation.LiveHold) -> bool:
    """Write the operation of a hold whose process died; False where it cannot be now, and the hold stays, or where it
    never can be, and the hold is given back: the ledger has another operation under its key.

    Errors of a PostgreSQL that is away are raised.
    """
    operation = Operation.of_hold(hold)
    try:
        written = _write(operation, sign=-1, epoch=hold.epoch)
    except _EpochOver:
        logger.warning("adjustment %s is from before a cold start", hold.venta_id)
        return False
    except OperationConflict:
        logger.warning("adjustment %s is given back: its key is another operation's", hold.venta_id)
        balances = ledger.balances(productos=sorted(operation.quantities))
        _tell_redis(
            operation, _Written(balances, read_timeline()), [reservation.SettledSale(hold.venta_id, hold.huella)]
        )
        return False
    except (IntakeError, ledger.UnknownProduct, IntegrityError):
        logger.exception("adjustment %s cannot be written; its hold stays", hold.venta_id)
        return False
    _tell_redis(operation, written, [reservation.SettledSale(hold.venta_id, hold.huella)])
    return True


def write_off(
    *, tienda_id: UUID, quantities: Mapping[UUID, int], operacion: UUID, motivo: str, usuario_id: int, now: datetime
) -> list[ledger.StockBalance]:
    """Inside the caller's transaction: goods of a discarded sale that did not come back, once under `operacion`.

    Raises CannotWriteOff, after which the transaction can only be rolled back.
    """
    operation = Operation(
        tienda_id=tienda_id,
        operacion=operacion,
        tipo=TipoMovimiento.AJUSTE,
        quantities=quantities,
        motivo=motivo,
        usuario_id=usuario_id,
        fecha=now,
    )
    try:
        return ledger.record(movements=operation.movements(sign=-1))
    except (ledger.UnknownProduct, IntegrityError, DataError) as error:
        raise CannotWriteOff(_("El ajuste no se puede escribir.")) from error


def _hold(operation: Operation, nonce: str, now_ms: int) -> reservation.Hold:
    """Hold what is to go out; products that are not in the cache are warmed first."""
    try:
        try:
            held = _reserve(operation, nonce, now_ms)
        except reservation.NotCached as cold:
            warmup.warm_products(productos=cold.productos, now_ms=now_ms)
            held = _reserve(operation, nonce, now_ms)
    except ReplyLost as error:
        raise OutcomeUnknown(_("Redis no contestó: no se sabe si el ajuste quedó. Repítelo, sin cambiarlo.")) from error
    except reservation.Insufficient as error:
        raise _not_enough(operation, error.available) from error
    except reservation.SaleConflict as error:
        raise OperationConflict(_("La clave de la operación ya es de otra.")) from error
    except reservation.NotCached as error:
        raise ledger.UnknownProduct(error.productos) from error
    except (reservation.ReservationRefused, warmup.ColdStartNeeded, StockError) as error:
        raise StockAway(_("Redis no puede apartar stock ahora: repite el ajuste en un momento.")) from error
    if isinstance(held, reservation.Persisted):
        raise OperationConflict(_("La clave de la operación ya es de una venta."))
    return held


def _reserve(operation: Operation, nonce: str, now_ms: int) -> reservation.Hold | reservation.Persisted:
    return reservation.reserve(
        tienda_id=operation.tienda_id,
        venta_id=operation.operacion,
        huella=operation.huella,
        nonce=nonce,
        wanted=[reservation.Wanted(producto, cantidad) for producto, cantidad in operation.quantities.items()],
        pedido=operation.encode(),
        now_ms=now_ms,
        sweep_after_ms=settings.SWEEP_AFTER_MS,
        most_holds=settings.HOLDS_MAX_PER_TIENDA,
        only_active=False,
    )


def _complete(operation: Operation, *, epoch: int, nonce: str) -> _Written:
    """Write what this process holds; where it is certain that nothing was written, the hold is given back."""
    try:
        return _write(operation, sign=-1, epoch=epoch)
    except (OperationalError, InterfaceError) as error:
        raise OutcomeUnknown(_("PostgreSQL no responde: el ajuste se escribirá en cuanto vuelva.")) from error
    except _EpochOver as error:
        raise StockAway(_("Redis se acaba de rearmar: repite el ajuste.")) from error
    except (ledger.UnknownProduct, OperationConflict, DatabaseError):
        with suppress(StockError):
            reservation.release(tienda_id=operation.tienda_id, venta_id=operation.operacion, nonce=nonce)
        raise


def _not_enough(operation: Operation, available: Mapping[UUID, int]) -> NotEnough:
    amounts = {producto: as_decimal(max(milli, 0)) for producto, milli in sorted(available.items())}
    short = [
        {
            "producto_id": str(producto),
            "solicitado": as_decimal(operation.quantities[producto]),
            "disponible": disponible,
        }
        for producto, disponible in amounts.items()
    ]
    mensaje = _("No alcanza: disponible %(disponible)s.") % {"disponible": "; ".join(map(localize, amounts.values()))}
    return NotEnough(mensaje, detalles={"productos": short})


def _write(operation: Operation, *, sign: int, epoch: int | None) -> _Written:
    """Write the operation in one transaction, or find it written. `epoch`: that of its hold."""
    try:
        with transaction.atomic():
            epochs = share_tiendas(tiendas=[operation.tienda_id])
            if epoch is not None and epochs.get(operation.tienda_id) != epoch:
                raise _EpochOver
            return _Written(ledger.record(movements=operation.movements(sign=sign)), read_timeline())
    except IntegrityError as error:
        if _constraint(error) != ONCE:
            raise
    done = _find_written(operation, sign=sign)
    if done is None:
        raise OperationConflict(_("La clave de la operación ya es de otra."))
    return _Written(done, read_timeline())


def _find_written(operation: Operation, *, sign: int) -> list[ledger.StockBalance] | None:
    """The balances of now where the operation is written already, else None. Raises OperationConflict."""
    found = dict(
        InventoryLedger.objects.filter(
            operacion=operation.operacion,
            producto__in=list(operation.quantities),
            producto__tienda=operation.tienda_id,
        ).values_list("producto_id", "delta")
    )
    if not found:
        return None
    if found != operation.deltas(sign=sign):
        raise OperationConflict(_("La clave de la operación ya es de otra."))
    return ledger.balances(productos=list(found))


def _constraint(error: IntegrityError) -> str | None:
    name: str | None = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    return name


def _tell_redis(operation: Operation, written: _Written, holds: Sequence[reservation.SettledSale]) -> None:
    """Settle the hold, if there is one, and write the balances. Where Redis is away the sweep or a warmup does it."""
    try:
        reservation.settle(
            tienda_id=operation.tienda_id,
            sales=holds,
            balances=[reservation.Balance(b.producto_id, int(b.saldo * 1000), b.version) for b in written.balances],
            answer_ttl_s=settings.ANSWER_TTL_S,
            timeline=written.timeline,
        )
    except StockError:
        logger.warning("operation %s is written; Redis hears of it later", operation.operacion, exc_info=True)
