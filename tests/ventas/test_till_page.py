"""/caja/: the till as it was built, under a policy of its own."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings
from whitenoise.middleware import WhiteNoiseMiddleware

from ventas import till

PAGE = "/caja/"


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def test_the_page_is_public_and_asked_for_each_time(client: Client) -> None:
    page = client.get(PAGE)

    assert page.status_code == 200
    assert page["Cache-Control"] == "no-cache"
    assert "camera=(self)" in page["Permissions-Policy"]
    assert client.get(PAGE, headers={"If-None-Match": page["ETag"]}).status_code == 304
    assert client.post(PAGE).status_code == 405
    assert [client.get(address)["Location"] for address in ("/", "/caja")] == [PAGE, PAGE]


def test_its_policy_lets_nothing_in_from_elsewhere(client: Client) -> None:
    policy = dict(part.strip().split(" ", 1) for part in client.get(PAGE)["Content-Security-Policy"].split(";"))

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert policy["frame-ancestors"] == "'none'"
    assert not [part for part in policy.values() if re.search(r"unsafe-inline|'unsafe-eval'|http|\*", part)]
    assert "wasm" not in client.get("/cuenta/login")["Content-Security-Policy"]


def test_the_page_holds_nothing_that_its_policy_forbids(client: Client) -> None:
    html = client.get(PAGE).content.decode()

    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|https?://|\son\w+=", html)
    for address in re.findall(r'(?:src|href)="/static/([^"]+)"', html):
        assert (Path(settings.BASE_DIR) / "ventas" / "static" / address).exists(), address


def test_the_service_worker_is_served_where_its_scope_is(client: Client) -> None:
    worker = client.get("/caja/sw.js")

    assert worker["Content-Type"] == "text/javascript; charset=utf-8"
    assert '"/caja/"' in worker.content.decode() or 'url:"/caja/"' in worker.content.decode()
    assert client.get("/caja/sw.js", headers={"If-None-Match": worker["ETag"]}).status_code == 304


def test_a_till_that_is_not_built_says_how(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(till, "BUILT", tmp_path)

    answer = client.get(PAGE)

    assert (answer.status_code, answer.content.decode()) == (503, "La caja no está construida: make till.")


def test_what_carries_its_content_in_its_name_is_kept_for_ever() -> None:
    with override_settings(STATIC_ROOT=till.BUILT.parent):  # as collectstatic lays it out
        whitenoise = WhiteNoiseMiddleware(lambda _request: HttpResponse(status=404))
    urls = [url for url in whitenoise.files if url.startswith("/static/till/")]
    kept = {url for url in urls if "immutable" in whitenoise(RequestFactory().head(url))["Cache-Control"]}

    assert kept
    assert kept == {url for url in urls if "/till/assets/" in url} != set(urls)
