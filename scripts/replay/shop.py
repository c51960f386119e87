"""The replay's own tienda, made by `manage.py replay_tienda` in the product's own process."""

import json
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

from scripts import processes
from scripts.replay.baskets import Basket, Product
from scripts.replay.stack import Stack
from scripts.replay.tills import Order, Till, make_order


class ShopNotOpen(Exception):
    """There is no tienda to sell in. The message says why."""


@dataclass(frozen=True, slots=True)
class Shop:
    """The replay's own tienda."""

    tienda_id: uuid.UUID
    catalogue: Sequence[Product]
    tills: Sequence[Till]

    def close(self) -> None:
        """Close the tills' connections."""
        for till in self.tills:
            till.close()


def open_shop(*, file: Path, catalogue: Sequence[Product], tills: int, stack: Stack) -> Shop:
    """A tienda of its own, warm, with a terminal and a token for each till; and one look whether the API knows it."""
    described = {
        "nombre": f"{file.name} {datetime.now().astimezone():%Y-%m-%d %H:%M:%S}",
        "terminales": tills,
        "productos": [
            {
                "id": str(product.id),
                "sku": product.sku,
                "codigo_barras": product.codigo_barras,
                "nombre": product.nombre,
                "precio": f"{product.precio_centavos // 100}.{product.precio_centavos % 100:02d}",
                "impuesto": f"{product.impuesto // 100}.{product.impuesto % 100:02d}",
                "stock": f"{product.stock_milli // 1000}.{product.stock_milli % 1000:03d}",
            }
            for product in catalogue
        ],
    }
    done = subprocess.run(
        processes.manage("replay_tienda"),
        input=json.dumps(described),
        env=stack.settings,
        cwd=processes.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ShopNotOpen(f"The tienda could not be made:\n{done.stdout}{done.stderr}")
    made = json.loads(done.stdout.splitlines()[-1])
    shop = Shop(
        tienda_id=uuid.UUID(made["tienda_id"]),
        catalogue=catalogue,
        tills=[Till(url=stack.url, token=token) for token in made["tokens"]],
    )
    status, _retry_after, body = shop.tills[0].call("GET", "/api/v1/productos")
    if status != HTTPStatus.OK or not body.get("results"):
        shop.close()
        if status == 0:
            raise ShopNotOpen(f"{stack.url} answered a moment ago and does not any more.")
        raise ShopNotOpen(
            f"{stack.url} answers {status} to a terminal of the new tienda ({body.get('mensaje')}): "
            "is it the web server of the database that DATABASE_URL names?"
        )
    return shop


def make_orders(shop: Shop, baskets: Sequence[Basket]) -> list[Order]:
    ids = {product.nombre: product.id for product in shop.catalogue}
    return [make_order(lines=[(ids[name], units) for name, units in basket.lines]) for basket in baskets]
