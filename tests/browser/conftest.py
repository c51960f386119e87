"""Chromium against web, worker and maintenance as they run in a shop, on the tests' own servers.

Playwright's synchronous API runs an event loop in the thread of the tests; Django would refuse the ORM there, to keep
a loop from being blocked. This one waits for the test anyway, so it is told not to. The loop ends with this package.
"""

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import pytest
from django.db import connection, connections
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from scripts import binaries, processes
from scripts.till import node_package
from tests.browser.store import Store, open_store
from tests.browser.till_page import TillPage
from tests.browser.watching import Watch
from tests.conftest import ENVIRONMENT, SERVICES
from tests.pipeline.processes import QUICK, Pipeline
from tests.pipeline.rabbit import default_host
from tests.spawning import Spawner

DESKTOP = (1366, 768)
TABLET = (1024, 768)
EXPECT_MS = 15_000  # a machine that does much else is slow, and nothing else
# What the screen did not show in time, and what a gesture did not reach; never what was counted (docs/adr/0031).
SLOW = ["Locator expected", "Page expected", "TimeoutError"]
# Else it looks for its maker at every start.
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Headless Chromium has no printer, and throws. What would go onto the paper is kept, as print CSS shows it or not.
PRINTER = """globalThis.papers = [];
globalThis.print = () => globalThis.papers.push(document.getElementById("ticket").textContent);"""
OpenTill = Callable[..., TillPage]


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """A browser's test that was overtaken by its machine is run once more, and the run says so."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=SLOW))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all of these tests; each gets contexts of its own. Root's has no sandbox: it needs a user.

    Playwright's own Node wants a library that a bare Debian lacks (libatomic1); the till's does not.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        patch.setenv("PLAYWRIGHT_NODEJS_PATH", str(node_package() / "bin" / "node"))
        yield from _launched()


def _launched() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=EXPECT_MS)
        found = playwright.chromium.launch(
            executable_path=binaries.chromium(), args=QUIET, chromium_sandbox=os.geteuid() != 0
        )
        yield found
        found.close()


@pytest.fixture(scope="package")
def long_lived(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pipeline]:
    """The processes, with the till's assets where whitenoise looks for them when it starts."""
    with django_db_blocker.unblock():
        database = SERVICES.postgres.database_url(connection.settings_dict["NAME"])
        connections.close_all()
    environment = {**os.environ, **ENVIRONMENT, **QUICK, "DATABASE_URL": database}
    collect = processes.manage("collectstatic", "--no-input", "--verbosity=0")
    subprocess.run(collect, env=environment, check=True)
    host = default_host(SERVICES.rabbit)
    host.purge()
    spawner = Spawner(folder=tmp_path_factory.mktemp("browser"), environment=environment)
    yield Pipeline(host, spawner)
    spawner.end_all()


@pytest.fixture
def pipeline(browser: Browser, long_lived: Pipeline, live_db: None) -> Iterator[Pipeline]:
    """Running processes, whatever the test before did to them; empty queues."""
    long_lived.start()
    long_lived.host.purge()
    yield long_lived
    print(f"--- web\n{long_lived.web.log_tail()}\n--- worker\n{long_lived.worker.log_tail()}")


@pytest.fixture
def store(pipeline: Pipeline) -> Store:
    """A tienda of the test's own, with one till."""
    return open_store()


@pytest.fixture
def open_till(browser: Browser, pipeline: Pipeline, tmp_path: Path) -> Iterator[OpenTill]:
    """Opens /caja/ on a new device. What Watch saw on any of them fails the test, besides what holds one of `but`."""
    with ExitStack() as ends:

        def open_one(
            *,
            size: tuple[int, int] = DESKTOP,
            touch: bool = False,
            locale: str = "es-MX",
            scheme: Literal["light", "dark"] = "light",
            but: Sequence[str] = (),
        ) -> TillPage:
            context = browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                has_touch=touch,
                locale=locale,
                timezone_id="America/Mexico_City",
                color_scheme=scheme,
                reduced_motion="reduce",
            )
            context.add_init_script(PRINTER)
            watch = Watch(context, url=pipeline.web.url)
            ends.callback(watch.assert_clean, but=but)
            ends.callback(context.close)
            return TillPage(context.new_page(), url=pipeline.web.url, watch=watch, folder=tmp_path).open()

        yield open_one


@pytest.fixture
def till(open_till: OpenTill, store: Store) -> TillPage:
    """A cashier's till, signed in through the screen."""
    return open_till().sign_in(store)
