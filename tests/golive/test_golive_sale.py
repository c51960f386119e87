"""manage.py golive_check: the smoke sale goes through web, as a till's does, and sees what web alone has wrong."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.db import connection

from blend_pos.tiendas.models import SONDA_ID
from scripts.ports import free_port
from tests.conftest import SERVICES
from tests.golive.open_shop import OpenShop, Report
from tests.pipeline.rabbit import VirtualHost, manage
from tests.polling import wait_until

pytestmark = pytest.mark.timeout(300)

TOKENS = f"""
SELECT count(*) FROM tokens_terminal JOIN terminales ON terminales.id = terminal_id WHERE tienda_id = '{SONDA_ID}'
"""
READS_ALONE = {"configure": "^$", "write": "^$", "read": ".*"}


def through(shop: OpenShop, **environment: str) -> Report:
    """What the check says of a web with other settings than everybody else's. Nothing of its token is left."""
    web = shop.spawn.web(environment=environment)
    web.wait_ready()
    try:
        found = shop.check(f"--web-url={web.url}")
    finally:
        web.stop()
    assert shop.sql(TOKENS) == [(0,)]
    assert not re.search("blend_[0-9a-f]{8}", found.text)
    return found


@contextmanager
def reader(host: VirtualHost) -> Iterator[str]:
    """The address of a user who may put nothing anywhere."""
    name, password = f"reader-{uuid4().hex[:8]}", uuid4().hex
    manage(host.rabbit, "PUT", f"users/{name}", body={"password": password, "tags": ""})
    manage(host.rabbit, "PUT", f"permissions/{host.name}/{name}", body=READS_ALONE)
    url = urlsplit(host.url)
    try:
        yield url._replace(netloc=f"{name}:{password}@{url.hostname}:{url.port}").geturl()
    finally:
        manage(host.rabbit, "DELETE", f"users/{name}")


def test_a_sale_leaves_no_token_and_a_worker_writes_it(open_shop: OpenShop) -> None:
    found = open_shop.check()

    assert {found.lines[key]["state"] for key in ("sale.taken", "sale.written", "sale.ledger")} == {"ok"}, found.text
    assert open_shop.sql(TOKENS) == [(0,)]


WEBS = {
    "the sessions' Redis is away": ("CACHE_URL", f"redis://127.0.0.1:{free_port()}/0", "acceso_no_disponible"),
    "another Redis": ("REDIS_URL", SERVICES.redis.database_url(7), "arranque_en_frio"),
}


@pytest.mark.parametrize("what", WEBS)
def test_a_web_that_sells_nothing_is_said(open_shop: OpenShop, what: str) -> None:
    name, url, codigo = WEBS[what]
    found = through(open_shop, **{name: url})

    assert found.failed >= {"sale.taken", "sale.written", "sale.ledger"}
    assert codigo in found.lines["sale.taken"]["seen"]
    assert name in found.lines["sale.taken"]["todo"]


@pytest.mark.usefixtures("live_db")
def test_a_web_with_another_database_is_said(open_shop: OpenShop) -> None:
    other = urlsplit(SERVICES.postgres.url)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    found = through(open_shop, DATABASE_URL=other)

    assert found.failed >= {"sale.taken", "sale.written", "sale.ledger"}
    assert "credenciales_invalidas" in found.lines["sale.taken"]["seen"]
    assert "DATABASE_URL" in found.lines["sale.taken"]["todo"]


def test_a_web_whose_user_may_not_send_is_said(open_shop: OpenShop) -> None:
    with reader(open_shop.host) as url:
        found = through(open_shop, RABBITMQ_URL=url, RABBITMQ_DECLARES="false")

    assert found.failed == {"sale.taken", "sale.written", "sale.ledger"}
    assert "cola_no_disponible" in found.said("sale.taken")
    assert "broker_setup" in found.said("sale.taken")


def test_a_web_whose_sales_the_workers_take_for_forged_is_said(open_shop: OpenShop) -> None:
    """They are promised, and written by the sweep's copies alone, late."""
    found = through(open_shop, SECRET_KEY="another-one-" * 5)

    assert found.lines["sale.taken"]["state"] == "ok"
    assert "sale.written" in found.failed
    for said in ("SECRET_KEY", "ILEGIBLE"):
        assert said in found.said("sale.written")
    forged = "FROM ventas_fallidas WHERE motivo = 'ILEGIBLE'"
    wait_until(lambda: bool(open_shop.sql(f"SELECT 1 {forged}")), timeout_s=60, what="it says true: there is one")
    open_shop.sql(f"DELETE {forged}")


def test_a_web_that_sends_where_nobody_takes_is_said(open_shop: OpenShop) -> None:
    other = VirtualHost(SERVICES.rabbit, f"golive-{uuid4().hex[:8]}")
    other.create()
    try:
        found = through(open_shop, RABBITMQ_URL=other.url)
    finally:
        other.delete()

    assert found.lines["sale.taken"]["state"] == "ok"
    assert "sale.written" in found.failed
    assert "virtual host" in found.said("sale.written")
