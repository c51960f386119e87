"""The same products in opposite order, thousands of times through two writers: nobody waits in a circle."""

from collections import defaultdict
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import connection

from tests.pipeline.messages import hold, put_all
from tests.pipeline.processes import Pipeline
from tests.pipeline.shop import open_shop

SALES = 2_000
A_MESSAGE = 10


def deadlocks() -> int:
    """How many PostgreSQL has broken in this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        (count,) = cursor.fetchone()
    return int(count)


def test_carts_in_opposite_order(pipeline: Pipeline) -> None:
    """A message is of one terminal and runs one way, so that two writers meet at the products and nowhere before."""
    shop = open_shop(products=4, stock=SALES, terminals=4)
    by_terminal: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for number in range(SALES):
        terminal = number % 4
        products = shop.products if terminal % 2 else shop.products[::-1]
        lines = [(producto, 1_000) for producto in products]
        by_terminal[terminal].append(hold(shop, lines, terminal_id=shop.seats[terminal].terminal_id))
    before = deadlocks()

    pieces = [[sales[at : at + A_MESSAGE] for at in range(0, len(sales), A_MESSAGE)] for sales in by_terminal.values()]
    put_all(pipeline.host, list(chain.from_iterable(zip(*pieces, strict=True))))
    shop.settle_down(ventas=SALES)

    assert deadlocks() == before
    assert "deadlock" not in pipeline.worker.log_text
    assert len(pipeline.worker.pids) == 1 + pipeline.concurrency
    sold = {UUID(payload["venta_id"]) for sales in by_terminal.values() for payload in sales}
    assert shop.written() == dict.fromkeys(sold, 1)
    shop.assert_exact()
