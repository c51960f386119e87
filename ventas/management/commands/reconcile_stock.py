"""manage.py reconcile_stock: is what Redis promises what PostgreSQL has, and is that what the ledger says?"""

import json
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from blend_pos.tiendas import acts
from blend_pos.tiendas.models import Accion, Tienda
from cache_stock.management.tienda_command import NOT_ARMED, TiendaCommand
from cache_stock.reconcile import WHY
from cache_stock.warmup import ColdStartNeeded
from ventas.reconcile import PATIENCE_S, Reconciled, reconcile_tienda

DIFFERS = 4
LONGEST_PATIENCE_S = 600
HELD_FOR_NOBODY = "its stock is held as a failed sale's, and there is no such open failed sale"
NOT_HELD = "it is an open failed sale with a hold, and nothing is held for it"


class Command(TiendaCommand):
    """Exit status: 0 all agree; 1 usage; 2 not armed; 3 a server does not answer; 4 something differs."""

    help = (
        "Compare Redis, the journal of its holds, PostgreSQL and the ledger, product by product, while tills sell. "
        "Exit status: 0 all agree; 1 usage, no such tienda; 2 a tienda is not armed, so only PostgreSQL and its ledger "
        "were compared; 3 PostgreSQL or Redis does not answer; 4 something differs, whether or not it was repaired."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One tienda or all; and what to do."""
        super().add_arguments(parser)
        parser.add_argument(
            "--repair", action="store_true", help="mend what the protocol can: a warmup, or a cold start"
        )
        parser.add_argument("--por", default="", help="who asked for a repair, for the record (default: who runs this)")
        parser.add_argument("--json", action="store_true", help="one JSON object a tienda, a line each")
        parser.add_argument(
            "--patience",
            type=_seconds,
            default=PATIENCE_S,
            metavar="S",
            help="seconds until a second look (%(default)s)",
        )

    def handle_tienda(self, tienda: Tienda, options: dict[str, Any]) -> int:
        """Compare it, print what differs."""
        if options["repair"]:  # before: what is mended is mended in Redis
            por = acts.operator(command="reconcile_stock --repair", por=options["por"])
            acts.record(accion=Accion.REPARAR, por=por, tienda_id=tienda.pk)
        try:
            found = reconcile_tienda(tienda_id=tienda.pk, repair=options["repair"], patience_s=options["patience"])
        except ColdStartNeeded:
            self.stderr.write(f"{tienda.nombre} ({tienda.pk}): a cold start began meanwhile; try again after it")
            return NOT_ARMED
        self.stdout.write(
            json.dumps(_as_json(tienda, found)) if options["json"] else "\n".join(_as_text(tienda, found))
        )
        if found.differences:
            return DIFFERS
        return 0 if found.stock.armed else NOT_ARMED


def _seconds(text: str) -> float:
    """Not below zero, and not "nan" or "inf", which float() reads, too."""
    if not 0 <= (seconds := float(text)) <= LONGEST_PATIENCE_S:
        raise ArgumentTypeError(f"{text} is not from 0 to {LONGEST_PATIENCE_S}")
    return seconds


def _as_json(tienda: Tienda, found: Reconciled) -> dict[str, Any]:
    return {
        "tienda_id": str(tienda.pk),
        "tienda": tienda.nombre,
        "armed": found.stock.armed,
        "products": found.stock.products,
        "flushed": found.stock.flushed,
        "differences": [
            {
                "what": finding.what,
                "why": WHY[finding.what],
                "producto_id": None if finding.producto_id is None else str(finding.producto_id),
                "name": finding.name,
                **finding.seen,
            }
            for finding in found.stock.findings
        ]
        + [
            {
                "what": "held_for_nobody" if sale.held else "not_held",
                "why": HELD_FOR_NOBODY if sale.held else NOT_HELD,
                "venta_id": str(sale.venta_id),
            }
            for sale in found.misheld
        ],
        "done": found.done,
    }


def _as_text(tienda: Tienda, found: Reconciled) -> list[str]:
    stock = found.stock
    what = f"{stock.products} products" + (f", {stock.flushed} of them flushed" if stock.flushed else "")
    armed = "" if stock.armed else "; Redis is not armed, PostgreSQL and its ledger alone were compared"
    lines = [f"{tienda.nombre} ({tienda.pk}): {what}, {found.differences} differences{armed}"]
    for finding in stock.findings:
        figures = ", ".join(f"{name} {value}" for name, value in finding.seen.items())
        lines.append(
            f"  {finding.what}: {finding.name} ({finding.producto_id or 'venta'}): {WHY[finding.what]}; {figures}"
        )
    lines += [f"  sale {sale.venta_id}: {HELD_FOR_NOBODY if sale.held else NOT_HELD}" for sale in found.misheld]
    return lines + [f"  done: {what}" for what in found.done]
