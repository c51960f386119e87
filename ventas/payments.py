"""How a sale was paid: its parts, which add up to its total."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ventas.models import MetodoPago

MOST_PAYMENTS = 10
MOST_REFERENCE = 64
KINDS = frozenset({MetodoPago.EFECTIVO.value, MetodoPago.TARJETA.value, MetodoPago.TRANSFERENCIA.value})


@dataclass(frozen=True, slots=True)
class Payment:
    """One part, in cents. `recibido`: the cash that was given for it, at least as much; `referencia`: not of cash."""

    metodo: str
    importe_centavos: int
    recibido_centavos: int | None = None
    referencia: str = ""

    @property
    def is_sound(self) -> bool:
        """Whether it can be: a known kind, more than nothing, and each detail where it belongs."""
        cash = self.metodo == MetodoPago.EFECTIVO
        enough = self.recibido_centavos is None or (cash and self.recibido_centavos >= self.importe_centavos)
        fits = len(self.referencia) <= MOST_REFERENCE and self.referencia.isprintable()
        return self.metodo in KINDS and self.importe_centavos > 0 and enough and fits and not (cash and self.referencia)


def kind_of(payments: Iterable[Payment]) -> str:
    """metodo_pago of these: their own where they are all of one kind, else MIXTO."""
    kinds = {payment.metodo for payment in payments}
    return kinds.pop() if len(kinds) == 1 else MetodoPago.MIXTO.value


def add_up(payments: Iterable[Payment]) -> int:
    """Cents of all of them."""
    return sum(payment.importe_centavos for payment in payments)


def encode_payments(payments: Sequence[Payment]) -> list[list[Any]]:
    """As the hold keeps them, and as the fingerprint counts them."""
    return [[each.metodo, each.importe_centavos, each.recibido_centavos, each.referencia] for each in payments]


def decode_payments(values: Iterable[Any]) -> tuple[Payment, ...]:
    """The other way round. Raises TypeError, ValueError."""
    return tuple(Payment(*value) for value in values)
