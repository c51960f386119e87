"""An operation on stock: what is to move, checked, under a key of its own, and its movements in the ledger."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.utils.translation import gettext as _

from cache_stock import reservation
from inventario import ledger
from inventario.models import TipoMovimiento

PEDIDO_TIPO = "AJUSTE"
INCOMING = (TipoMovimiento.COMPRA, TipoMovimiento.DEVOLUCION, TipoMovimiento.AJUSTE)
OUTGOING = (TipoMovimiento.AJUSTE, TipoMovimiento.DEVOLUCION)
MOST_LINES = 200
LARGEST_MILLI = 10**14 - 1
MOTIVO_LENGTH = 200


class IntakeError(Exception):
    """Nothing was moved. The text is for whoever asked; `detalles` for programs."""

    def __init__(self, mensaje: str, *, detalles: Mapping[str, Any] | None = None) -> None:
        super().__init__(mensaje)
        self.detalles = dict(detalles or {})


class InvalidOperation(IntakeError):
    """The operation cannot be what was meant: no lines, a quantity of nothing, no reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Stock to move, in or out: `quantities` are positive, in whole thousandths, one a product.

    `operacion` is the key that whoever asks makes and keeps: the same one moves stock once. `tipo` is the ledger's.
    """

    tienda_id: UUID
    operacion: UUID
    tipo: str
    quantities: Mapping[UUID, int]
    motivo: str
    usuario_id: int | None
    fecha: datetime

    @property
    def huella(self) -> str:
        """SHA-256 of what makes it the same operation."""
        lines = sorted((str(producto), cantidad) for producto, cantidad in self.quantities.items())
        return hashlib.sha256(orjson.dumps([self.tipo, self.motivo, lines])).hexdigest()

    def encode(self) -> str:
        """As a hold keeps it; the quantities are the hold's lines."""
        pedido = {
            "tipo": PEDIDO_TIPO,
            "movimiento": self.tipo,
            "motivo": self.motivo,
            "usuario": self.usuario_id,
            "fecha": self.fecha.isoformat(),
        }
        return orjson.dumps(pedido).decode()

    @classmethod
    def of_hold(cls, hold: reservation.LiveHold) -> "Operation":
        """The other way round."""
        pedido = orjson.loads(hold.pedido)
        return cls(
            tienda_id=hold.tienda_id,
            operacion=hold.venta_id,
            tipo=pedido["movimiento"],
            quantities={product.producto_id: product.cantidad_milli for product in hold.products},
            motivo=pedido["motivo"],
            usuario_id=pedido["usuario"],
            fecha=datetime.fromisoformat(pedido["fecha"]),
        )

    def deltas(self, *, sign: int) -> dict[UUID, Decimal]:
        """What it adds to each product's stock; `sign` is 1 inwards and -1 outwards."""
        return {producto: as_decimal(sign * cantidad) for producto, cantidad in sorted(self.quantities.items())}

    def movements(self, *, sign: int) -> list[ledger.Movement]:
        """Its rows for the ledger."""
        return [
            ledger.Movement(
                producto_id=producto,
                tienda_id=self.tienda_id,
                tipo=self.tipo,
                delta=delta,
                fecha=self.fecha,
                operacion=self.operacion,
                motivo=self.motivo,
                usuario_id=self.usuario_id,
            )
            for producto, delta in self.deltas(sign=sign).items()
        ]


def is_adjustment(hold: reservation.LiveHold) -> bool:
    """Whether a hold is an operation's, not a sale's."""
    return bool(orjson.loads(hold.pedido).get("tipo") == PEDIDO_TIPO)


def check_operation(operation: Operation, *, tipos: Sequence[str]) -> None:
    """Raise InvalidOperation where it is of none of these kinds, or makes no sense."""
    if operation.tipo not in tipos:
        raise InvalidOperation(_("«%(tipo)s» no es un movimiento de este sentido.") % {"tipo": operation.tipo})
    if not 0 < len(operation.quantities) <= MOST_LINES:
        raise InvalidOperation(_("De 1 a %(maximo)d productos.") % {"maximo": MOST_LINES})
    if not all(0 < cantidad <= LARGEST_MILLI for cantidad in operation.quantities.values()):
        raise InvalidOperation(_("Cada cantidad tiene que ser mayor que cero."))
    if operation.tipo == TipoMovimiento.AJUSTE and not operation.motivo.strip():
        raise InvalidOperation(_("Un ajuste lleva su motivo."))
    if len(operation.motivo) > MOTIVO_LENGTH:
        raise InvalidOperation(_("El motivo pasa de %(maximo)d caracteres.") % {"maximo": MOTIVO_LENGTH})


def as_decimal(milli: int) -> Decimal:
    """Whole thousandths as a quantity of three decimals."""
    return Decimal(milli).scaleb(-3)
