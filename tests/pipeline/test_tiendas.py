"""Two tiendas that cannot see each other, and what each role may do."""

from http import HTTPStatus
from uuid import uuid4

import pytest

from tests.pipeline.browser import signed_in
from tests.pipeline.processes import Pipeline
from tests.pipeline.shop import open_shop
from tests.pipeline.till import Till

ANOTHER = uuid4()


def test_another_tiendas_things_are_not_there(pipeline: Pipeline) -> None:
    mine, other = open_shop(), open_shop()
    till = pipeline.till(mine)
    theirs = pipeline.till(other).sell([(other.products[0], 1)])
    own = till.sell([(mine.products[0], 1)])
    for shop in (mine, other):
        shop.settle_down(ventas=1)

    refused = till.sell([(mine.products[0], 1), (other.products[0], 1)])

    assert (refused.status, refused.reply.body["codigo"]) == (HTTPStatus.NOT_FOUND, "producto_no_existe")
    assert refused.reply.body["detalles"] == [{"producto_id": str(other.products[0])}]
    assert till.follow(theirs.key).status == HTTPStatus.NOT_FOUND
    assert till.get(f"productos/{other.products[0]}").status == HTTPStatus.NOT_FOUND
    assert {product["id"] for product in till.get("productos").body["results"]} == set(map(str, mine.products))
    assert [venta["venta_id"] for venta in till.get("ventas").body["results"]] == [str(own.key)]
    for shop in (mine, other):
        assert len(shop.written()) == 1
        shop.assert_exact()


def test_a_header_opens_no_other_tienda(pipeline: Pipeline) -> None:
    mine, other = open_shop(), open_shop()
    for till in (pipeline.till(mine), signed_in(mine, pipeline.web.url)):
        till.headers["X-Tienda-ID"] = str(other.tienda_id)
        sold = till.sell([(other.products[0], 1)])
        assert (sold.status, sold.reply.body["codigo"]) == (HTTPStatus.NOT_FOUND, "tienda_no_existe")
        assert till.get("ventas").status == HTTPStatus.NOT_FOUND
        till.headers["X-Tienda-ID"] = str(mine.tienda_id)
        till.headers["X-Terminal-ID"] = str(other.seats[0].terminal_id)
        sold = till.sell([(mine.products[0], 1)])
        assert (sold.status, sold.reply.body["codigo"]) == (HTTPStatus.NOT_FOUND, "terminal_no_existe")
    for shop in (mine, other):
        assert not shop.holds()
        shop.assert_exact()


def test_an_unknown_product_is_not_there(pipeline: Pipeline) -> None:
    shop = open_shop()
    refused = pipeline.till(shop).sell([(uuid4(), 1), (shop.products[0], 1)])

    assert (refused.status, refused.reply.body["codigo"]) == (HTTPStatus.NOT_FOUND, "producto_no_existe")
    assert not shop.holds()
    shop.assert_exact()


MATRIX: list[tuple[str, str, int, int, int]] = [
    ("GET", "productos", 200, 200, 200),
    ("GET", "ventas", 200, 200, 200),
    ("GET", f"ventas/{ANOTHER}", 404, 404, 404),
    ("GET", f"productos/{ANOTHER}", 404, 404, 404),
    ("GET", "cache/stats", 403, 200, 200),
    ("POST", "cache/warmup", 403, 200, 200),
    ("DELETE", "cache/flush", 403, 200, 200),
]


@pytest.mark.parametrize("how", ["token", "session"])
def test_what_each_role_may(how: str, pipeline: Pipeline) -> None:
    shop = open_shop()
    tills: dict[str, Till] = {
        rol: pipeline.till(shop, rol=rol) if how == "token" else signed_in(shop, pipeline.web.url, rol=rol)
        for rol in ("cajero", "encargado", "administrador")
    }
    for rol, till in tills.items():
        assert till.sell([(shop.products[0], 1)]).status == HTTPStatus.CREATED, rol

    for method, path, *expected in MATRIX:
        assert [till.call(method, path).status for till in tills.values()] == expected, path
    shop.settle_down(ventas=3)
    assert {venta.cajero_id for venta in shop.ventas()} == {user.pk for user in shop.users.values()}


def test_who_does_not_say_who_is_told_how(pipeline: Pipeline) -> None:
    shop = open_shop()
    nobody = Till(pipeline.web.url)
    for method, path in [*((row[0], row[1]) for row in MATRIX), ("POST", "ventas/checkout")]:
        reply = nobody.call(method, path)
        assert reply.status == HTTPStatus.UNAUTHORIZED
        assert "Bearer" in reply.headers["www-authenticate"]
        assert "Authorization: Bearer" in reply.body["mensaje"]
    stranger = Till(pipeline.web.url, f"blend_{'0' * 64}").sell([(shop.products[0], 1)])
    assert (stranger.status, stranger.reply.body["codigo"]) == (HTTPStatus.UNAUTHORIZED, "credenciales_invalidas")
    without_csrf = signed_in(shop, pipeline.web.url)
    del without_csrf.headers["X-CSRFToken"]
    forged = without_csrf.sell([(shop.products[0], 1)])
    assert (forged.status, forged.reply.body["codigo"]) == (HTTPStatus.FORBIDDEN, "csrf")
    assert not shop.holds()
