"""/api/v1/cache and /api/v1/productos over HTTP, by token."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.client import HTTPConnection
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from django.test import Client

from blend_pos.tiendas.models import Rol
from cache_stock import reservation
from inventario.catalogo import ProductChange, change_product
from scripts.services import Services
from tests.cache_stock.store import Store
from tests.spawning import Spawner
from tests.tiendas.people import bearer, give_token, hire

Api = Callable[..., tuple[int, Any]]


def api_of(store: Store, rol: str) -> Api:
    _row, token = give_token(hire(store.shop, rol=rol), store.shop, rol=rol)
    client = Client(headers=bearer(token), raise_request_exception=False)

    def call(method: str, path: str, **query: Any) -> tuple[int, Any]:
        url = path if path.startswith("http") else f"/api/v1/{path}"
        response = client.generic(method, url, query_params=query or None)
        call.headers = response.headers  # type: ignore[attr-defined] # for the one test that looks
        return response.status_code, orjson.loads(response.content)

    return call


@pytest.fixture
def api(store: Store) -> Api:
    return api_of(store, Rol.ENCARGADO)


def ids(body: dict[str, Any]) -> list[UUID]:
    return [UUID(product["id"]) for product in body["results"]]


# --- cache


def test_the_specification_s_lines_work_as_written(store: Store, api: Api) -> None:
    first, _second, _hidden = store.product(), store.product(), store.product(is_active=False)

    assert api("POST", "cache/warmup") == (
        200,
        {"productos_cacheados": 2, "mensaje": "✅ Cache calentado: 2 productos en Redis"},
    )
    status, stats = api("GET", "cache/stats")
    assert status == 200
    assert stats.pop("memoria_usada_mb") > 0
    assert stats == {"total_keys": 3, "hits": 0, "misses": 0, "hit_rate": None}

    for _ in range(5):
        store.hold({first: 1000})
    with pytest.raises(reservation.NotCached):
        store.hold({first: 1000, uuid4(): 1000})
    status, stats = api("GET", "cache/stats")
    assert (stats["hits"], stats["misses"], stats["hit_rate"]) == (6, 1, 85.71)

    assert api("DELETE", "cache/flush") == (
        200,
        {"keys_eliminadas": 3, "mensaje": "✅ Cache limpiado: 3 productos removidos"},
    )
    assert api("GET", "cache/stats")[1]["total_keys"] == 0
    api("POST", "cache/warmup")
    assert store.available(first) == 5000  # the holds were not forgotten


def test_a_tienda_sees_its_own(store: Store, api: Api) -> None:
    other = Store()
    producto = other.product()
    other.warm()
    api("POST", "cache/warmup")
    assert api("DELETE", "cache/flush")[1]["keys_eliminadas"] == 0
    assert api("GET", f"productos/{producto}")[0] == 404
    assert api("GET", "productos")[1]["results"] == []
    assert api("GET", "productos", desde="")[1]["results"] == []
    assert other.available(producto) == 10_000


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "cache/warmup"), ("GET", "cache/stats"), ("DELETE", "cache/flush")]
)
def test_the_cache_is_not_a_cashier_s(store: Store, method: str, path: str) -> None:
    store.product()
    store.warm()
    status, body = api_of(store, Rol.CAJERO)(method, path)
    assert (status, body["codigo"]) == (403, "rol_insuficiente")
    assert Client().generic(method, f"/api/v1/{path}").status_code == 401


def test_a_warmup_while_a_cold_start_is_due(store: Store, api: Api) -> None:
    store.warm()
    store.disarm()
    status, body = api("POST", "cache/warmup")
    assert (status, body["codigo"]) == (503, "arranque_en_frio")
    assert api.headers["Retry-After"] == "5"  # type: ignore[attr-defined] # see api_of


def test_redis_away(store: Store, api: Api, services: Services) -> None:
    producto = store.product()
    api("POST", "cache/warmup")
    services.redis.kill()
    for method, path in (("POST", "cache/warmup"), ("GET", "cache/stats"), ("DELETE", "cache/flush")):
        assert api(method, path)[0] == 503
    services.redis.start()
    assert api("GET", f"productos/{producto}")[1]["disponible"] is None  # another run of the server: not armed


# --- products


def test_a_product_as_a_till_sees_it(store: Store, api: Api) -> None:
    producto = store.product(
        stock="2.5", precio="1250.50", nombre="Queso", sku="Q-1", codigo_barras="750", unidad="KG", impuesto=Decimal(8)
    )
    status, cold = api("GET", f"productos/{producto}")
    assert (status, cold["disponible"]) == (200, None)
    store.warm()
    store.hold({producto: 1125})
    _status, body = api("GET", f"productos/{producto}")
    assert datetime.fromisoformat(body.pop("actualizado")).tzinfo is not None
    assert body == {
        "id": str(producto),
        "sku": "Q-1",
        "codigo_barras": "750",
        "nombre": "Queso",
        "unidad": "KG",
        "precio": 1250.5,
        "impuesto": 8.0,
        "stock_actual": 2.5,
        "disponible": 1.375,
        "is_active": True,
        "catalogo_version": 1,
    }
    assert api_of(store, Rol.CAJERO)("GET", "productos", q="750")[1]["results"][0]["disponible"] == 1.375


def test_unknown_products(api: Api) -> None:
    assert api("GET", f"productos/{uuid4()}")[0] == 404
    assert api("GET", "productos/7")[0] == 404


def test_pages_of_a_search(store: Store, api: Api) -> None:
    products = {store.product(nombre=f"Leche {number}") for number in range(5)}
    store.product(nombre="Pan")
    seen: list[UUID] = []
    status, body = api("GET", "productos", q="leche", limite=2)
    assert (status, body["count"], body["previous"], body["hasta"]) == (200, 5, None, None)
    seen += ids(body)
    for _page in range(2):
        _status, body = api("GET", body["next"])
        seen += ids(body)
    assert (body["next"], len(seen), set(seen)) == (None, 5, products)
    _status, body = api("GET", body["previous"])
    assert ids(body) == seen[2:4]
    _status, body = api("GET", "productos", q="leche", pagina=9)
    assert (body["results"], body["count"], body["next"]) == ([], 5, None)
    assert api("GET", "productos", limite=4)[1]["count"] == 6
    assert api("GET", "productos", q="nada")[1]["count"] == 0


def test_what_changed_since(store: Store, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventario.selectors.OVERLAP", timedelta(0))
    products = store.products(5)
    status, body = api("GET", "productos", desde="", limite=2)
    assert (status, body["count"]) == (200, None)
    copied = ids(body)
    while body["next"]:
        _status, body = api("GET", body["next"])
        copied += ids(body)
    assert sorted(copied) == sorted(products)

    _status, body = api("GET", "productos", desde=body["hasta"])
    assert (body["results"], body["next"]) == ([], None)
    change_product(producto_id=products[3], change=ProductChange(is_active=False))
    store.warm()
    _status, body = api("GET", "productos", desde=body["hasta"])
    (changed,) = body["results"]
    assert (changed["id"], changed["is_active"], changed["catalogo_version"]) == (str(products[3]), False, 2)
    assert products[3] not in ids(api("GET", "productos")[1])


def test_a_moment_is_taken_with_its_offset(store: Store, api: Api) -> None:
    producto = store.product()
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert ids(api("GET", "productos", desde=hour_ago.isoformat())[1]) == [producto]
    assert ids(api("GET", f"http://testserver/api/v1/productos?desde={hour_ago.isoformat()}")[1]) == [producto]
    assert ids(api("GET", "productos", desde=(hour_ago + timedelta(hours=2)).isoformat())[1]) == []


@pytest.mark.parametrize(
    "query",
    [
        {"desde": "ayer"},
        {"desde": "2026-01-01T00:00:00"},
        {"desde": "2026-13-01T00:00:00Z"},
        {"desde": "2026-01-01T00:00:00Z~7~2026-01-01T00:00:00Z"},
        {"desde": "2026-01-01T00:00:00Z~" + str(uuid4())},
        {"desde": "2026-01-01T00:00:00Z", "q": "leche"},
        {"limite": 0},
        {"limite": 501},
        {"limite": "x"},
        {"pagina": 0},
        {"pagina": 10_001},
        {"q": "x" * 101},
        {"q": "\x00"},
    ],
)
def test_questions_that_make_no_sense(api: Api, query: dict[str, Any]) -> None:
    status, body = api("GET", "productos", **query)
    assert (status, body["codigo"]) == (400, "datos_invalidos")


@pytest.mark.parametrize("desde", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
def test_moments_at_the_edge(store: Store, api: Api, desde: str) -> None:
    store.product()
    status, body = api("GET", "productos", desde=desde)
    assert (status, len(body["results"])) == (200, int(desde.startswith("0001")))


def test_a_bare_post_over_a_real_web_server(store: Store, spawn: Spawner) -> None:
    store.product()
    _row, token = give_token(hire(store.shop, rol=Rol.ENCARGADO), store.shop, rol=Rol.ENCARGADO)
    web = spawn.web()
    web.wait_ready()
    connection = HTTPConnection("127.0.0.1", web.port, timeout=10)
    for method, path in (("POST", "warmup"), ("GET", "stats"), ("DELETE", "flush")):
        connection.putrequest(method, f"/api/v1/cache/{path}")  # as curl -X sends it: no body, no length, no type
        connection.putheader("Authorization", f"Bearer {token}")
        connection.endheaders()
        response = connection.getresponse()
        body = orjson.loads(response.read())
        assert (response.status, 1 in body.values()) == (200, True), body
    connection.close()
