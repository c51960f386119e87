"""What the admin asks PostgreSQL for one product's history and for one day's ventas, and how PostgreSQL reads it.

`python -m bench.probes.pages TIENDA PRODUCTO OTHER_TIENDA DAY` prints a list of bench.plans.Read as JSON: the pages are
asked for as a superuser would, and each of their statements on a large table is explained just as it was sent.
"""

import json
import sys
from dataclasses import asdict
from http import HTTPStatus
from secrets import token_hex
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench.plans import Read

LARGE = ('FROM "inventory_ledger"', 'FROM "ventas"')


def read_page(client: Client, *, page: str, model: str, query: dict[str, str]) -> list[Read]:
    """Each statement of one list of the admin that reads a large table."""
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(f"{reverse(f'admin:{model}_changelist')}?{urlencode(query)}")
    if answer.status_code != HTTPStatus.OK:
        raise SystemExit(f"{page}: {answer.status_code}")
    statements = [one["sql"] for one in asked if any(table in one["sql"] for table in LARGE)]
    if not statements:
        raise SystemExit(f"{page}: no statement reads a large table")
    return [Read.of(page=page, explained=explain(statement)) for statement in statements]


def explain(statement: str) -> object:
    """What PostgreSQL does for a statement whose values are in it already."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}")
        ((answer,),) = cursor.fetchall()
    return json.loads(answer) if isinstance(answer, str) else answer


def main() -> None:
    """Both pages, the first one with and without its tienda."""
    tienda, producto, other, day = sys.argv[1:]
    client = Client(headers={"Host": "127.0.0.1"})
    client.force_login(User.objects.create_superuser(f"bench-{token_hex(4)}"))
    history = {"producto__id__exact": producto}
    reads = [
        *read_page(client, page="a product's history", model="inventario_inventoryledger", query=history),
        *read_page(
            client,
            page="a product's history, in its tienda",
            model="inventario_inventoryledger",
            query={**history, "tienda": tienda},
        ),
        *read_page(client, page="a day's ventas", model="ventas_venta", query={"tienda": other, "q": day}),
    ]
    print(json.dumps([asdict(read) for read in reads]))


if __name__ == "__main__":
    main()
