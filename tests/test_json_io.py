"""What is JSON to the API."""

import json
from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client
from django.utils.translation import gettext_lazy

from blend_pos.json_io import MAX_DEPTH, dumps
from tests.tiendas.people import bearer, give_token, hire, open_shop

pytestmark = pytest.mark.urls("tests.tiendas.urlconf")
Post = Callable[[bytes], tuple[int, dict[str, object]]]


@pytest.fixture
def post(live_db: None) -> Post:
    shop = open_shop()
    headers = bearer(give_token(hire(shop), shop)[1])
    client = Client(raise_request_exception=False)

    def send(body: bytes) -> tuple[int, dict[str, object]]:
        answer = client.post("/api/v1/quien", body, "application/json", headers=headers)
        return answer.status_code, answer.json()

    return send


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"NaN",
        b'{"a": Infinity}',
        b"1e999",
        b"[1,]",
        b"{'a': 1}",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b'"a\x00b"',
        b'"a\\u0000b"',
        b'{"a\\u0000": 1}',
        b'"\\\\\\u0000"',
        b"\xef\xbb\xbf{}",
        nested(MAX_DEPTH + 1),
        nested(1_000),
        nested(100_000),
        b'{"a":' * 20 + b"1" + b"}" * 20,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_refused(post: Post, body: bytes) -> None:
    status, answer = post(body)
    assert (status, answer["codigo"]) == (400, "cuerpo_ilegible")


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1.5, "b": [true, null, "\xc3\xb1"]}',
        b'"\\\\u0000"',
        nested(MAX_DEPTH),
        b"[" + b",".join([b'{"a": [1]}'] * 200) + b"]",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_taken(post: Post, body: bytes) -> None:
    assert post(body) == (200, {"recibido": json.loads(body)})


def test_a_body_has_a_bound(post: Post) -> None:
    limit = settings.API_BODY_MAX_BYTES
    assert post(b'"' + b"a" * (limit - 2) + b'"')[0] == 200
    status, answer = post(b'"' + b"a" * (limit - 1) + b'"')
    assert (status, answer["codigo"]) == (400, "cuerpo_demasiado_grande")


def test_a_decimal_is_a_number_digit_by_digit() -> None:
    value = {"total": Decimal("1250.50"), "grande": Decimal("999999999999.99"), "cero": Decimal("0E-3")}
    assert dumps(value) == b'{"total":1250.50,"grande":999999999999.99,"cero":0.000}'


def test_what_answers_are_made_of() -> None:
    key = UUID("6f1f3a52-1d0e-5c55-9b1c-7e0d3b1a2c4d")
    assert json.loads(dumps({key: gettext_lazy("Yes"), "b": {"y", "x"}, 1: key})) == {
        str(key): "Sí",
        "b": ["x", "y"],
        "1": str(key),
    }


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), object()])
def test_what_is_not_json(value: object) -> None:
    with pytest.raises(TypeError):
        dumps(value)
