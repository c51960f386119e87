"""manage.py ventas_en_vuelo: every live hold, its age, where its sale is, and what will happen to it."""

import json
import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from blend_pos.tiendas.models import Tienda
from cache_stock.management.tienda_command import TiendaCommand
from ventas.in_flight import LiveSale, live_sales


class Command(TiendaCommand):
    """Exit status: 0 listed; 1 usage; 3 a server does not answer."""

    help = (
        "List every live hold, the oldest first: its age, where its sale is, and what will happen to it. It changes "
        "nothing. Exit status: 0 listed; 1 usage, no such tienda; 3 PostgreSQL or Redis does not answer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One tienda or all."""
        super().add_arguments(parser)
        parser.add_argument("--json", action="store_true", help="one JSON object a sale, a line each")

    def handle_tienda(self, tienda: Tienda, options: dict[str, Any]) -> int:
        """List its holds."""
        sales = live_sales(tienda_id=tienda.pk, now_ms=int(time.time() * 1000))
        if options["json"]:
            for sale in sales:
                self.stdout.write(json.dumps(asdict(sale) | {"future": sale.future}, default=str))
            return 0
        oldest = f", the oldest {sales[0].age_s:.1f} s old" if sales else ""
        self.stdout.write(f"{tienda.nombre} ({tienda.pk}): {len(sales)} live holds{oldest}")
        for sale in sales:
            self.stdout.write(_line(sale))
        return 0


def _line(sale: LiveSale) -> str:
    total = "" if sale.total_centavos is None else f" ${sale.total_centavos // 100}.{sale.total_centavos % 100:02}"
    lines = "" if sale.lines is None else f" {sale.lines} products{total},"
    failed = "" if sale.failed_id is None else f", failed sale {sale.failed_id}"
    sent = f"{sale.intents} times perhaps published, {sale.swept} of them by the sweep"
    return f"  {sale.venta_id} {sale.age_s:8.1f} s,{lines} {sent}{failed}: {sale.fate}: {sale.future}"
