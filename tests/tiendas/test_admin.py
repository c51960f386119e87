"""The admin: what each role sees and changes, and that a change there ends what it should."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from blend_pos.tiendas.access import Access
from blend_pos.tiendas.access_cache import session_name, token_name
from blend_pos.tiendas.access_lookup import find_access
from blend_pos.tiendas.models import Membresia, Terminal, Tienda, TokenTerminal
from scripts.services import Services
from tests.tiendas.confirming import post_confirmed
from tests.tiendas.people import PASSWORD, Shop, give_token, hire, open_shop, session_key, sign_in


@pytest.fixture
def root(live_db: None) -> Client:
    usuario = hire(is_staff=True)
    usuario.is_superuser = True
    usuario.save()
    return sign_in(usuario)


@pytest.fixture
def administrador(shop: Shop) -> Client:
    return sign_in(hire(shop, rol="administrador", is_staff=True))


def opens(name: str) -> Access | None:
    return find_access(name=name, now=timezone.now())


def test_a_new_tienda_has_a_terminal(root: Client) -> None:
    nombre = f"Nueva {timezone.now()}"
    answer = root.post(
        "/admin/tiendas/tienda/add/",
        {
            "nombre": nombre,
            "zona_horaria": "America/Tijuana",
            "moneda": "MXN",
            "configuracion_regional": "es-MX",
            "is_active": "on",
        },
    )
    assert answer.status_code == 302
    tienda = Tienda.objects.get(nombre=nombre)
    assert [terminal.numero for terminal in Terminal.objects.filter(tienda=tienda)] == [1]


def test_a_time_zone_is_checked(root: Client) -> None:
    answer = root.post("/admin/tiendas/tienda/add/", {"nombre": "x", "zona_horaria": "Marte", "moneda": "MXN"})
    assert "no es una zona horaria" in answer.content.decode()


def token_data(shop: Shop, usuario: User, **other: str) -> dict[str, str]:
    return {"terminal": str(shop.terminal.pk), "user": str(usuario.pk), "rol": "cajero", **other}


def test_a_token_is_shown_once(administrador: Client, shop: Shop) -> None:
    usuario = hire(shop)
    page = administrador.post("/admin/tiendas/tokenterminal/add/", token_data(shop, usuario))
    [secret] = re.findall(r"blend_[0-9a-f]{64}", page.content.decode())
    row = TokenTerminal.objects.get(user=usuario)

    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert secret not in str(page.cookies)
    assert opens(token_name(secret))
    for address in ("/admin/tiendas/tokenterminal/", f"/admin/tiendas/tokenterminal/{row.pk}/change/", "/admin/"):
        assert secret not in administrador.get(address).content.decode()


def test_a_token_that_would_open_nothing_is_refused(administrador: Client, shop: Shop) -> None:
    page = administrador.post("/admin/tiendas/tokenterminal/add/", token_data(shop, hire(shop), rol="administrador"))
    assert "no puede más que su persona" in page.content.decode()


@pytest.mark.parametrize("way", ["action", "page"])
def test_a_token_is_revoked(administrador: Client, shop: Shop, way: str) -> None:
    row, secret = give_token(hire(shop), shop)
    assert opens(token_name(secret))
    if way == "action":
        asked = {"action": "delete_selected", "_selected_action": row.pk}
        assert administrador.post("/admin/tiendas/tokenterminal/", asked).status_code == 200
        assert opens(token_name(secret)), "it was only asked"
        administrador.post("/admin/tiendas/tokenterminal/", {**asked, "post": "yes"})
    else:
        administrador.post(f"/admin/tiendas/tokenterminal/{row.pk}/delete/", {"post": "yes"})
    assert opens(token_name(secret)) is None
    assert not TokenTerminal.objects.filter(pk=row.pk).exists()


def test_a_membership_changed_or_removed(administrador: Client, shop: Shop) -> None:
    usuario = hire(shop)
    name = session_name(session_key(sign_in(usuario)))
    membresia = Membresia.objects.get(usuario=usuario)
    assert opens(name)

    post_confirmed(administrador, f"/admin/tiendas/membresia/{membresia.pk}/change/", {"rol": "encargado"})
    changed = opens(name)
    administrador.post(
        "/admin/tiendas/membresia/",
        {"action": "delete_selected", "_selected_action": membresia.pk, "post": "yes"},
    )
    removed = opens(name)

    assert changed
    assert removed
    assert [tienda.rol for tienda in changed.tiendas.values()] == ["encargado"]
    assert not removed.tiendas


def test_a_closed_terminal_and_a_closed_tienda(root: Client, shop: Shop) -> None:
    usuario = hire(shop)
    name = token_name(give_token(usuario, shop)[1])
    assert opens(name)
    post_confirmed(root, f"/admin/tiendas/terminal/{shop.terminal.pk}/change/", {"nombre": "Caja"})
    assert opens(name) is None
    post_confirmed(root, f"/admin/tiendas/terminal/{shop.terminal.pk}/change/", {"nombre": "Caja", "is_active": "on"})
    assert opens(name)
    data = {"nombre": "Cerrada", "zona_horaria": "America/Tijuana", "moneda": "MXN", "configuracion_regional": "es-MX"}
    post_confirmed(root, f"/admin/tiendas/tienda/{shop.tienda.pk}/change/", data)
    assert opens(name) is None


def test_a_persons_password_and_end(root: Client, shop: Shop) -> None:
    usuario = hire(shop)
    session, token = session_name(session_key(sign_in(usuario))), token_name(give_token(usuario, shop)[1])
    assert opens(session)
    assert opens(token)

    root.post(f"/admin/auth/user/{usuario.pk}/password/", {"password1": PASSWORD, "password2": PASSWORD})
    assert opens(session) is None
    assert opens(token)

    post_confirmed(
        root,
        f"/admin/auth/user/{usuario.pk}/change/",
        {"username": usuario.username, "date_joined_0": "2026-01-01", "date_joined_1": "00:00"},
    )
    usuario.refresh_from_db()
    assert not usuario.is_active
    assert opens(token) is None


@pytest.mark.parametrize("way", ["action", "page"])
def test_a_deleted_person(root: Client, shop: Shop, way: str) -> None:
    usuario = hire(shop)
    token = token_name(give_token(usuario, shop)[1])
    assert opens(token)
    if way == "action":
        selected = {"action": "delete_selected", "_selected_action": str(usuario.pk), "post": "yes"}
        root.post("/admin/auth/user/", selected)
    else:
        root.post(f"/admin/auth/user/{usuario.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=usuario.pk).exists()
    assert opens(token) is None


def test_a_change_is_refused_whole_where_redis_is_away(root: Client, shop: Shop, services: Services) -> None:
    row, _secret = give_token(hire(shop), shop)
    services.redis.stop()
    answer = root.post(f"/admin/tiendas/tokenterminal/{row.pk}/delete/", {"post": "yes"})
    assert answer.status_code in {500, 503}
    assert TokenTerminal.objects.filter(pk=row.pk).exists()


PAGES = {
    "tienda": "/admin/tiendas/tienda/",
    "terminal": "/admin/tiendas/terminal/",
    "membresia": "/admin/tiendas/membresia/",
    "token": "/admin/tiendas/tokenterminal/",
    "person": "/admin/auth/user/",
}


@pytest.mark.parametrize(
    ("rol", "seen", "changed"),
    [
        ("cajero", set(), set()),
        ("encargado", {"tienda", "terminal"}, set()),
        ("administrador", {"tienda", "terminal", "membresia", "token"}, {"tienda", "terminal", "membresia"}),
    ],
)
def test_staff_see_and_change_as_far_as_their_role_goes(
    shop: Shop, rol: str, seen: set[str], changed: set[str]
) -> None:
    client = sign_in(hire(shop, rol=rol, is_staff=True))
    usuario = hire(shop)
    rows = {
        "tienda": str(shop.tienda.pk),
        "terminal": str(shop.terminal.pk),
        "membresia": str(Membresia.objects.get(usuario=usuario).pk),
        "token": give_token(usuario, shop)[0].pk,
        "person": str(usuario.pk),
    }
    lists = {name for name, address in PAGES.items() if client.get(address).status_code == 200}
    pages = {name: client.get(f"{PAGES[name]}{key}/change/") for name, key in rows.items()}
    assert lists == seen
    assert {name for name, page in pages.items() if page.status_code == 200} == seen
    assert {name for name in seen if 'name="_save"' in pages[name].content.decode()} == changed


def test_another_tienda_is_not_there(administrador: Client, shop: Shop) -> None:
    others = open_shop("Ajena")
    stranger = hire(others)
    row, _secret = give_token(stranger, others)
    membresia = Membresia.objects.get(usuario=stranger)
    for name, key in {
        "tienda": others.tienda.pk,
        "terminal": others.terminal.pk,
        "membresia": membresia.pk,
        "token": row.pk,
    }.items():
        assert others.tienda.nombre not in administrador.get(PAGES[name]).content.decode()
        assert administrador.get(f"{PAGES[name]}{key}/change/").status_code == 404

    page = administrador.post("/admin/tiendas/tokenterminal/add/", token_data(others, stranger))
    administrador.post(
        "/admin/tiendas/membresia/add/",
        {"usuario": str(stranger.pk), "tienda": str(others.tienda.pk), "rol": "administrador"},
    )
    administrador.post(
        "/admin/tiendas/tokenterminal/", {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
    )
    assert "blend_" not in page.content.decode()
    assert others.tienda.nombre not in page.content.decode()
    assert TokenTerminal.objects.filter(user=stranger).count() == 1
    assert Membresia.objects.get(usuario=stranger).rol == "cajero"


def test_who_sells_here_and_administers_there_changes_only_there(shop: Shop) -> None:
    there = open_shop()
    usuario = hire(shop, is_staff=True)
    Membresia.objects.create(usuario=usuario, tienda=there.tienda, rol="administrador")
    client = sign_in(usuario)
    assert client.get(f"{PAGES['tienda']}{there.tienda.pk}/change/").status_code == 200
    assert client.get(f"{PAGES['tienda']}{shop.tienda.pk}/change/").status_code == 404


def test_tiendas_and_terminals_are_never_deleted(root: Client, shop: Shop) -> None:
    for address in (f"{PAGES['tienda']}{shop.tienda.pk}/", f"{PAGES['terminal']}{shop.terminal.pk}/"):
        assert root.post(f"{address}delete/", {"post": "yes"}).status_code == 403
    assert Terminal.objects.filter(pk=shop.terminal.pk).exists()
