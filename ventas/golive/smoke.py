"""One sale through all of it: the checkout's own function, the queue, a worker, PostgreSQL, the ledger."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar
from uuid import UUID, uuid4

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cache_stock import reservation
from cache_stock.warmup import ColdStartNeeded
from inventario.models import InventoryLedger, TipoMovimiento
from ventas import selectors
from ventas.checkout import checkout, new_deadline
from ventas.golive import probe
from ventas.golive.findings import LONGEST_REASON, Asked, Check, Finding, Part, advice, failed, passed
from ventas.orders import Order, OrderLine
from ventas.refusals import CheckoutError, SinArmar

Answer = TypeVar("Answer")
PERSIST_S = 15.0
SETTLE_S = 5.0
POLL_S, LONGEST_POLL_S = 0.002, 0.1
ONE_MILLI, ONE_OUT = 1_000, Decimal("-1")
CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


class SmokeSale:
    """A sale, as far as it came."""

    def __init__(self, *, forged: bool = False) -> None:
        """`forged`: a line has found this command's SECRET_KEY to be none of the workers'; nothing is sold with it."""
        self._forged = forged
        self._probe: probe.Probe | None = None
        self._venta_id: UUID | None = None
        self._start = 0.0
        self._written = False

    def part(self) -> Part:
        """Its stations."""
        return Part(
            gettext_lazy("Venta de prueba"),
            (
                Check("sale.taken", gettext_lazy("Tomada por el checkout"), self.take),
                Check("sale.written", gettext_lazy("Escrita en PostgreSQL"), self.follow),
                Check("sale.ledger", gettext_lazy("En inventory_ledger, y su reserva cerrada"), self.find_in_ledger),
            ),
            gettext_lazy("Lo que no contesta lo dicen las líneas de arriba: primero eso, y después esta otra vez."),
            within_s=PERSIST_S + SETTLE_S + 10.0,
        )

    def take(self, asked: Asked) -> Finding:
        """One piece of the probe's product."""
        if not asked.sells:
            return _not_asked()
        if self._forged:
            return failed(
                _("no se vendió: un worker la tomaría por falsa, y quedaría en Ventas fallidas"),
                _("Primero la línea de SECRET_KEY: la de web y los workers, también aquí."),
            )
        now = datetime.now(UTC)
        try:
            self._probe = probe.prepare(now=now)
        except ColdStartNeeded:
            return failed(
                _("no se tomó: Redis no está armado para la sonda"),
                _(
                    "Beat y mantenimiento lo hacen en medio minuto: ¿corren? "
                    "docs/operations.md, «503 arranque_en_frio»."
                ),
            )
        venta_id = uuid4()
        self._start = time.monotonic()
        try:
            answer = checkout(order=_order(self._probe, venta_id, now, self._start))
        except CheckoutError as refusal:
            return failed(
                _("no se tomó: %(error)s") % {"error": f"{codigo(refusal)} {refusal}".strip()[:LONGEST_REASON]},
                _("Repite dentro de medio minuto; si sigue, docs/operations.md la explica por su código."),
            )
        self._venta_id = venta_id
        seen = _("%(venta)s, en %(ms).1f ms") % {"venta": venta_id, "ms": self._since_ms()}
        if answer.promised:
            return passed(seen)
        return advice(seen, _("Sería un 202: RabbitMQ no confirmó a tiempo. ¿Tiene una alarma de disco o memoria?"))

    def follow(self, asked: Asked) -> Finding:
        """Until it is PERSISTIDA."""
        if self._probe is None or self._venta_id is None:
            return self._not_taken(asked)
        estado = _wait(self._estado, until={"PERSISTIDA", "FALLIDA", "ANULADA"}, within_s=PERSIST_S)
        self._written = estado == "PERSISTIDA"
        after_ms = self._since_ms()
        if self._written and after_ms < settings.SWEEP_AFTER_MS:
            return passed(_("a los %(ms).1f ms") % {"ms": after_ms})
        if self._written:
            return failed(
                _("a los %(s).0f s: por el barrido, no por un worker a la primera") % {"s": after_ms / 1000},
                _(
                    "¿La misma SECRET_KEY, base y virtual host aquí que en los workers? Con otra clave queda además "
                    "una ILEGIBLE en /admin/, Ventas fallidas: descártala."
                ),
            )
        return failed(
            _("%(estado)s a los %(s).0f s") % {"estado": estado, "s": after_ms / 1000},
            _("¿Corre un worker, y qué dice su registro de esa venta? docs/operations.md, «El worker no consume»."),
        )

    def find_in_ledger(self, asked: Asked) -> Finding:
        """Its movement, one piece out; and nothing is held for it any more."""
        if self._probe is None or self._venta_id is None:
            return self._not_taken(asked)
        movement = self._movement() if self._written else None
        if movement is None:
            return failed(_("no está"), _("La línea anterior dice por qué; sin venta escrita no hay movimiento."))
        settled = _wait(self._is_settled, until={True}, within_s=SETTLE_S)
        if movement.delta != ONE_OUT or not settled:
            return failed(
                _("cantidad %(delta)s, reserva cerrada: %(cerrada)s") % {"delta": movement.delta, "cerrada": settled},
                _("manage.py reconcile_stock y ventas_en_vuelo dicen qué no cuadra."),
            )
        return passed(
            _("n.º %(id)d, saldo %(saldo)s, a los %(ms).1f ms")
            % {"id": movement.pk, "saldo": movement.saldo, "ms": self._since_ms()}
        )

    def _estado(self) -> str:
        assert self._probe is not None
        assert self._venta_id is not None
        found = selectors.follow_sale(tienda_id=self._probe.tienda_id, venta_id=self._venta_id)
        return str(found["estado"]) if found else "—"

    def _is_settled(self) -> bool:
        assert self._probe is not None
        assert self._venta_id is not None
        return reservation.find_hold(tienda_id=self._probe.tienda_id, venta_id=self._venta_id) is None

    def _movement(self) -> InventoryLedger | None:
        assert self._probe is not None
        assert self._venta_id is not None
        return InventoryLedger.objects.filter(
            venta__tienda=self._probe.tienda_id,
            venta__venta_id=self._venta_id,
            producto=self._probe.producto_id,
            tipo=TipoMovimiento.VENTA,
        ).first()

    def _not_taken(self, asked: Asked) -> Finding:
        if not asked.sells:
            return _not_asked()
        return failed(_("no hay venta que seguir"), _("Primero la línea que la toma."))

    def _since_ms(self) -> float:
        return (time.monotonic() - self._start) * 1000


def codigo(refusal: CheckoutError) -> str:
    """As the API and the runbook call it."""
    if isinstance(refusal, SinArmar):
        return "arranque_en_frio"
    return CAPITAL.sub("_", type(refusal).__name__).lower()


def _order(found: probe.Probe, venta_id: UUID, now: datetime, start: float) -> Order:
    return Order(
        tienda_id=found.tienda_id,
        cajero_id=found.cajero_id,
        terminal_id=found.terminal_id,
        venta_id=venta_id,
        client_key=False,
        metodo_pago="EFECTIVO",
        lines=(OrderLine(found.producto_id, ONE_MILLI),),
        fecha=now,
        deadline=new_deadline(arrival=start),
    )


def _wait(look: Callable[[], Answer], *, until: set[Answer], within_s: float) -> Answer:
    """What it is at last: one of `until`, or whatever else there is after so long."""
    give_up, pause_s = time.monotonic() + within_s, POLL_S
    while (found := look()) not in until and time.monotonic() < give_up:
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_POLL_S)
    return found


def _not_asked() -> Finding:
    return advice(_("no se pidió"), _("Sin --no-sale se vende una pieza de la sonda."))
