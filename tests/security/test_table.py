"""Every address, by everybody, of one's own tienda and of another: as table.py says, which must have them all."""

import logging
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from cache_stock import warmup
from tests.pipeline.browser import signed_in
from tests.security.pages import assert_guarded
from tests.security.routes import FUNCTIONS, METHODS, admin_models, walk
from tests.security.table import API, MODELS, OTHERS, PAGES, Api, Model
from tests.security.world import ROLES, Place, World, fail, new_token

NO_ROW = 10**9
OBJECT = "<path:object_id>/"
KINDS = ("", "add/", f"{OBJECT}history/", f"{OBJECT}delete/", f"{OBJECT}change/", OBJECT)
ROWS = [(row.path, row.method, row) for rows in API.values() for row in rows]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Django logs a traceback for each refusal here: hundreds."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def base_of(label: str) -> str:
    """Where a model's pages are."""
    meta = next(model._meta for model in (shown.model for shown in admin_models().values()) if named(model) == label)
    return f"admin/{meta.app_label}/{meta.model_name}/"


def named(model: Any) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}"


def codes(text: str) -> list[int]:
    return [int(code) for code in text.split()]


# --- the table has everything


def test_every_address_has_its_row_and_every_row_its_address() -> None:
    usual = {base_of(label) + kind for label in MODELS for kind in KINDS}
    assert {route.pattern for route in walk()} == usual | API.keys() | PAGES.keys() | OTHERS.keys()


def test_every_method_of_the_api_and_of_a_page_has_its_row() -> None:
    for route in walk():
        if route.pattern in API:
            assert {row.method for row in API[route.pattern]} == route.methods - {"HEAD", "OPTIONS"}, route
        elif route.pattern in PAGES and route.methods != FUNCTIONS and route.name not in {"", "cuenta-clave"}:
            assert PAGES[route.pattern][1].keys() == route.methods - {"HEAD", "OPTIONS", "PUT"}, route


def test_every_model_and_every_action_of_the_admin_has_its_row(world: World) -> None:
    assert admin_models().keys() == MODELS.keys()
    for number, rol in enumerate((*ROLES, "superusuario"), start=1):
        request = RequestFactory().get("/")
        request.user = User.objects.get(pk=world.staff[rol].session["_auth_user_id"])
        for label, shown in admin_models().items():
            sees = codes(MODELS[label].rows)[number] == 200
            found = ",".join(shown.get_actions(request)) if sees else ""
            assert (found or "-") == MODELS[label].actions.split()[number], (label, rol)


# --- the API


def ask(row: Api, place: Place, world: World, who: Client, headers: dict[str, str]) -> Any:
    """What the row asks, of this place."""
    rows = {
        "{venta}": str(place.rows["venta_id"]),
        "{nueva}": str(uuid4()),
        "{producto}": str(place.shop.products[0]),
        "{otro}": str(world.foreign.shop.products[0]),
    }
    path, body = row.path, row.body or ""
    for name, key in rows.items():
        path, body = path.replace(name, key), body.replace(name, key)
    answer = who.generic(row.method, f"/api/v1/{path}", body, "application/json", headers=headers)
    assert_guarded(answer)
    return answer


def seats(world: World) -> Iterator[tuple[int, str, dict[str, str]]]:
    """Nobody, and each role by token and by session."""
    yield 0, "nadie", {}
    for number, rol in enumerate(ROLES, start=1):
        token = world.own.shop.seats[0].tokens[rol]
        yield number, f"token {rol}", {"Authorization": f"Bearer {token}"}
        yield number, f"session {rol}", signed_in(world.own.shop, "", rol=rol).headers


@pytest.mark.parametrize(("path", "method", "row"), ROWS, ids=[f"{method} {path}" for path, method, _row in ROWS])
def test_the_api(path: str, method: str, row: Api, world: World) -> None:
    for number, who, headers in list(seats(world))[: None if row.seated else 3]:  # the others are no different there
        warmup.warm_tienda(tienda_id=world.own.shop.tienda_id, now_ms=int(time.time() * 1000))  # flush came before
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        if "Cookie" in headers or row.seated or method == "GET":
            answer = ask(row, world.own, world, client, headers)
            assert answer.status_code == codes(row.own)[number], (who, answer.content)
        if row.foreign is not None:
            assert ask(row, world.foreign, world, client, headers).status_code == codes(row.foreign)[number], who
        if row.seated and headers:
            elsewhere = {**headers, "X-Tienda-ID": str(world.foreign.shop.tienda_id)}
            refused = ask(row, world.own, world, client, elsewhere)
            assert (refused.status_code, refused.json()["codigo"]) == (404, "tienda_no_existe"), who
        if "Cookie" in headers and method != "GET":
            forged = ask(row, world.own, world, client, {**headers, "X-CSRFToken": ""})
            assert (forged.status_code, forged.json()["codigo"]) == (403, "csrf"), who


@pytest.mark.parametrize("pattern", API)
def test_no_other_method_does_anything(pattern: str, world: World) -> None:
    token = {"Authorization": f"Bearer {world.own.shop.seats[0].tokens['administrador']}"}
    row = API[pattern][0]
    has = {one.method for one in API[pattern]}
    for method in set(METHODS) - has:
        other = Api(row.path, method, body=row.body)
        expected = 200 if method == "HEAD" and "GET" in has else 405
        assert ask(other, world.own, world, Client(), token).status_code == expected, method


