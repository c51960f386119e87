"""Cookies, redirects, hosts, caches and forms, as a shop has them in production."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import urllib3
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from scripts import processes
from tests.security.conftest import PRODUCTION
from tests.security.pages import assert_guarded
from tests.security.world import World
from tests.spawning import Web
from tests.tiendas.people import PASSWORD

HTTPS = {"X-Forwarded-Proto": "https", "Host": "pos.example.com"}
ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example",
    "/\\evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "https://pos.example.com@evil.example",
    "\t//evil.example",
    "http://testserver.evil.example/",
]


def get(web: Web, path: str, method: str = "GET", **headers: str) -> Any:
    return urllib3.request(method, web.url + path, headers={**HTTPS, **headers}, redirect=False, retries=False)


def test_djangos_own_check_for_production_is_clean(process_environment: dict[str, str]) -> None:
    command = processes.manage("check", "--deploy", "--fail-level", "WARNING")
    done = subprocess.run(
        command, env={**process_environment, **PRODUCTION}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_cookies(web: Web, world: World) -> None:
    session = get(web, "/api/v1/sesion")
    (csrf,) = session.headers.getlist("Set-Cookie")
    token = csrf.partition("=")[2].partition(";")[0]
    assert {part.strip() for part in csrf.split(";")[1:]} >= {"Path=/", "SameSite=Strict", "Secure"}
    person = person_of(world)
    entered = urllib3.request(
        "POST",
        f"{web.url}/api/v1/sesion",
        json={"usuario": person.username, "clave": PASSWORD},
        headers={
            **HTTPS,
            "Cookie": f"csrftoken={token}",
            "X-CSRFToken": token,
            "Referer": "https://pos.example.com/caja/",
        },
    )
    assert entered.status == 200, entered.data
    found = {cookie.partition("=")[0]: cookie for cookie in entered.headers.getlist("Set-Cookie")}
    name, attributes = "__Host-sessionid", {"Path=/", "SameSite=Lax", "Secure", "HttpOnly"}
    assert {part.strip() for part in found[name].split(";")[1:]} >= attributes
    assert "domain" not in found[name].lower()
    assert set(found) == {name, "csrftoken"}


def person_of(world: World) -> User:
    person = world.own.shop.users["cajero"]
    person.set_password(PASSWORD)
    person.save()
    return person


def test_https_only(web: Web) -> None:
    for path in ("/caja/", "/api/v1/sesion", "/cuenta/login"):
        plain = get(web, path, **{"X-Forwarded-Proto": "http"})
        assert (plain.status, plain.headers["Location"]) == (301, f"https://pos.example.com{path}")
        secure = get(web, path)
        assert secure.status == 200
        assert secure.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_prometheus_is_not_sent_to_https(web: Web) -> None:
    redirected = {"/metrics": False, "/metrics/": True, "/caja/metrics": True}
    found = {path: get(web, path, **{"X-Forwarded-Proto": "http"}).status == 301 for path in redirected}
    assert found == redirected


@pytest.mark.parametrize("host", ["evil.example", "pos.example.com.evil.example", "pos.example.com:80@evil", ""])
def test_a_host_that_is_not_ours(web: Web, host: str) -> None:
    for path in ("/caja/", "/api/v1/sesion", "/cuenta/login", "/api/v1/nada", "/admin/"):
        answer = get(web, path, Host=host)
        assert answer.status == 400, path
        assert b"evil" not in answer.data
    assert get(web, "/caja/", **{"X-Forwarded-Host": host}).status == 200


def test_a_static_page_is_guarded_too(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "till").mkdir()
    (tmp_path / "till" / "index.html").write_text("<p>x</p>")
    settings.STATIC_ROOT = tmp_path
    answer = Client().get("/static/till/index.html")
    assert answer.status_code == 200
    assert b"".join(answer) == b"<p>x</p>"
    answer.close()
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"


# --- redirects


@pytest.fixture
def entering(world: World) -> dict[str, str]:
    return {"username": person_of(world).username, "password": PASSWORD}


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nobody_is_sent_elsewhere(entering: dict[str, str], target: str) -> None:
    client = Client()
    # The admin lets only staff in; for this person it shows its form again.
    for page, field in (("/cuenta/login", "next"), ("/cuenta/logout", "next"), ("/admin/login/", "next")):
        answer = client.post(page, {**entering, field: target}, query_params={field: target})
        assert "evil" not in answer.get("Location", ""), page
        assert "javascript" not in answer.get("Location", ""), page
        if answer.status_code == 200:
            assert_guarded(answer)
    assert "//evil" not in client.get(f"/{target.lstrip('/')}").get("Location", "")


def test_one_is_sent_on_within(entering: dict[str, str]) -> None:
    answer = Client().post("/cuenta/login", {**entering, "next": "/caja/"})
    assert answer["Location"] == "/caja/"


# --- forms


def test_no_form_is_taken_without_its_token(world: World) -> None:
    forms = ["/cuenta/login", "/cuenta/logout", "/cuenta/clave", "/admin/login/", "/admin/logout/"]
    key = world.own.rows["inventario_producto"]
    forms += ["/admin/tiendas/membresia/add/", f"/admin/inventario/producto/{key}/movimiento/"]
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.cookies = world.staff["superusuario"].cookies
    for form in forms:
        for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            answer = client.post(form, {"username": "x", "password": "y"}, headers=headers)
            assert answer.status_code == 403, (form, headers)
            assert_guarded(answer)


def test_what_goes_wrong_is_guarded_too(world: World) -> None:
    client = world.staff["superusuario"]
    for path in ("/nada", "/admin/nada/", "/api/v1/nada", "/admin/tiendas/membresia/?usuario__password__startswith=a"):
        assert_guarded(client.get(path))
    assert_guarded(client.get("/caja/", headers={"Host": "evil.example"}))


def test_the_pages_that_show_a_secret_or_decide(world: World) -> None:
    client, shop = world.staff["superusuario"], world.own.shop
    made = client.post(
        "/admin/tiendas/tokenterminal/add/",
        {"terminal": shop.seats[0].terminal_id, "user": shop.users["cajero"].pk, "rol": "cajero"},
    )
    assert made.content.count(b"blend_") == 1
    chosen = {"action": "delete_selected", "_selected_action": world.own.rows["auth_user"]}
    for answer in (made, client.post("/admin/auth/user/", chosen)):
        assert answer.status_code == 200
        assert_guarded(answer)
