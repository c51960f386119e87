"""manage.py golive_check: settings that are not for a shop, web's among them, and those that are another's."""

import re

import pytest

from scripts.ports import free_port
from tests.conftest import SERVICES
from tests.golive.open_shop import OpenShop

pytestmark = pytest.mark.timeout(300)


SETTINGS: dict[str, tuple[dict[str, str], str, str]] = {
    "DEBUG": ({"DEBUG": "true"}, "settings.debug", "DEBUG=false"),
    "key": ({"SECRET_KEY": "change-me"}, "settings.secret_key", "token_urlsafe(48)"),
    "hosts": ({"ALLOWED_HOSTS": "*,localhost"}, "settings.allowed_hosts", "el nombre de la tienda"),
    "no TLS on a network": ({"ALLOWED_HOSTS": "caja.example.com"}, "settings.tls", "HTTPS=true"),
    "short token": ({"METRICS_TOKEN": "abc"}, "settings.metrics_token", "METRICS_TOKEN"),
}


@pytest.mark.parametrize("what", SETTINGS)
def test_a_setting_that_is_not_for_a_shop(open_shop: OpenShop, what: str) -> None:
    environment, key, todo = SETTINGS[what]
    found = open_shop.check("--no-sale", environment=environment)

    assert key in found.failed
    assert todo in found.lines[key]["todo"]


def test_webs_own_debug_is_seen(open_shop: OpenShop) -> None:
    """Its settings may be others than those of the command."""
    web = open_shop.spawn.web(environment={"DEBUG": "true"})
    web.wait_ready()
    try:
        found = open_shop.check("--no-sale", f"--web-url={web.url}")
    finally:
        web.stop()

    assert found.failed == {"web.debug"}
    assert "DEBUG=false" in found.said("web.debug")
    assert found.lines["settings.debug"]["state"] == "ok"


def test_a_name_that_web_does_not_answer_to_is_said(open_shop: OpenShop) -> None:
    found = open_shop.check("--no-sale", environment={"ALLOWED_HOSTS": "caja.example.com"})

    assert {"web.metrics", "web.debug"} <= found.failed
    assert "contesta 400" in found.said("web.metrics")
    assert "ALLOWED_HOSTS" in found.said("web.metrics")


def test_the_password_that_rabbitmq_comes_with_is_said(open_shop: OpenShop) -> None:
    url = f"amqp://guest:guest@127.0.0.1:{SERVICES.rabbit.port}//"
    found = open_shop.check("--no-sale", environment={"RABBITMQ_URL": url})

    assert "settings.passwords" in found.failed
    assert "RABBITMQ_URL" in found.said("settings.passwords")


def test_an_address_with_a_password_is_not_told(open_shop: OpenShop) -> None:
    address = "http://admin:s3cretpassword@127.0.0.1/prom"
    found = open_shop.check("--no-sale", f"--prometheus-url={address}")

    assert found.failed == {"monitoring.prometheus"}
    assert "s3cret" not in found.text


def test_the_redis_that_knows_who_asks_is_looked_at_too(open_shop: OpenShop) -> None:
    """Web's as well: without it no till is known, and nothing is sold."""
    nowhere = {"CACHE_URL": f"redis://:{'x' * 20}@127.0.0.1:{free_port()}/1"}
    web = open_shop.spawn.web(environment=nowhere)
    web.wait_ready()
    try:
        of_web = open_shop.check("--no-sale", f"--web-url={web.url}")
    finally:
        web.stop()
    own = open_shop.check("--no-sale", environment=nowhere)

    assert "web no alcanza: cache" in of_web.said("web.metrics")
    assert "web.metrics" in of_web.failed
    assert own.failed == {"redis.cache"}
    assert "CACHE_URL" in own.said("redis.cache")


WRONG = {
    "redis.aof": ("REDIS_URL", SERVICES.redis.database_url(5)),
    "rabbitmq.workers": ("RABBITMQ_URL", SERVICES.rabbit.url),
    "postgresql.durable": ("DATABASE_URL", SERVICES.postgres.url),
}


@pytest.mark.parametrize("key", WRONG)
def test_a_wrong_password_is_no_server_that_is_away(open_shop: OpenShop, key: str) -> None:
    name, url = WRONG[key]
    found = open_shop.check("--no-sale", environment={name: re.sub(":[^:/]*@", f":{'x' * 20}@", url)})

    assert key in found.failed
    assert "no deja entrar" in found.said(key)
