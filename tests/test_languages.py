"""The language of an answer."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("asked", "spoken"), [("en", "en"), ("en-GB,en;q=0.8", "en"), ("es-MX", "es"), ("fr", "es")])
def test_an_answer_says_its_language_and_that_it_depends_on_who_asks(asked: str, spoken: str) -> None:
    answer = Client().get("/api/v1/ventas", headers={"Accept-Language": asked})
    assert answer["Content-Language"] == spoken
    assert "Accept-Language" in answer["Vary"]


def test_a_page_that_no_language_changes_says_nothing_of_it() -> None:
    answer = Client().get("/caja/", headers={"Accept-Language": "en"})
    assert "Content-Language" not in answer
    assert "Accept-Language" not in answer.get("Vary", "")
