"""One call of each parser: it returns where the parser answered, or raised what it says. GIVEN is what it is given."""

import io
import string
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import environ
import orjson
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.http import Http404
from django.test import RequestFactory
from hypothesis import assume
from hypothesis import strategies as st
from rest_framework.exceptions import APIException, AuthenticationFailed, ParseError
from rest_framework.exceptions import ValidationError as WrongData
from rest_framework.request import Request

from blend_pos.json_io import OrjsonParser, dumps
from blend_pos.request_log import _asked_for
from blend_pos.tiendas import access
from blend_pos.tiendas.authentication import SessionAccess, TokenAccess
from blend_pos.tiendas.models import validate_locale, validate_scale_patterns, validate_time_zone
from blend_pos.tracing import on
from cache_stock import reservation
from cache_stock.operations import is_adjustment
from cache_stock.serializers import LiveStockQuerySerializer, ProductQuerySerializer, read_since, write_since
from scripts.replay.baskets import UnusableFile, read_baskets
from tests.fuzz.drawn import (
    CARTS,
    HEADERS,
    ID,
    JSON,
    KNOWN,
    MOMENTS,
    PAID_CARTS,
    PEDIDO,
    SCALARS,
    TEXTS,
    broken,
    travels,
)
from ventas import envelopes, refusals, short_codes, signatures, tasks
from ventas.checkout import _persisted
from ventas.messages import (
    Pedido,
    UnreadableMessage,
    fingerprint,
    read_sale,
    sale_as_payload,
    sale_payload,
)
from ventas.order_body import Body, read_body, read_key
from ventas.orders import Order
from ventas.views import VentaPagination

NOW = datetime(2026, 11, 24, 10, 42, tzinfo=UTC)


def sale_of(cart: dict[str, Any]) -> dict[str, Any]:
    """A sale as it travels, of a cart that can be read."""
    return _payload(read_body(cart))


def _payload(body: Body) -> dict[str, Any]:
    lines = [(line.producto_id, line.cantidad_milli) for line in body.lines]
    precios = tuple((line.precio_centavos or 100, 1600) for line in body.lines)
    asked = tuple((str(producto), cantidad) for producto, cantidad in lines)
    pedido = Pedido(NOW.isoformat(), 7, str(ID), body.metodo_pago, asked, precios, body.pagos)
    kept = Pedido.decode(pedido.encode())
    assert kept.encode() == pedido.encode()
    huella = fingerprint(lines=lines, metodo_pago=body.metodo_pago, pagos=body.pagos)
    return sale_payload(tienda_id=ID, venta_id=ID, huella=huella, epoch=1, pedido=kept, products=())[0]


# --- The parsers


def checkout_body(value: Any) -> None:
    """A cart that is taken is a sale that every later stage can read, and says the same."""
    try:
        body = read_body(value)
    except WrongData as refused:
        dumps(refused.detail)
        return
    payload = _payload(body)
    if any(len(text) > 16 for text in (payload["total"], *(item["importe"] for item in payload["items"]))):
        return  # the checkout refuses such a total
    sale = read_sale(orjson.loads(orjson.dumps(payload)))
    assert [(item.producto_id, item.cantidad_milli) for item in sale.items] == [
        (line.producto_id, line.cantidad_milli) for line in body.lines
    ]
    assert sale.pagos == body.pagos
    assert sale_as_payload(sale) == payload


def any_checkout_body(value: Any) -> None:
    checkout_body(value)


def idempotency_key(value: Any) -> None:
    try:
        key = read_key(value)
    except WrongData:
        return
    assert key is None or isinstance(key, UUID)


def json_body(value: Any) -> None:
    """What is taken is what Python's own reader would take, and comes out again."""
    try:
        read = OrjsonParser().parse(io.BytesIO(value))
    except ParseError as refused:
        dumps(refused.detail)
        return
    assert orjson.loads(dumps(read)) == read


def sale_message(value: Any) -> None:
    try:
        sale = read_sale(value)
    except UnreadableMessage:
        return
    assert read_sale(sale_as_payload(sale)) == sale


