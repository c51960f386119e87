"""Every failure under /api/ has the one shape, and tells nobody what is inside."""

import logging

import pytest
from django.test import Client
from pytest_django import Settings

from tests.tiendas.people import bearer, give_token, hire, open_shop

pytestmark = pytest.mark.urls("tests.tiendas.urlconf")
WHO = "/api/v1/quien"


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.fixture
def token(live_db: None) -> dict[str, str]:
    shop = open_shop()
    return bearer(give_token(hire(shop), shop)[1])


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        ("validation", (400, "datos_invalidos", None)),
        ("suspicious", (400, "peticion_rechazada", None)),
        ("permission_denied", (403, "sin_permiso", None)),
        ("http404", (404, "no_existe", None)),
        ("not_found", (404, "no_existe", None)),
        ("throttled", (429, "demasiadas_peticiones", "3")),
        ("bug", (500, "error_interno", None)),
        ("postgresql", (503, "base_no_disponible", "5")),
        ("redis", (503, "redis_no_disponible", "2")),
    ],
)
def test_what_a_view_raises(
    client: Client, token: dict[str, str], failure: str, expected: tuple[int, str, str | None]
) -> None:
    answer = client.get(f"/api/v1/falla/{failure}", headers=token)
    body = answer.json()
    assert (answer.status_code, body["codigo"], answer.headers.get("Retry-After")) == expected
    assert answer["Content-Type"] == "application/json"
    assert set(body) == {"codigo", "mensaje", "detalles"}
    assert body["mensaje"]
    assert b"secreto" not in answer.content


def test_a_validation_error_names_the_field(client: Client, token: dict[str, str]) -> None:
    assert list(client.get("/api/v1/falla/validation", headers=token).json()["detalles"]) == ["cantidad"]


def test_a_bug_is_logged_with_its_traceback(
    client: Client, token: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="blend_pos.errors"):
        client.get("/api/v1/falla/bug", headers=token)
    [record] = [record for record in caplog.records if record.name == "blend_pos.errors"]
    assert record.exc_info
    assert record.exc_info[0] is ZeroDivisionError


@pytest.mark.parametrize(
    ("failure", "status"),
    [("suspicious", 400), ("permission_denied", 403), ("http404", 404), ("bug", 500), ("postgresql", 503)],
)
def test_what_is_raised_outside_the_framework(client: Client, failure: str, status: int) -> None:
    answer = client.get(f"/api/v1/fuera/{failure}")
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/json")
    assert set(answer.json()) == {"codigo", "mensaje", "detalles"}
    page = client.get(f"/fuera/{failure}")
    assert page.status_code == status
    assert page["Content-Type"].startswith("text/")
    assert b"secreto" not in answer.content + page.content


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_an_unknown_address(settings: Settings, debug: bool, method: str) -> None:
    settings.DEBUG = debug
    client = Client(enforce_csrf_checks=True)
    for path in ("/api/", "/api/v1/nada", "/api/v1/quien/"):
        answer = getattr(client, method)(path)
        assert (answer.status_code, answer.json()["codigo"]) == (404, "direccion_no_existe")
    assert client.get("/nada").status_code == 404


def test_a_host_that_is_not_ours(client: Client) -> None:
    answer = client.get(WHO, headers={"Host": "otro.example"})
    assert (answer.status_code, answer.json()["codigo"]) == (400, "peticion_rechazada")


def test_the_wrong_method(client: Client, token: dict[str, str]) -> None:
    answer = client.delete(WHO, headers=token)
    assert (answer.status_code, answer.json()["codigo"]) == (405, "metodo_no_permitido")


def test_the_wrong_format(client: Client, token: dict[str, str]) -> None:
    answer = client.get(WHO, headers={**token, "Accept": "text/html"})
    assert (answer.status_code, answer.json()["codigo"]) == (406, "formato_no_aceptado")
    answer = client.post(WHO, {"a": "1"}, headers=token)
    assert (answer.status_code, answer.json()["codigo"]) == (415, "tipo_no_soportado")


def test_in_english_for_who_asks_so(client: Client, live_db: None) -> None:
    spanish = client.get(WHO).json()
    english = client.get(WHO, headers={"Accept-Language": "en"}).json()
    assert spanish["codigo"] == english["codigo"]
    assert spanish["mensaje"].startswith("Falta identificarse")
    assert english["mensaje"].startswith("Say who you are")
