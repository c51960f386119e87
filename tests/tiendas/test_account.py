"""/cuenta/: the doors for people, and the lock on them."""

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from tests.tiendas.people import PASSWORD, Shop, hire, sign_in


@pytest.fixture
def usuario(shop: Shop) -> User:
    usuario = hire(shop)
    usuario.set_password(PASSWORD)
    usuario.save()
    return usuario


def log_in(client: Client, usuario: User, password: str = PASSWORD) -> int:
    return client.post("/cuenta/login", {"username": usuario.username, "password": password}).status_code


def test_in_and_out(client: Client, usuario: User, shop: Shop) -> None:
    assert client.get("/cuenta/")["Location"] == "/cuenta/login?next=/cuenta/"
    assert log_in(client, usuario) == 302
    page = client.get("/cuenta/").content.decode()
    assert usuario.username in page
    assert shop.tienda.nombre in page
    assert client.get("/api/v1/ventas").status_code == 200

    assert client.post("/cuenta/logout")["Location"] == "/cuenta/login"

    assert client.get("/api/v1/ventas").status_code == 401


@pytest.mark.parametrize("address", ["/cuenta/login", "/admin/login/"])
def test_guessing_is_limited_by_name(client: Client, usuario: User, shop: Shop, address: str) -> None:
    other = hire(shop)
    other.set_password(PASSWORD)
    other.save()
    guesses = [
        client.post(address, {"username": usuario.username, "password": "no"}).status_code
        for _ in range(settings.AXES_FAILURE_LIMIT)
    ]

    assert guesses == [200] * (settings.AXES_FAILURE_LIMIT - 1) + [429]
    assert log_in(client, usuario) == 429
    assert (
        "Demasiados intentos"
        in client.post("/cuenta/login", {"username": usuario.username, "password": PASSWORD}).content.decode()
    )
    assert log_in(client, other) == 302


def test_a_success_forgives_the_failures_before_it(client: Client, usuario: User) -> None:
    for _ in range(2):
        for _ in range(settings.AXES_FAILURE_LIMIT - 1):
            assert log_in(client, usuario, "no") == 200
        assert log_in(client, usuario) == 302


def test_the_login_form_is_guarded(usuario: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert log_in(client, usuario) == 403


def test_a_password_is_changed_in_one_place(usuario: User) -> None:
    usuario.is_staff = True
    usuario.save()
    assert sign_in(usuario).get("/admin/password_change/")["Location"] == "/cuenta/clave"


@pytest.mark.parametrize("address", ["/cuenta/login", "/cuenta/", "/cuenta/clave"])
def test_pages_hold_nothing_that_their_policy_forbids(usuario: User, address: str) -> None:
    page = sign_in(usuario).get(address)
    html = page.content.decode()
    assert "default-src 'self'" in page["Content-Security-Policy"]
    assert "<style" not in html
    assert " style=" not in html
    assert "<script" not in html
    assert "http" not in html.replace("http-equiv", "")
