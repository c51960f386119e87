"""What the probes find out, in small."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import repeat
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bench.probes import journal, pages, rounds
from cache_stock import keys, scripts
from cache_stock.reservation import Balance
from tests.cache_stock.store import Store
from tests.tiendas.people import sign_in

pytestmark = pytest.mark.usefixtures("live_db")


def holder(store: Store, *, products: int) -> journal.Holder:
    """Somebody who holds each product of a warm tienda in each cart."""
    productos = store.products(products, stock="1000")
    store.warm()
    carts: Iterator[Sequence[UUID]] = repeat(productos)
    return journal.Holder(store.tienda_id, carts, [Balance(producto, 1_000_000, 1) for producto in productos])


def test_each_script_is_timed_and_nothing_stays_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "GROUPS", 2)
    monkeypatch.setattr(journal, "CALLS", 3)
    monkeypatch.setattr(journal, "A_CALL", 5)
    store = Store()
    costs = journal.medians(journal.measure(holder(store, products=2)))
    assert set(costs) == {"reserve", "check", "release", "sweep", "fail", "settle", "warmup"}
    assert min(costs.values()) > 0
    store.assert_in_step()


def test_a_longer_script_costs_more_by_redis_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "GROUPS", 5)
    one, many = (journal.medians(journal.measure(holder(Store(), products=count))) for count in (1, 60))
    assert many["reserve"] > 3 * one["reserve"]


def test_a_page_of_the_admin_is_read_with_the_statements_that_it_sends() -> None:
    store = Store()
    producto = store.product()
    root = User.objects.create_superuser(f"root-{uuid4().hex}")
    query = {"producto__id__exact": str(producto)}
    reads = pages.read_page(sign_in(root), page="history", model="inventario_inventoryledger", query=query)
    assert {scan.table for read in reads for scan in read.scans} >= {"inventory_ledger", "productos"}
    assert all(read.buffers > 0 and read.ms > Decimal(0) for read in reads)


def test_a_page_that_is_refused_ends_the_probe() -> None:
    with pytest.raises(SystemExit, match="302"):
        pages.read_page(Client(), page="history", model="inventario_inventoryledger", query={})


def test_a_look_at_more_tiendas_costs_more_and_leaves_none() -> None:
    few, many = rounds.measure(2), rounds.measure(1_000)
    assert few.keys() == many.keys() == {"sweep", "who_is_armed", "with_what_history"}
    for look, cost in many.items():
        assert cost["python_ms"] > few[look]["python_ms"]
    with rounds.armed(1) as (tienda,):
        assert scripts.exists(keys=[keys.meta(tienda)])
    assert not scripts.exists(keys=[keys.meta(tienda)])
