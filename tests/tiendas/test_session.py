"""/api/v1/sesion: the till's way in, and its lock."""

from http import HTTPStatus
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client

from blend_pos.tiendas import shops
from blend_pos.tiendas.models import Membresia, Rol, Terminal, Tienda
from tests.tiendas.people import PASSWORD, Shop, hire, open_shop, sign_in

SESSION = "/api/v1/sesion"


@pytest.fixture
def usuario(shop: Shop) -> User:
    usuario = hire(shop)
    usuario.set_password(PASSWORD)
    usuario.save()
    return usuario


def enter(client: Client, usuario: User, clave: str = PASSWORD, **more: Any) -> Any:
    body = {"usuario": usuario.username, "clave": clave, **more}
    return client.post(SESSION, body, content_type="application/json")


def test_in_and_out(client: Client, usuario: User, shop: Shop) -> None:
    nobody = client.get(SESSION)
    assert (nobody.status_code, nobody.json()["usuario"], nobody.json()["tiendas"]) == (200, None, [])
    assert nobody.cookies[settings.CSRF_COOKIE_NAME].value

    entered = enter(client, usuario)

    assert entered.status_code == HTTPStatus.OK
    assert entered.json()["usuario"] == {"id": usuario.pk, "nombre": usuario.username}
    (tienda,) = entered.json()["tiendas"]
    assert (tienda["id"], tienda["rol"], tienda["codigos_balanza"]) == (
        str(shop.tienda.pk),
        "cajero",
        ["20IIIIIWWWWWC"],
    )
    assert tienda["terminales"] == [{"id": str(shop.terminal.pk), "numero": 1, "nombre": "Caja 1"}]
    assert client.get(SESSION).json()["usuario"]["id"] == usuario.pk
    assert client.get("/api/v1/ventas").status_code == HTTPStatus.OK

    assert client.delete(SESSION).status_code == HTTPStatus.NO_CONTENT
    assert client.get(SESSION).json()["usuario"] is None
    assert client.get("/api/v1/ventas").status_code == HTTPStatus.UNAUTHORIZED


def test_what_changes_something_needs_the_csrf_token(usuario: User) -> None:
    client = Client(enforce_csrf_checks=True)
    refused = enter(client, usuario)
    assert (refused.status_code, refused.json()["codigo"]) == (403, "csrf")

    client.get(SESSION)
    token = client.cookies[settings.CSRF_COOKIE_NAME].value
    body = {"usuario": usuario.username, "clave": PASSWORD}
    entered = client.post(SESSION, body, content_type="application/json", headers={"X-CSRFToken": token})

    assert entered.status_code == HTTPStatus.OK
    assert client.delete(SESSION).status_code == HTTPStatus.FORBIDDEN


def test_every_wrong_name_or_password_is_answered_alike(client: Client, usuario: User, shop: Shop) -> None:
    gone = hire(shop)
    gone.set_password(PASSWORD)
    gone.is_active = False
    gone.save()

    answers = [enter(client, usuario, "no"), enter(client, gone), enter(client, User(username="nadie"))]

    assert {(answer.status_code, answer.content) for answer in answers} == {(401, answers[0].content)}
    assert answers[0].json()["codigo"] == "credenciales_invalidas"


@pytest.mark.parametrize(
    "body",
    [{}, {"usuario": "ana"}, {"usuario": "ana", "clave": "x", "tienda_id": "y"}, {"usuario": ["a"], "clave": {}}, []],
)
def test_a_body_that_is_none(client: Client, body: Any, shop: Shop) -> None:
    answer = client.post(SESSION, body, content_type="application/json")
    assert (answer.status_code, answer.json()["codigo"]) == (400, "datos_invalidos")


