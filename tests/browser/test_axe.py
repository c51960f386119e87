"""Nothing on any page, in any state, hinders who cannot see it well: both languages, light and dark."""

import os
from typing import Literal

import pytest

from tests.browser.conftest import OpenTill
from tests.browser.till_page import SCREENSHOTS
from tests.browser.walk import open_walkable, walk

STATES = 25


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("locale", "scheme"), [("es-MX", "light"), ("en-US", "dark")])
def test_axe_finds_nothing_in_any_state(open_till: OpenTill, locale: str, scheme: Literal["light", "dark"]) -> None:
    """Each state in each language and in each colour scheme; not each with each: they do not depend on one another."""
    store = open_walkable()
    till = open_till(locale=locale, scheme=scheme)
    seen = []
    for state in walk(till, store):
        seen.append(state)
        assert till.page.locator("html").get_attribute("lang") == locale[:2]
        if SCREENSHOTS in os.environ:
            till.photograph(f"{len(seen):02}-{state}-{scheme}")
        till.assert_accessible()
    assert len(set(seen)) == STATES
