"""What a checkout is asked, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from cache_stock.reservation import Wanted
from ventas.payments import Payment

NO_SUCH_PRICE = "differs"
LONGEST_WAIT = timedelta(days=31)  # of a sale on a till without a connection; a clock that says more is wrong


class OrderLine(NamedTuple):
    """One line of a cart: whole thousandths, and the price that the customer was shown, cents, if the till sent it."""

    producto_id: UUID
    cantidad_milli: int
    precio_centavos: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sold, by whom, and until when it must be answered (`deadline`, time.monotonic()).

    `vendida`: when the customer bought, as a till says that could not ask at once.
    """

    tienda_id: UUID
    cajero_id: int
    terminal_id: UUID
    venta_id: UUID
    client_key: bool
    metodo_pago: str
    lines: tuple[OrderLine, ...]
    fecha: datetime
    deadline: float
    pagos: tuple[Payment, ...] = ()
    vendida: datetime | None = None

    @property
    def sold_at(self) -> datetime:
        """When the customer bought: as the till says where that can be, else when it was asked for (`fecha`)."""
        told = self.vendida
        if told is None or told > self.fecha or told < self.fecha - LONGEST_WAIT:
            return self.fecha
        return told.astimezone(self.fecha.tzinfo)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of the sale. `promised`: it will be written whatever happens. Total in cents; None where
    unknown yet."""

    venta_id: UUID
    estado: str
    promised: bool
    fecha: str
    total_centavos: int | None
    metodo_pago: str
    cantidad_items: int


def wanted_products(lines: Sequence[OrderLine]) -> list[Wanted]:
    """Each distinct product once, its lines summed. Two lines that were shown different prices can't both be right."""
    wanted: dict[UUID, Wanted] = {}
    for line in lines:
        cantidad_milli = line.cantidad_milli
        expected = "" if line.precio_centavos is None else str(line.precio_centavos)
        before = wanted.get(line.producto_id)
        if before is not None:
            cantidad_milli += before.cantidad_milli
            if before.expected_price and expected and before.expected_price != expected:
                expected = NO_SUCH_PRICE
            expected = expected or before.expected_price
        wanted[line.producto_id] = Wanted(line.producto_id, cantidad_milli, expected)
    return list(wanted.values())