def test_guessing_is_limited_by_person_and_tienda(client: Client, usuario: User, shop: Shop) -> None:
    other = open_shop()
    shops.save_membership(membresia=Membresia(usuario=usuario, tienda=other.tienda, rol=Rol.CAJERO))
    here, there = str(shop.tienda.pk), str(other.tienda.pk)

    guesses = [enter(client, usuario, "no", tienda_id=here) for _ in range(settings.AXES_FAILURE_LIMIT)]

    assert [guess.status_code for guess in guesses] == [401] * (settings.AXES_FAILURE_LIMIT - 1) + [429]
    locked = enter(client, usuario, tienda_id=here)
    assert (locked.status_code, locked.json()["codigo"]) == (429, "cuenta_bloqueada")
    assert int(locked["Retry-After"]) == 15 * 60
    assert enter(Client(REMOTE_ADDR="10.0.0.9"), usuario, tienda_id=here).status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert enter(client, usuario, tienda_id=there).status_code == HTTPStatus.OK


def test_inventing_tiendas_gains_no_guess(client: Client, usuario: User) -> None:
    strange = open_shop()
    tiendas = [None, str(strange.tienda.pk), *(str(uuid4()) for _ in range(settings.AXES_FAILURE_LIMIT))]

    statuses = [enter(client, usuario, "no", tienda_id=tienda).status_code for tienda in tiendas]

    assert statuses[settings.AXES_FAILURE_LIMIT - 1 :] == [429, 429, 429]


def test_a_success_forgives_the_failures_before_it(client: Client, usuario: User, shop: Shop) -> None:
    for _ in range(2):
        for _ in range(settings.AXES_FAILURE_LIMIT - 1):
            assert enter(client, usuario, "no", tienda_id=str(shop.tienda.pk)).status_code == HTTPStatus.UNAUTHORIZED
        assert enter(client, usuario, tienda_id=str(shop.tienda.pk)).status_code == HTTPStatus.OK


def test_only_open_tiendas_and_their_active_terminals(shop: Shop) -> None:
    closed = open_shop()
    usuario = hire(shop, closed)
    closed.tienda.is_active = False
    shops.save_tienda(tienda=closed.tienda)
    second = Terminal(tienda=shop.tienda, numero=2, nombre="Caja 2")
    shops.save_terminal(terminal=second)
    shops.save_terminal(terminal=Terminal(tienda=shop.tienda, numero=3, nombre="Caja 3", is_active=False))

    (tienda,) = sign_in(usuario).get(SESSION).json()["tiendas"]

    assert [terminal["numero"] for terminal in tienda["terminales"]] == [1, 2]


def test_somebody_of_no_tienda_is_let_in_and_told(client: Client, shop: Shop) -> None:
    usuario = User.objects.create_user(f"nadie-{uuid4().hex[:8]}", password=PASSWORD)

    assert enter(client, usuario).json()["tiendas"] == []


@pytest.mark.parametrize("pattern", ["", "20IIIIIWWWWWC", "21IIIIWWWWWWC 02IIIIIWWWWWC", "20WWWWWIIIIIC"])
def test_scale_patterns(pattern: str) -> None:
    Tienda(nombre="x", codigos_balanza=pattern).clean_fields()


@pytest.mark.parametrize(
    "pattern", ["20IIIIIWWWWW", "IIIIIIIWWWWWC", "20IIIWWWWWIIC", "20IIIIIPPPPPC", "20IIIIIWWWWWCC"]
)
def test_scale_patterns_that_are_none(pattern: str) -> None:
    with pytest.raises(ValidationError, match="codigos_balanza"):
        Tienda(nombre="x", codigos_balanza=pattern).clean_fields()


@pytest.mark.parametrize(
    ("locale", "sound"), [("es-MX", True), ("en", True), ("pt-BR", True), ("es_MX", False), ("", False)]
)
def test_locales(locale: str, sound: bool) -> None:
    tienda = Tienda(nombre="x", configuracion_regional=locale)
    if sound:
        tienda.clean_fields()
    else:
        with pytest.raises(ValidationError, match="configuracion_regional"):
            tienda.clean_fields()