def broken_sale(value: Any) -> None:
    sale_message(value)


def held_request(value: Any) -> None:
    try:
        Pedido.decode(value if isinstance(value, str) else orjson.dumps(value, default=str).decode())
    except (UnreadableMessage, TypeError):
        return


def held_lines(value: Any) -> None:
    try:
        products = reservation.parse_lines(value)
        reservation.read_hold(tienda_id=ID, venta_id=value, huella="", epoch=value, pedido="{}", lines=value)
    except reservation.HoldUnreadable:
        return
    assert reservation.parse_lines(reservation.format_lines(products)) == products


def adjustment_hold(value: Any) -> None:
    """What the sweep and the look at live holds catch of it."""
    try:
        is_adjustment(reservation.LiveHold(ID, ID, "", 1, value, ()))
    except (ValueError, AttributeError):
        return


def kept_answer(value: Any) -> None:
    """Of an answer in Redis that is none of ours PostgreSQL is asked, in the time that is left: none."""
    order = Order(ID, 7, ID, ID, True, "EFECTIVO", (), NOW, 0.0)
    try:
        _persisted(order, "", value)
    except refusals.CheckoutError:
        return


def kept_access(value: Any) -> None:
    kept = access.decode(value)
    assert kept is None or access.decode(access.encode(kept)) is not None


def seat_headers(value: Any) -> None:
    for tienda_id, terminal_id in ((value, None), (None, value)):
        try:
            seat = access.take_seat(access=KNOWN, tienda_id=tienda_id, terminal_id=terminal_id)
        except access.SeatRefused as refused:
            str(refused)
        else:
            assert seat.tienda_id == ID


def authorization(value: Any) -> None:
    """Without Redis: what has not the shape of a token or a session is not looked up."""
    assume("blend_" not in value)
    request = Request(RequestFactory().get("/", headers={"Authorization": value}))
    for header in (value, f"Bearer {value}", f"bearer\t{value}"):
        request.META["HTTP_AUTHORIZATION"] = header
        try:
            assert TokenAccess().authenticate(request) is None
        except AuthenticationFailed:
            continue
    request.COOKIES["sessionid"] = f"-{value}"
    assert SessionAccess().authenticate(request) is None


def logged_request(value: Any) -> None:
    request = RequestFactory().get("/", headers={"Idempotency-Key": value})
    request.resolver_match = None
    assert isinstance(_asked_for(request), UUID | None)


def tienda_fields(value: Any) -> None:
    checks: list[Callable[[str], None]] = [validate_locale, validate_scale_patterns, validate_time_zone]
    for check in checks:
        try:
            check(value)
        except ValidationError as refused:
            str(refused)


def sign_in_tienda(value: Any) -> None:
    try:
        UUID(value)
    except ValueError:
        return


def changes_cursor(value: Any) -> None:
    since = read_since(value)
    if since is not None:
        assert read_since(write_since(since)) == since


def product_query(value: Any) -> None:
    query = ProductQuerySerializer(data=value)
    assert query.is_valid() or dumps(query.errors)


def live_query(value: Any) -> None:
    query = LiveStockQuerySerializer(data={"id": value})
    assert query.is_valid() or dumps(query.errors)


def sales_cursor(value: Any) -> None:
    request = cast("Request", SimpleNamespace(query_params={"cursor": value, "limite": value}))
    paginator = VentaPagination()
    assert 1 <= (paginator.get_page_size(request) or 1) <= 500
    try:
        cursor = paginator.decode_cursor(request)
    except (APIException, Http404):
        return
    if cursor is not None and cursor.position is not None:
        assert datetime.fromisoformat(str(cursor.position)).tzinfo is not None


def message_headers(value: Any) -> None:
    known = envelopes.known_headers(value)
    assert known is None or envelopes.known_headers(known) == known


def carried_traces(value: Any) -> None:
    kept = on.together([value])
    assert on.together([kept]) == kept
    assert all(on.TRACEPARENT.fullmatch(text) and on._context(text) is not None for text in kept.values())


