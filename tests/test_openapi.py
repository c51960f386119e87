"""The API's own description, and the page that shows it without the internet."""

import base64
import hashlib
import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    answer = Client().get("/api/v1/schema", headers={"Accept": "application/json"})
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def operations(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, item in schema["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def test_it_is_openapi_3_1_with_both_ways_in(schema: dict[str, Any]) -> None:
    assert schema["openapi"] == "3.1.0"
    schemes = schema["components"]["securitySchemes"]
    assert (schemes["token"]["scheme"], schemes["sesion"]["in"]) == ("bearer", "cookie")
    assert operations(schema)
    for name, operation in operations(schema):
        open_to_all = operation["operationId"].split("_")[0] == "sesion"
        assert operation["security"] == ([{}] if open_to_all else [{"token": []}, {"sesion": []}]), name


def test_every_error_has_the_one_shape(schema: dict[str, Any]) -> None:
    assert set(schema["components"]["schemas"]["Error"]["required"]) == {"codigo", "mensaje", "detalles"}
    for name, operation in operations(schema):
        errors = {status: body for status, body in operation["responses"].items() if status >= "400"}
        assert {"400", "401", "403", "404", "406", "503"} <= set(errors), name
        for status, body in errors.items():
            content = body["content"]["application/json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Error"}, (name, status)
            assert body["description"], (name, status)
        assert "Retry-After" in errors["503"]["headers"], name
        assert ("415" in errors) == (name.split()[0] in {"post", "put", "patch"}), name


def test_the_headers_that_choose_a_tienda_are_described(schema: dict[str, Any]) -> None:
    for name, operation in operations(schema):
        if operation["operationId"].startswith("sesion"):
            continue  # nobody sits anywhere yet
        headers = {each["name"] for each in operation["parameters"] if each["in"] == "header"}
        assert {"X-Tienda-ID", "X-Terminal-ID", "X-Usuario-ID"} <= headers, name


def test_swagger_ui_asks_nobody_outside() -> None:
    page = Client().get("/api/v1/docs")
    html = page.content.decode()
    addresses = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert addresses
    assert all(address.startswith("/") for address in addresses), addresses
    for address in addresses:
        if address.startswith("/static/"):
            assert finders.find(address.removeprefix("/static/")), address
    assert "<script>" not in html
    script = Client().get("/api/v1/docs?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert "/api/v1/schema" in script.content.decode()


def test_only_that_page_may_hold_a_style_of_its_own_and_only_this_one() -> None:
    page = Client().get("/api/v1/docs")
    styles = re.findall(r"<style>(.*?)</style>", page.content.decode(), re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() for style in styles]
    policy = page["Content-Security-Policy"]
    assert " style=" not in page.content.decode()
    assert "default-src 'self'" in policy
    assert re.findall(r"'sha256-(.*?)'", policy) == digests
    assert "unsafe" not in policy
    for address in ("/api/v1/schema", "/cuenta/login", "/admin/login/"):
        assert "style-src" not in Client().get(address)["Content-Security-Policy"], address
