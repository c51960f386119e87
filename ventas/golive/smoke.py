"""One sale through all of it: over HTTP through web, the queue, a worker, PostgreSQL, the ledger."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import TypeVar
from uuid import UUID, uuid4

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cache_stock import reservation
from cache_stock.warmup import ColdStartNeeded
from inventario.models import InventoryLedger, TipoMovimiento
from ventas import selectors
from ventas.golive import probe
from ventas.golive.asking import CHECKOUT, as_the_proxy, ask, read_fields
from ventas.golive.findings import Asked, Check, Finding, Part, advice, failed, passed

Answer = TypeVar("Answer")
PERSIST_S = 20.0  # the sweep's copy, too, so that it can be told apart
SETTLE_S = 5.0
POLL_S, LONGEST_POLL_S = 0.002, 0.1
ANSWER_S = 10.0  # web itself gives up after CHECKOUT_DEADLINE_MS
ONE_OUT = Decimal("-1")
# What only web's own settings explain: here all of that answers, or the sale would not have come so far.
IN_WEB = {
    "credenciales_invalidas": gettext_lazy("¿Tiene web la misma DATABASE_URL que esta orden? Allí no está la sonda."),
    "arranque_en_frio": gettext_lazy("¿Tiene web la misma REDIS_URL que esta orden? Aquí la sonda está armada."),
    "acceso_no_disponible": gettext_lazy("¿Contesta a web el Redis de su CACHE_URL? Sin él no sabe quién pide."),
    "stock_no_disponible": gettext_lazy("¿Contesta a web el Redis de su REDIS_URL?"),
    "cola_no_disponible": gettext_lazy(
        "¿Es cierto el RABBITMQ_URL de web, y puede su usuario escribir ahí? manage.py broker_setup da los permisos."
    ),
}


class SmokeSale:
    """A sale, as far as it came."""

    def __init__(self) -> None:
        self._probe: probe.Probe | None = None
        self._venta_id: UUID | None = None
        self._start = self._answered_ms = 0.0
        self._written = False

    def part(self) -> Part:
        """Its stations."""
        return Part(
            gettext_lazy("Venta de prueba"),
            (
                Check("sale.taken", gettext_lazy("Tomada por el checkout de web"), self.take),
                Check("sale.written", gettext_lazy("Escrita en PostgreSQL"), self.follow),
                Check("sale.ledger", gettext_lazy("En inventory_ledger, y su reserva cerrada"), self.find_in_ledger),
            ),
            gettext_lazy(
                "Lo que no contesta lo dicen las líneas de arriba: primero eso, y después esta otra vez. Si no lo dice "
                "ninguna, el registro de web y el de PostgreSQL."
            ),
            within_s=ANSWER_S + PERSIST_S + SETTLE_S + 10.0,
        )

    def take(self, asked: Asked) -> Finding:
        """One piece of the probe's product."""
        if not asked.sells:
            return _not_asked()
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
        status, body = self._send(asked.web_url, self._probe, venta_id, now)
        if status not in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
            return _refused(status, str(read_fields(body).get("codigo", "")))
        self._venta_id = venta_id
        seen = _("%(venta)s, en %(ms).1f ms") % {"venta": venta_id, "ms": self._answered_ms}
        if status == HTTPStatus.CREATED:
            return passed(seen)
        return advice(seen, _("Es un 202: RabbitMQ no confirmó a tiempo. ¿Tiene una alarma de disco o memoria?"))

    def _send(self, web_url: str, found: probe.Probe, venta_id: UUID, now: datetime) -> tuple[int, bytes]:
        """As a till does. (status, body)"""
        order = {"items": [{"producto_id": str(found.producto_id), "cantidad": 1}], "metodo_pago": "EFECTIVO"}
        with probe.token_of(found, now=now) as token:
            headers = {
                **as_the_proxy(web_url),
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "Idempotency-Key": str(venta_id),
            }
            self._start = time.monotonic()
            answer = ask(
                web_url.rstrip("/") + CHECKOUT, headers=headers, data=json.dumps(order).encode(), within_s=ANSWER_S
            )
            self._answered_ms = self._since_ms()  # before the token is revoked
            return answer

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
                    "¿Tiene web la misma SECRET_KEY y el mismo virtual host de RabbitMQ que los workers? Con otra "
                    "clave queda además una ILEGIBLE en /admin/, Ventas fallidas: descártala."
                ),
            )
        return failed(
            _("%(estado)s a los %(s).0f s") % {"estado": estado, "s": after_ms / 1000},
            _(
                "¿Corre un worker, en el virtual host al que manda web, y qué dice su registro de esa venta? "
                "docs/operations.md, «El worker no consume»."
            ),
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


def _refused(status: int, codigo: str) -> Finding:
    """What web said instead."""
    todo = IN_WEB.get(
        codigo, _("Repite dentro de medio minuto; si sigue, docs/operations.md la explica por su código.")
    )
    return failed(_("no se tomó: web contesta %(estado)d %(codigo)s") % {"estado": status, "codigo": codigo}, str(todo))


def _wait(look: Callable[[], Answer], *, until: set[Answer], within_s: float) -> Answer:
    """What it is at last: one of `until`, or whatever else there is after so long."""
    give_up, pause_s = time.monotonic() + within_s, POLL_S
    while (found := look()) not in until and time.monotonic() < give_up:
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_POLL_S)
    return found


def _not_asked() -> Finding:
    return advice(_("no se pidió"), _("Sin --no-sale se vende una pieza de la sonda."))
