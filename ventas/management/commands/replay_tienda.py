"""`manage.py replay_tienda`: the tienda for a replay, described as JSON on the standard input."""

import json
import sys
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from cache_stock.scripts import StockError
from cache_stock.warmup import ColdStartNeeded
from inventario.catalogo import NewProduct
from ventas.replay import ReplayRefused, open_replay_tienda


class Command(BaseCommand):
    """Open a tienda with products and terminals. Reads nombre, terminales, productos; prints tienda_id and tokens."""

    help = "Opens a tienda for a replay (make replay). Reads JSON from the standard input, prints JSON."

    def handle(self, *args: Any, **options: Any) -> None:
        """Translate in, one call, translate out."""
        described = json.load(sys.stdin)
        products = [
            NewProduct(
                id=UUID(product["id"]),
                sku=product["sku"],
                codigo_barras=product["codigo_barras"],
                nombre=product["nombre"],
                precio=Decimal(product["precio"]),
                impuesto=Decimal(product["impuesto"]),
                stock_inicial=Decimal(product["stock"]),
            )
            for product in described["productos"]
        ]
        try:
            tienda = open_replay_tienda(
                nombre=described["nombre"],
                terminales=described["terminales"],
                products=products,
                now=timezone.now(),
            )
        except (ReplayRefused, ColdStartNeeded, StockError) as refusal:
            raise CommandError(f"{type(refusal).__name__}: {refusal}") from refusal
        self.stdout.write(json.dumps({"tienda_id": str(tienda.tienda_id), "tokens": list(tienda.tokens)}))
