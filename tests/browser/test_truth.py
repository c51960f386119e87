"""What the till says of a sale is so: in the queue, written, failed, not known. Whatever is lost, it is sold once."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from http import HTTPStatus

import pytest
from django.db import connection
from playwright.sync_api import Route, expect

from cache_stock import tasks as stock_tasks
from cache_stock import warmup
from scripts.services import Services
from tests.browser.conftest import OpenTill
from tests.browser.device import (
    CHECKOUT,
    Wire,
    assert_sold_once,
    kept_keys,
    printed,
    sell,
    states,
    until,
)
from tests.browser.store import Store, open_store
from tests.browser.till_page import TillPage
from tests.pipeline.processes import Pipeline
from tests.pipeline.rabbit import FAILED, SALES
from tests.pipeline.test_poison import archived
from tests.polling import wait_until
from ventas import failed_sales, topology

Fault = Callable[[Pipeline, Store], AbstractContextManager[None]]


@pytest.fixture
def wire(till: TillPage) -> Wire:
    """What the till sends."""
    return Wire(till.context)


@contextmanager
def refused_by_postgres(store: Store) -> Iterator[None]:
    """PostgreSQL takes no sale of this tienda."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE ventas ADD CONSTRAINT for_a_test CHECK (tienda_id <> %s) NOT VALID", [store.shop.tienda_id]
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE ventas DROP CONSTRAINT for_a_test")


def test_it_says_in_the_queue_until_it_is_written(till: TillPage, store: Store, pipeline: Pipeline) -> None:
    with pipeline.worker_aside():
        sell(till, store)
        states(till, "En cola")
        printed(till, 1)  # the sale is promised
        assert not store.shop.written()
        expect(till.page.get_by_text("1 en cola")).to_be_visible()

    states(till, "Persistida")
    expect(till.page.get_by_text("1 en cola")).to_be_hidden()
    assert len(till.papers) == 1
    assert_sold_once(pipeline, store, till, sales=1)


def test_one_that_failed_is_followed_until_a_manager_has_it_written(
    till: TillPage, store: Store, pipeline: Pipeline
) -> None:
    till.page.clock.install()
    with refused_by_postgres(store):
        sell(till, store, "leche", "refresco")
        states(till, "En cola")
        pipeline.host.wait_ready(FAILED, 1, timeout_s=20)
        failed = archived(store.shop, pipeline.host)
        states(till, "Fallida")
    assert not store.shop.written()

    failed_sales.retry(failed_id=failed.pk, now=datetime.now(UTC))
    wait_until(store.shop.written, timeout_s=20, what="the sale is written")
    till.page.clock.fast_forward("01:00")

    states(till, "Persistida")
    assert_sold_once(pipeline, store, till, sales=1)


def test_what_is_not_known_yet_prints_nothing_until_it_is_written(
    till: TillPage, store: Store, wire: Wire, pipeline: Pipeline, services: Services
) -> None:
    sell(till, store, "refresco")  # the server has its connection to the broker
    states(till, "Persistida")
    printed(till, 1)
    services.rabbit.freeze()
    sell(till, store)
    states(till, "Por confirmar", "Persistida")
    assert wire.statuses == [HTTPStatus.CREATED, HTTPStatus.ACCEPTED]
    expect(till.page.get_by_role("button", name="Imprimir")).to_be_disabled()
    printed(till, 1)
    services.rabbit.thaw()

    store.shop.come_to_rest(pipeline.host)
    states(till, "Persistida", "Persistida")
    printed(till, 2)
    assert_sold_once(pipeline, store, till, sales=2)


def test_what_is_nowhere_after_all_is_sent_again_under_its_key(
    till: TillPage, store: Store, wire: Wire, pipeline: Pipeline
) -> None:
    """The server said that it does not know; then it knows of nothing."""

    def shrug(route: Route) -> None:
        route.fulfill(status=HTTPStatus.ACCEPTED, json={"estado": "RESERVADA", "mensaje": "no se sabe"})

    till.page.route(CHECKOUT, shrug, times=1)
    sell(till, store)

    states(till, "Persistida")
    assert wire.statuses == [HTTPStatus.ACCEPTED, HTTPStatus.CREATED]
    assert set(wire.keys) == set(kept_keys(till))
    printed(till, 1)
    assert_sold_once(pipeline, store, till, sales=1)


@contextmanager
def flushed(pipeline: Pipeline, store: Store) -> Iterator[None]:
    """Redis has forgotten the stock: the first refusal asks for a warmup."""
    warmup.flush_tienda(tienda_id=store.shop.tienda_id)
    yield
    pipeline.host.run(stock_tasks.warm_due)  # as beat does


