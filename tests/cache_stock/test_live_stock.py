"""GET productos/disponible: what can be sold now, without a query."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.cache_stock.store import Store
from tests.tiendas.people import bearer, give_token, hire

LIVE = "/api/v1/productos/disponible"


@pytest.fixture
def client(store: Store) -> Client:
    return Client(headers=bearer(give_token(hire(store.shop), store.shop)[1]), raise_request_exception=False)


def ask(client: Client, ids: list[Any]) -> Any:
    return client.get(LIVE, query_params={"id": [str(each) for each in ids]})


def test_what_is_left_of_each(store: Store, client: Client) -> None:
    two, none = store.product(stock="2.5"), store.product(stock="0")
    store.warm()
    strange = uuid4()

    answer = ask(client, [two, none, strange, two])

    assert answer.json() == {"disponible": {str(two): 2.5, str(none): 0, str(strange): None}}


def test_no_query(store: Store, client: Client) -> None:
    product = store.product(stock="3")
    store.warm()
    with CaptureQueriesContext(connection) as first:
        ask(client, [product])
    assert first.captured_queries  # who asks was read once: this test would see a query

    with CaptureQueriesContext(connection) as again:
        assert ask(client, [product]).json() == {"disponible": {str(product): 3.0}}

    assert again.captured_queries == []


def test_a_tienda_that_is_not_armed_says_that_it_does_not_know(store: Store, client: Client) -> None:
    product = store.product(stock="3")

    assert ask(client, [product]).json() == {"disponible": {str(product): None}}


@pytest.mark.parametrize("ids", [[], ["x"], [uuid4() for _ in range(101)]], ids=["none", "no uuid", "too many"])
def test_what_cannot_be_asked(client: Client, ids: list[Any]) -> None:
    answer = ask(client, ids)

    assert (answer.status_code, answer.json()["codigo"]) == (400, "datos_invalidos")
