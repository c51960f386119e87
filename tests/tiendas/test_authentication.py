"""Who asks, over HTTP: by token, by session."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from blend_pos.tiendas.tokens import revoke_token
from scripts.services import Services
from tests.tiendas.people import Shop, bearer, give_token, hire, open_shop, session_key, sign_in

pytestmark = pytest.mark.urls("tests.tiendas.urlconf")
WHO = "/api/v1/quien"
Forbid = Callable[[], AbstractContextManager[None]]


def test_a_token_seats_its_terminal(client: Client, shop: Shop) -> None:
    usuario = hire(shop)
    answer = client.get(WHO, headers=bearer(give_token(usuario, shop)[1]))
    assert answer.json() == {
        "usuario": usuario.username,
        "tienda": str(shop.tienda.pk),
        "terminal": str(shop.terminal.pk),
        "rol": "cajero",
        "kind": "token",
    }


def test_a_request_costs_no_sql_by_token(
    client: Client, cajero_token: dict[str, str], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert client.get(WHO, headers=cajero_token).status_code == 200
    with django_assert_num_queries(0):
        assert client.get(WHO, headers=cajero_token).status_code == 200
        assert client.post(WHO, {"a": 1}, "application/json", headers=cajero_token).status_code == 200


def test_a_request_costs_no_sql_by_session(shop: Shop, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = sign_in(hire(shop))
    assert client.get(WHO).status_code == 200
    with django_assert_num_queries(0):
        assert client.get(WHO).json()["kind"] == "sesion"
        assert client.post(WHO, {"a": 1}, "application/json").status_code == 200


def test_postgresql_is_asked_once_and_its_absence_is_a_503(
    client: Client, cajero_token: dict[str, str], without_sql: Forbid
) -> None:
    with without_sql():
        answer = client.get(WHO, headers=cajero_token)
    assert (answer.status_code, answer.json()["codigo"]) == (503, "acceso_no_disponible")
    assert int(answer["Retry-After"]) > 0
    assert client.get(WHO, headers=cajero_token).status_code == 200
    with without_sql():
        assert client.get(WHO, headers=cajero_token).status_code == 200


def test_redis_away_is_a_503(client: Client, cajero_token: dict[str, str], services: Services) -> None:
    assert client.get(WHO, headers=cajero_token).status_code == 200
    services.redis.stop()
    answer = client.get(WHO, headers=cajero_token)
    assert (answer.status_code, answer.json()["codigo"]) == (503, "acceso_no_disponible")
    assert int(answer["Retry-After"]) > 0


@pytest.mark.usefixtures("live_db")
@pytest.mark.parametrize(
    ("header", "codigo"),
    [
        ("", "no_autenticado"),
        ("Basic YTpi", "no_autenticado"),
        ("Token abc", "no_autenticado"),
        ("Bearer", "credenciales_invalidas"),
        ("Bearer ", "credenciales_invalidas"),
        ("Bearer abc", "credenciales_invalidas"),
        ("Bearer blend_" + "0" * 64, "credenciales_invalidas"),
        ("Bearer blend_" + "0" * 64 + " x", "credenciales_invalidas"),
        ("Bearer ñ\u0000", "credenciales_invalidas"),
    ],
)
def test_who_does_not_say_who_asks_is_told_how(client: Client, header: str, codigo: str) -> None:
    answer = client.get(WHO, headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.json()["codigo"]) == (401, codigo)
    assert answer["WWW-Authenticate"] == 'Bearer realm="blend_pos"'
    if codigo == "no_autenticado":
        assert "Authorization: Bearer" in answer.json()["mensaje"]


def test_what_is_no_token_is_not_looked_up(
    client: Client, live_db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert client.get(WHO, headers=bearer("abc")).status_code == 401
        client.cookies["sessionid"] = "../../etc"
        assert client.get(WHO).status_code == 401


def test_a_revoked_token_is_turned_away(client: Client, shop: Shop) -> None:
    token, secret = give_token(hire(shop), shop)
    assert client.get(WHO, headers=bearer(secret)).status_code == 200
    revoke_token(token=token)
    assert client.get(WHO, headers=bearer(secret)).status_code == 401


def test_a_bad_token_is_not_helped_by_a_session(shop: Shop) -> None:
    assert sign_in(hire(shop)).get(WHO, headers=bearer("abc")).status_code == 401


def test_a_logged_out_session_is_turned_away(shop: Shop) -> None:
    client = sign_in(hire(shop))
    key = session_key(client)
    assert client.get(WHO).status_code == 200
    client.logout()
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    assert client.get(WHO).status_code == 401


def test_a_session_needs_the_csrf_token_to_change_something(shop: Shop) -> None:
    client = sign_in(hire(shop), enforce_csrf_checks=True)
    assert client.get(WHO).status_code == 200
    answer = client.post(WHO, {"a": 1}, "application/json")
    assert (answer.status_code, answer.json()["codigo"]) == (403, "csrf")

    client.get("/cuenta/clave")
    csrf = client.cookies["csrftoken"].value
    assert client.post(WHO, {"a": 1}, "application/json", headers={"X-CSRFToken": csrf}).status_code == 200


def test_a_session_of_another_person_than_the_window_believes_is_refused(
    shop: Shop, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    usuario, colleague = hire(shop), hire(shop)
    client = sign_in(usuario, enforce_csrf_checks=True)
    assert client.get(WHO).status_code == 200

    with django_assert_num_queries(0):
        assert client.get(WHO, headers={"X-Usuario-ID": str(usuario.pk)}).status_code == 200
        for named in (str(colleague.pk), f"0{usuario.pk}", f"{usuario.pk}.0", "nadie", ""):
            for answer in (
                client.get(WHO, headers={"X-Usuario-ID": named}),
                client.post(WHO, {"a": 1}, "application/json", headers={"X-Usuario-ID": named}),
            ):
                assert (answer.status_code, answer.json()["codigo"]) == (401, "otra_persona"), named
                assert "otra persona" in answer.json()["mensaje"]


def test_a_token_is_who_it_is_whomever_a_header_names(client: Client, shop: Shop) -> None:
    headers = bearer(give_token(hire(shop), shop)[1])
    assert client.get(WHO, headers={**headers, "X-Usuario-ID": "nadie"}).status_code == 200


def test_a_token_needs_no_csrf_token(shop: Shop) -> None:
    client = Client(enforce_csrf_checks=True)
    headers = bearer(give_token(hire(shop), shop)[1])
    assert client.post(WHO, {"a": 1}, "application/json", headers=headers).status_code == 200


def test_another_tienda_does_not_exist(client: Client, shop: Shop) -> None:
    usuario, others = hire(shop), open_shop()
    token = bearer(give_token(usuario, shop)[1])
    for name in (str(others.tienda.pk), str(uuid4()), "nada"):
        for who, headers in ((client, token), (sign_in(usuario), {})):
            answer = who.get(WHO, headers={**headers, "X-Tienda-ID": name})
            assert (answer.status_code, answer.json()["codigo"]) == (404, "tienda_no_existe")
    answer = client.get(WHO, headers={**token, "X-Terminal-ID": str(others.terminal.pk)})
    assert (answer.status_code, answer.json()["codigo"]) == (404, "terminal_no_existe")


def test_a_person_of_several_tiendas_names_one(shop: Shop) -> None:
    second = open_shop()
    client = sign_in(hire(shop, second))

    unnamed = client.get(WHO)
    named = client.get(WHO, headers={"X-Tienda-ID": str(second.tienda.pk)})

    assert (unnamed.status_code, unnamed.json()["codigo"]) == (400, "tienda_sin_nombrar")
    offered = {tienda["id"] for tienda in unnamed.json()["detalles"]["tiendas"]}
    assert offered == {str(shop.tienda.pk), str(second.tienda.pk)}
    assert (named.status_code, named.json()["terminal"]) == (200, str(second.terminal.pk))


def test_a_person_of_no_tienda_may_nothing(live_db: None) -> None:
    answer = sign_in(hire()).get(WHO)
    assert (answer.status_code, answer.json()["codigo"]) == (403, "sin_tienda")


@pytest.mark.parametrize("rol", ["cajero", "encargado", "administrador"])
def test_roles(client: Client, shop: Shop, rol: str) -> None:
    usuario = hire(shop, rol=rol)
    token = bearer(give_token(usuario, shop, rol=rol)[1])
    paths = [WHO, "/api/v1/encargado", "/api/v1/administrador"]
    allowed = ["cajero", "encargado", "administrador"].index(rol) + 1
    expected = [200] * allowed + [403] * (3 - allowed)
    assert [client.get(path, headers=token).status_code for path in paths] == expected
    assert [sign_in(usuario).get(path).status_code for path in paths] == expected
    if rol == "cajero":
        assert client.get(paths[1], headers=token).json()["codigo"] == "rol_insuficiente"