@contextmanager
def unbound(pipeline: Pipeline, store: Store) -> Iterator[None]:
    """The queue takes nothing, as a full one does not."""
    with pipeline.host.channel() as channel:
        channel.queue_unbind(SALES, topology.SALES_EXCHANGE.name, topology.SALES_CREATED)
    try:
        yield
    finally:
        with pipeline.host.channel() as channel:
            topology.declare(channel)


@pytest.mark.parametrize("fault", [flushed, unbound])
def test_a_server_that_is_busy_is_asked_again_when_it_said(
    fault: Fault, till: TillPage, store: Store, wire: Wire, pipeline: Pipeline
) -> None:
    with fault(pipeline, store):
        sell(till, store)
        until(till, lambda: wire.statuses[:1] == [HTTPStatus.SERVICE_UNAVAILABLE], what="the server is busy")
        states(till, "Guardada")
        assert not till.papers

    states(till, "Persistida")
    *refused, taken = wire.sent
    assert [one.status for one in refused] == [HTTPStatus.SERVICE_UNAVAILABLE] * len(refused)
    assert taken.status == HTTPStatus.CREATED
    for earlier, later in zip(wire.sent, wire.sent[1:], strict=False):
        assert earlier.retry_after_s
        assert earlier.answered_at is not None
        assert later.at - earlier.answered_at > earlier.retry_after_s - 0.5  # heard late, when cores are scarce
    assert len(set(wire.keys)) == 1
    assert_sold_once(pipeline, store, till, sales=1)


def test_enter_pressed_twice_sells_once(till: TillPage, store: Store, wire: Wire, pipeline: Pipeline) -> None:
    till.scan(store.goods["leche"].codigo_barras)
    till.press("F2")
    expect(till.page.get_by_label("Recibido")).to_be_focused()
    for _ in range(4):
        till.page.keyboard.press("Enter")

    states(till, "Persistida")
    expect(till.dialog).to_be_hidden()
    assert len(wire.sent) == 1
    assert_sold_once(pipeline, store, till, sales=1)


def test_a_double_click_sells_once(till: TillPage, store: Store, wire: Wire, pipeline: Pipeline) -> None:
    till.scan(store.goods["leche"].codigo_barras)
    till.press("F2")
    till.page.get_by_role("button", name="Cobrar Enter").dblclick()

    states(till, "Persistida")
    assert len(wire.sent) == 1
    assert_sold_once(pipeline, store, till, sales=1)


def test_an_answer_that_is_lost_is_asked_for_again(
    till: TillPage, store: Store, wire: Wire, pipeline: Pipeline
) -> None:
    """The server took the sale, and the line broke before anybody heard."""

    def lose(route: Route) -> None:
        assert route.fetch().status == HTTPStatus.CREATED
        route.abort("connectionreset")

    till.page.route(CHECKOUT, lose, times=1)
    sell(till, store)
    states(till, "Guardada")
    assert not till.papers

    states(till, "Persistida")
    assert wire.statuses == [None, HTTPStatus.CREATED]
    assert len(set(wire.keys)) == 1
    printed(till, 1)
    assert_sold_once(pipeline, store, till, sales=1)


def test_two_tills_at_once(open_till: OpenTill, pipeline: Pipeline) -> None:
    store = open_store(terminals=3)
    tills = [open_till().sign_in(store, terminal=2), open_till().sign_in(store, rol="encargado", terminal=3)]
    with pipeline.worker_aside():
        for name in ("leche", "refresco", "pan"):
            for till in tills:
                till.scan(store.goods[name].codigo_barras)
                till.press("F2")
            for till in tills:
                till.page.keyboard.press("Enter")
            for till in tills:
                expect(till.page.get_by_role("region", name="Cobrado")).to_be_visible()
    for till in tills:
        states(till, *["Persistida"] * 3)
        printed(till, 3)
    assert_sold_once(pipeline, store, *tills, sales=6)
    assert {(venta.cajero_id, venta.terminal_id) for venta in store.shop.ventas()} == {
        (store.shop.users[rol].pk, seat.terminal_id)
        for rol, seat in zip(("cajero", "encargado"), store.shop.seats[1:], strict=True)
    }


def test_two_windows_of_a_till_print_a_receipt_once(till: TillPage, store: Store, pipeline: Pipeline) -> None:
    other = till.another_window()
    expect(other.box).to_be_visible()
    sell(till, store)
    for window in (till, other):
        states(window, "Persistida")
    sell(other, store, "refresco")
    for window in (till, other):
        states(window, "Persistida", "Persistida")
        printed(window, 1)
    assert_sold_once(pipeline, store, till, sales=2)