def signature(value: Any) -> None:
    assert not signatures.is_signed(b"body", value)


def task_argument(value: Any) -> None:
    """Of what a message calls `ventas` each part is a sale, or text that is kept."""
    sales, unreadable = tasks._read(value)
    assert len(sales) + len(unreadable) == (len(value) if isinstance(value, list) else 1)
    assert all(text and why for text, why in unreadable)


def short_code(value: Any) -> None:
    ending = short_codes.read_code(text=value)
    if ending is not None:
        code = short_codes.readable_code(venta_id=UUID(int=int(ending, 16)))
        assert code.replace("-", "") == value.strip().upper().replace("-", "")


def baskets(value: Any) -> None:
    try:
        read = read_baskets(io.StringIO(value))
    except UnusableFile:
        return
    assert all(name == name.strip() and count > 0 for basket in read.baskets for name, count in basket.lines)


def environment(value: Any) -> None:
    """What settings are made of, read as settings.py reads it: a word that it does not understand ends the start."""
    env = environ.Env()
    env.ENVIRON = {"X": value}
    for read in (env.int, env.bool, env.list):
        try:
            read("X")
        except (ValueError, ImproperlyConfigured):
            continue


GIVEN: dict[str, st.SearchStrategy[Any]] = {
    "checkout_body": (CARTS | PAID_CARTS | broken(CARTS) | broken(PAID_CARTS)).filter(travels),
    "any_checkout_body": JSON.filter(travels),
    "idempotency_key": st.none() | TEXTS,
    "json_body": st.binary() | JSON.map(lambda value: repr(value).encode("utf-8", "replace"))
    | st.text(alphabet='{}[]":,\\u0123456789eE.-+tfn \n').map(str.encode),
    "sale_message": JSON,
    "broken_sale": CARTS.map(sale_of) | broken(CARTS.map(sale_of)),
    "held_request": JSON | TEXTS | broken(st.just(PEDIDO)),
    "held_lines": TEXTS | st.lists(TEXTS).map(lambda words: " ".join(words) + ";") | st.just(f"{ID} 1 2 3 4;"),
    "adjustment_hold": TEXTS | JSON.map(repr),
    "kept_answer": TEXTS | st.sampled_from(['{"estado": "PERSISTIDA"}', '{"estado": "ANULADA"}', "[]", "5", "null"]),
    "kept_access": st.binary() | broken(st.just(orjson.loads(access.encode(KNOWN)))).filter(travels).map(orjson.dumps),
    "seat_headers": HEADERS,
    "authorization": HEADERS,
    "logged_request": HEADERS,
    "tienda_fields": TEXTS,
    "sign_in_tienda": TEXTS,
    "changes_cursor": TEXTS | st.lists(TEXTS, max_size=4).map("~".join)
    | st.datetimes(timezones=st.timezones()).map(datetime.isoformat)
    | st.tuples(MOMENTS, st.just(str(ID)), MOMENTS).map("~".join),
    "product_query": st.dictionaries(st.sampled_from(["q", "desde", "pagina", "limite"]), TEXTS),
    "live_query": st.lists(TEXTS, max_size=120),
    "sales_cursor": TEXTS | st.text(alphabet=string.ascii_letters + string.digits + "=+/")
    | TEXTS.map(lambda text: b64encode(b"p=" + text.encode("utf-8", "replace")).decode()),
    "carried_traces": JSON
    | st.dictionaries(TEXTS | st.uuids().map(str), JSON | st.from_regex(on.TRACEPARENT), max_size=3),
    "message_headers": st.dictionaries(st.sampled_from([*envelopes.KNOWN, "x-death"]), SCALARS | JSON, max_size=4),
    "signature": JSON | st.binary(),
    "task_argument": JSON | st.lists(JSON | CARTS.map(sale_of)),
    "short_code": TEXTS | st.text(alphabet=short_codes.CROCKFORD + "-", min_size=8, max_size=9),
    "baskets": TEXTS | st.text(alphabet="a, \n\r\x00\u2028"),
    "environment": TEXTS.filter(lambda text: text.isascii()),
}  # fmt: skip
