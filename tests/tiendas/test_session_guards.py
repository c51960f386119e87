"""/api/v1/sesion where something is away, and the limit to guessing seen from its edges."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from blend_pos.tiendas.sign_in import LockedOut, WrongCredentials, check_password
from scripts.services import Services
from tests.tiendas.people import PASSWORD, Shop, hire, session_key, sign_in

SESSION = "/api/v1/sesion"
LIMIT = settings.AXES_FAILURE_LIMIT


@pytest.fixture
def usuario(shop: Shop) -> User:
    usuario = hire(shop)
    usuario.set_password(PASSWORD)
    usuario.save()
    return usuario


def enter(client: Client, username: str, clave: str = PASSWORD, **more: Any) -> Any:
    return client.post(SESSION, {"usuario": username, "clave": clave, **more}, content_type="application/json")


def check(username: str, password: str, shop: Shop) -> User:
    request = RequestFactory().post("/")
    return check_password(request=request, username=username, password=password, tienda_id=str(shop.tienda.pk))


def test_a_right_password_forgives_without_signing_in(usuario: User, shop: Shop) -> None:
    for _ in range(2):
        for _ in range(LIMIT - 1):
            with pytest.raises(WrongCredentials):
                check(usuario.username, "no", shop)
        assert check(usuario.username, PASSWORD, shop).pk == usuario.pk


def test_the_right_password_opens_nothing_while_it_is_locked(usuario: User, shop: Shop) -> None:
    for _ in range(LIMIT - 1):
        with pytest.raises(WrongCredentials):
            check(usuario.username, "no", shop)
    for password in ("no", PASSWORD):
        with pytest.raises(LockedOut):
            check(usuario.username, password, shop)


def test_failures_add_up_over_addresses_and_programs(usuario: User, shop: Shop) -> None:
    statuses = [
        enter(
            Client(REMOTE_ADDR=f"10.0.0.{place}", HTTP_USER_AGENT=f"p{place}"),
            usuario.username,
            "no",
            tienda_id=str(shop.tienda.pk),
        ).status_code
        for place in range(LIMIT)
    ]
    assert statuses == [401] * (LIMIT - 1) + [429]


def test_a_name_written_otherwise_is_nobody(client: Client, usuario: User) -> None:
    assert enter(client, usuario.username.upper()).status_code == HTTPStatus.UNAUTHORIZED
    assert enter(client, f" {usuario.username} ").status_code == HTTPStatus.OK
    for place in range(LIMIT):
        enter(client, usuario.username + " " * place, "no")
    assert enter(client, usuario.username).status_code == HTTPStatus.TOO_MANY_REQUESTS


def test_the_login_page_is_limited_too(usuario: User, shop: Shop) -> None:
    client = Client()
    for _ in range(LIMIT):
        client.post("/cuenta/login", {"username": usuario.username, "password": "no"})
    locked = client.post("/cuenta/login", {"username": usuario.username, "password": PASSWORD})
    assert locked.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert enter(client, usuario.username, tienda_id=str(shop.tienda.pk)).status_code == HTTPStatus.OK


def test_signing_in_gives_the_session_another_key(usuario: User) -> None:
    client = sign_in(usuario)
    before = session_key(client)
    client.delete(SESSION)
    client.cookies[settings.SESSION_COOKIE_NAME] = before

    assert enter(client, usuario.username).status_code == HTTPStatus.OK

    assert session_key(client) != before


def test_postgresql_away(
    client: Client, usuario: User, without_sql: Callable[[], AbstractContextManager[None]]
) -> None:
    with without_sql():
        assert client.get(SESSION).status_code == HTTPStatus.OK  # nobody is signed in: no query
        refused = enter(client, usuario.username)
    assert (refused.status_code, refused.json()["codigo"]) == (503, "base_no_disponible")


def test_redis_away(client: Client, usuario: User, services: Services) -> None:
    entered = sign_in(usuario)
    services.redis.stop()
    seen = client.get(SESSION)
    left = entered.delete(SESSION)
    assert (seen.status_code, seen.json()["usuario"]) == (HTTPStatus.OK, None)
    assert (left.status_code, left.json()["codigo"]) == (503, "acceso_no_disponible")