def test_a_list_has_only_ones_own(world: World) -> None:
    token = {"Authorization": f"Bearer {world.own.shop.token}"}
    other = world.foreign
    for path in ("ventas?limite=500", "productos?limite=500", f"productos/disponible?id={other.shop.products[0]}"):
        text = Client().get(f"/api/v1/{path}", headers=token).content.decode()
        assert str(other.rows["venta_id"]) not in text
        assert f'"id":"{other.shop.products[0]}"' not in text
    assert text == f'{{"disponible":{{"{other.shop.products[0]}":null}}}}'


# --- pages


@pytest.mark.parametrize("pattern", PAGES)
def test_pages(pattern: str, world: World) -> None:
    path, methods = PAGES[pattern]
    for method, expected in methods.items():
        for number, who in enumerate((Client(), signed_in_client(world))):
            answer = who.generic(method, path)
            assert answer.status_code == codes(expected)[number], (method, number)
            assert_guarded(answer)


def signed_in_client(world: World) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(world.own.shop.users["cajero"], backend="django.contrib.auth.backends.ModelBackend")
    return client


# --- the admin


def matches(world: World, path: str, expected: str, *, method: str = "GET", roles: tuple[str, ...] = ()) -> None:
    """Whether each of them (of `roles`, if there are such) gets what is expected."""
    for (rol, client), code in zip(world.staff.items(), codes(expected), strict=True):
        if not roles or rol in roles:
            answer = client.generic(method, f"/{path}")
            assert answer.status_code == code, (method, path, rol)
            assert_guarded(answer)


@pytest.mark.parametrize("label", MODELS)
def test_the_admins_models(label: str, world: World) -> None:
    pages, base = MODELS[label], base_of(label)
    matches(world, base, pages.rows)
    matches(world, f"{base}add/", pages.add)
    matches(world, f"{base}add/", pages.add, method="POST", roles=ROLES)
    if label in world.own.rows:
        own, foreign = (place.rows[label] for place in (world.own, world.foreign))
        _objects(world, pages, f"{base}{own}/")
        if pages.look != "302 403 403 403 200":
            _foreign_objects(world, pages, f"{base}{foreign}/")
            assert f"/{foreign}/change/" not in world.staff["administrador"].get(f"/{base}").content.decode()
    else:  # nobody but a superuser gets as far as to look for a row
        matches(
            world, f"{base}{NO_ROW}/history/", "302 302 302 302 302"
        )  # where there is no such row: to the first page
        for page in ("delete/", "change/"):
            matches(world, f"{base}{NO_ROW}/{page}", pages.look, roles=("nadie", *ROLES))
    for page in ("", "add/"):
        assert world.outsider.get(f"/{base}{page}").status_code == 302  # to sign in: no member of staff


def _objects(world: World, pages: Model, base: str) -> None:
    matches(world, f"{base}history/", pages.history)
    matches(world, f"{base}delete/", pages.delete)
    matches(world, f"{base}change/", pages.look)
    matches(world, f"{base}change/", pages.change, method="POST", roles=ROLES)
    matches(world, f"{base}delete/", pages.delete, method="POST", roles=ROLES[:2])
    matches(world, base, "302 302 302 302 302", roles=("administrador",))  # on to change/


def _foreign_objects(world: World, pages: Model, base: str) -> None:
    """404 to whoever may see such rows at all; to the others what they are told of their own."""

    def of_another(expected: str) -> str:
        *staff, root = expected.split()
        return " ".join(["404" if code == "200" else code for code in staff] + [root])

    matches(world, f"{base}history/", of_another(pages.history), roles=ROLES)
    for method, expected in (("GET", pages.look), ("POST", pages.change)):
        matches(world, f"{base}change/", of_another(expected), method=method, roles=ROLES)
        matches(world, f"{base}delete/", of_another(pages.delete), method=method, roles=ROLES)


@pytest.mark.parametrize("pattern", OTHERS)
def test_the_admins_other_addresses(pattern: str, world: World) -> None:
    for path, get, post, foreign in OTHERS[pattern]:
        matches(world, path.format(**world.own.rows), get)
        if post:
            matches(world, path.format(**world.own.rows), post, method="POST")
        if foreign:
            for method in ("GET", "POST"):
                matches(world, path.format(**world.foreign.rows), foreign, method=method, roles=("nadie", *ROLES))


def test_an_action_on_another_tiendas_rows_does_nothing(world: World) -> None:
    administrador = world.staff["administrador"]
    token, failed = new_token(world.foreign), fail(world.foreign.shop.tienda_id)
    membresia = world.foreign.rows["tiendas_membresia"]
    for path, action, key in (
        ("tiendas/tokenterminal", "revoke", token.pk),
        ("tiendas/membresia", "delete_selected", membresia),
        ("ventas/ventafallida", "descartar", failed.pk),
    ):
        administrador.post(f"/admin/{path}/", {"action": action, "_selected_action": key, "post": "yes"})
    failed.refresh_from_db()
    assert failed.estado == "ABIERTA"
    assert type(token).objects.filter(pk=token.pk).exists()
    assert User.objects.filter(membresias=membresia).exists()


@pytest.mark.parametrize(
    "query", ["usuario__password__startswith=a", "tienda__epoch=1", "usuario__is_superuser=1", "q=&_to_field=id__x"]
)
def test_a_list_does_not_tell_by_its_filters_what_it_does_not_show(query: str, world: World) -> None:
    answer = world.staff["administrador"].get(f"/admin/tiendas/membresia/?{query}")
    assert answer.status_code in {302, 400}, query
