"""Which middleware the API passes by, and the policy that most answers share."""

import pytest
from django.conf import settings
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("address", "has_session"),
    [
        ("/api/v1/ventas", False),
        ("/api/v1/sesion", True),
        ("/api/v1/nowhere", False),
        ("/cuenta/login", True),
        ("/admin/login/", True),
        ("/caja/", True),
    ],
)
def test_the_api_keeps_no_session_beside_its_sign_in(address: str, has_session: bool) -> None:
    request = Client().get(address).wsgi_request
    assert hasattr(request, "session") is has_session
    assert hasattr(request, "_messages") is has_session


def test_a_page_without_its_slash_is_found_and_an_address_of_the_api_is_not() -> None:
    found = Client().get("/cuenta")
    assert (found.status_code, found["Location"]) == (301, "/cuenta/")
    assert Client().get("/api/v1/schema/").status_code == 404


def test_most_answers_share_one_policy_and_it_is_that_of_the_settings() -> None:
    policies = {Client().get(address)["Content-Security-Policy"] for address in ("/api/v1/ventas", "/cuenta/login")}
    (policy,) = policies
    for name, sources in settings.CONTENT_SECURITY_POLICY["DIRECTIVES"].items():
        assert f"{name} {' '.join(sources)}" in policy
    assert Client().get("/caja/")["Content-Security-Policy"] not in policies
