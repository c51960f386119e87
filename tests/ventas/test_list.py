"""The list of sales: a page is asked for by a cursor that anybody can write."""

from base64 import b64encode
from http import HTTPStatus

import pytest
from django.test import Client

from tests.pipeline.shop import open_shop

LIST = "/api/v1/ventas"
WRONG = ["p=abc", "o=1&p=%00", "r=1&p=x", "p=0001-01-01T00:00:00+14:00", "p=9999-12-31T23:59:59-14:00", "p="]
RIGHT = ["p=2026-01-01", "p=2026-01-01T00:00:00.5-06:00", "p=0001-01-01T00:00:00Z", "r=1&p=9999-12-31T23:59:59Z", "o=3"]


@pytest.fixture
def client(live_db: None) -> Client:
    return Client(headers={"Authorization": f"Bearer {open_shop(products=1).token}"})


@pytest.mark.parametrize("cursor", WRONG)
def test_a_cursor_that_is_no_moment_is_no_page(client: Client, cursor: str) -> None:
    answer = client.get(LIST, {"cursor": b64encode(cursor.encode()).decode()})

    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert answer.json()["codigo"] == "no_existe"


@pytest.mark.parametrize("cursor", RIGHT)
def test_any_moment_is_a_page(client: Client, cursor: str) -> None:
    answer = client.get(LIST, {"cursor": b64encode(cursor.encode()).decode()})

    assert answer.status_code == HTTPStatus.OK
    assert answer.json()["results"] == []
