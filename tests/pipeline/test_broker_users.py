"""Each part under its own user of the broker, and the application's role of PostgreSQL: it does all that it has to, and
what it has not to is refused."""

import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from io import StringIO
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import amqp
import pytest
import urllib3
from amqp.exceptions import AccessRefused
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from kombu import Connection
from pytest_django import Settings

from tests.conftest import SERVICES
from tests.pipeline.messages import hold, put
from tests.pipeline.processes import QUICK, THREADS
from tests.pipeline.rabbit import FAILED, SALES, VirtualHost
from tests.pipeline.shop import open_shop
from tests.pipeline.till import Till
from tests.polling import poll, wait_until
from tests.spawning import Spawner
from tests.test_database_roles import ROLES
from ventas import broker, broker_setup, broker_users, publisher, tasks, topology

Parts = Mapping[str, Mapping[str, str]]
Act = Callable[[Any], Any]
MAINTENANCE = topology.MAINTENANCE_QUEUE.name
EXCHANGE = topology.SALES_EXCHANGE.name
DEAD_LETTERS = topology.DEAD_LETTER_EXCHANGE.name


@pytest.fixture(scope="module")
def host() -> Iterator[VirtualHost]:
    found = VirtualHost(SERVICES.rabbit, f"own-{uuid4().hex[:8]}")
    found.create()
    yield found
    found.delete()


@pytest.fixture(scope="module")
def parts(host: VirtualHost) -> Parts:
    """What `manage.py broker_setup` made, by the name of the part."""
    output = StringIO()
    with override_settings(RABBITMQ_URL=host.url):
        call_command("broker_setup", "--json", prefix=host.name, stdout=output)
    found: Parts = json.loads(output.getvalue())
    return found


@contextmanager
def as_part(parts: Parts, part: str) -> Iterator[amqp.Connection]:
    opened = Connection(parts[part]["RABBITMQ_URL"], connect_timeout=5).transport.establish_connection()
    try:
        yield opened
    finally:
        opened.collect()


@pytest.fixture
def app_database(live_db: None) -> Iterator[str]:
    """The tests' database, as deploy/postgresql/roles.sql lets the application in."""
    password = uuid4().hex
    with connection.cursor() as cursor:
        cursor.execute(ROLES.read_text())
        cursor.execute(f"ALTER ROLE blend_app PASSWORD '{password}'")
    found = urlsplit(SERVICES.postgres.database_url(connection.settings_dict["NAME"]))
    yield found._replace(netloc=f"blend_app:{password}@{found.netloc.rpartition('@')[2]}").geturl()
    with connection.cursor() as cursor:
        cursor.execute("ALTER ROLE blend_app NOLOGIN")


# --- what each has to


def test_a_sale_a_retry_a_dead_letter_and_the_archive(
    host: VirtualHost, parts: Parts, spawn: Spawner, app_database: str
) -> None:
    environment = {part: {**QUICK, **found, "DATABASE_URL": app_database} for part, found in parts.items()}
    web = spawn.web(blocking_threads=THREADS, environment=environment["web"])
    worker = spawn.worker(environment=environment["worker"])
    maintenance = spawn.maintenance(environment=environment["maintenance"])
    shop = open_shop(stock=100)
    for process in (web, worker, maintenance):
        process.wait_ready()
    till = Till(web.url, shop.token)

    sold = till.call("POST", "ventas/checkout", body=cart(shop.products[0]), headers={"Idempotency-Key": str(uuid4())})
    assert sold.status == HTTPStatus.CREATED, sold
    shop.settle_down(ventas=1)

    failing = hold(shop, [(shop.products[1], 7_000)], cajero_id=2_000_000_000)
    put(host, [failing])  # tried three times: published twice more by the worker, then as failed
    host.publish(b"\xff no message of ours")  # rejected: to the dead letters
    host.wait_ready(FAILED, 2)
    assert worker.log_text.count("sale cannot be persisted") == 3

    orphan = hold(shop, [(shop.products[2], 1_000)])  # held, and its message lost: the sweep publishes it

    def told() -> bool:
        """Told again each second: what is due is due at its own time."""
        tell(parts, tasks.archive_failed)
        tell(parts, tasks.sweep)
        return poll(lambda: bool(shop.fallidas()) and UUID(orphan["venta_id"]) in shop.written(), timeout_s=1)

    wait_until(told, timeout_s=30, what="the failed sale is archived, the orphan written")
    assert [str(failed.venta_id) for failed in shop.fallidas()] == [failing["venta_id"]]
    host.wait_empty(FAILED)
    shop.assert_exact(reservado=7_000)
    for process in (web, worker, maintenance):
        assert "ACCESS_REFUSED" not in process.log_text
        assert "permission denied" not in process.log_text


def cart(producto: UUID) -> dict[str, Any]:
    return {"items": [{"producto_id": str(producto), "cantidad": 1}], "metodo_pago": "EFECTIVO"}


def tell(parts: Parts, task: Any) -> None:
    """As beat does, under its user; a process of it has RABBITMQ_DECLARES off, and so it declares nothing."""
    with Connection(parts["beat"]["RABBITMQ_URL"], connect_timeout=5) as opened:
        task.apply_async(connection=opened, declare=[])


def test_maintenance_counts_what_is_unfinished(host: VirtualHost, parts: Parts, settings: Settings) -> None:
    for name, value in parts["maintenance"].items():
        setattr(settings, name, False if value == "false" else value)
    host.purge()
    wait_until(lambda: broker.unfinished_messages() == 0, timeout_s=15, what="nothing is counted")
    host.publish(b"{}")

    assert broker.ready_sales_messages() == 1
    wait_until(lambda: broker.unfinished_messages() == 1, timeout_s=15, what="the message is counted")
    host.purge()


def test_the_exporter_sees_every_figure(host: VirtualHost, parts: Parts) -> None:
    assert manage(parts, "GET", f"queues/{host.name}/{SALES}")["name"] == SALES
    assert "queue_totals" in manage(parts, "GET", "overview")


# --- what it has not to


def publish(exchange: str, routing_key: str) -> Act:
    """Confirmed, so that a refusal is heard."""

    def act(channel: Any) -> None:
        channel.confirm_select()
        channel.basic_publish_confirm(amqp.Message(b"{}"), exchange=exchange, routing_key=routing_key)

    return act


TO_SALES = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": SALES, "x-expires": 60_000}
ACTS: dict[str, Act] = {
    "take a sale": lambda channel: channel.basic_get(SALES),
    "consume sales": lambda channel: channel.basic_consume(SALES),
    "purge sales": lambda channel: channel.queue_purge(SALES),
    "take a failed sale": lambda channel: channel.basic_get(FAILED),
    "purge failed sales": lambda channel: channel.queue_purge(FAILED),
    "take a task": lambda channel: channel.basic_get(MAINTENANCE),
    "publish a sale": publish(EXCHANGE, topology.SALES_CREATED),
    "publish a failed sale": publish(EXCHANGE, topology.SALES_FAILED),
    "publish with another key": publish(EXCHANGE, "sales.created.too"),
    "publish a dead letter": publish(DEAD_LETTERS, topology.SALES_FAILED),
    "publish a task": publish("blend_maintenance", "maintenance"),
    "publish to a queue by its name": publish("", SALES),
    "command workers": publish("celery.pidbox", ""),
    "make a queue": lambda channel: channel.queue_declare("somebody's", durable=False, auto_delete=True),
    "dead-letter into sales": lambda channel: channel.queue_declare("a.celery.pidbox", arguments=TO_SALES),
    "make an exchange": lambda channel: channel.exchange_declare("somebody's", "topic", auto_delete=True),
    "bind sales elsewhere": lambda channel: channel.queue_bind(FAILED, EXCHANGE, topology.SALES_CREATED),
    "unbind sales": lambda channel: channel.queue_unbind(SALES, EXCHANGE, topology.SALES_CREATED),
    "delete sales": lambda channel: channel.queue_delete(SALES),
    "delete failed sales": lambda channel: channel.queue_delete(FAILED),
    "delete the exchange": lambda channel: channel.exchange_delete(EXCHANGE),
    "delete dead letters": lambda channel: channel.exchange_delete(DEAD_LETTERS),
}
MAY = {
    "web": {"publish a sale"},
    "worker": {
        "take a sale", "consume sales", "purge sales", "publish a sale", "publish a failed sale", "command workers",
    },
    "maintenance": {
        "take a failed sale", "purge failed sales", "take a task", "publish a sale", "publish a task",
        "command workers",
    },
    "beat": {"publish a task"},
    "exporter": set(),
}  # fmt: skip


def is_allowed(opened: Any, act: Act) -> bool:
    channel = opened.channel()
    try:
        act(channel)
    except AccessRefused:
        return False
    channel.close()
    return True


@pytest.mark.parametrize("part", list(broker_users.PARTS))
def test_it_may_do_this_and_nothing_else(host: VirtualHost, parts: Parts, part: str) -> None:
    with host.channel() as channel:
        topology.declare_all(channel)
        channel.exchange_declare("celery.pidbox", "fanout", durable=False, auto_delete=False)

    with as_part(parts, part) as opened:
        allowed = {name for name, act in ACTS.items() if is_allowed(opened, act)}

    assert allowed == MAY[part]
    host.purge()


def test_each_of_these_acts_is_one_that_an_owner_may(host: VirtualHost) -> None:
    """What is refused above is refused for who asks, not for what is asked."""
    with host.channel() as channel:
        topology.declare_all(channel)
        channel.exchange_declare("celery.pidbox", "fanout", durable=False, auto_delete=False)
    opened = Connection(host.url, connect_timeout=5).transport.establish_connection()
    assert {name for name, act in ACTS.items() if is_allowed(opened, act)} == set(ACTS)
    opened.collect()
    with host.channel() as channel:
        topology.declare_all(channel)


def test_a_publish_that_is_not_allowed_is_proven_not_done(parts: Parts, settings: Settings) -> None:
    settings.RABBITMQ_DECLARES = False
    link = publisher.AmqpLink(parts["beat"]["RABBITMQ_URL"])
    outcome = link.send(publisher.persist_message([b"{}"]), deadline=time.monotonic() + 5)
    link.drop()
    assert outcome is publisher.Outcome.REFUSED


@pytest.mark.parametrize("part", ["web", "beat"])
def test_whoever_may_come_in_may_ask_how_deep_the_queues_are(parts: Parts, settings: Settings, part: str) -> None:
    settings.RABBITMQ_DECLARES = False
    settings.RABBITMQ_URL = parts[part]["RABBITMQ_URL"]
    assert set(broker.depths()) == {"sales.created", "sales.failed", "maintenance"}


REFUSED_BY_API = [
    ("DELETE", "queues/{vhost}/" + SALES),
    ("DELETE", "queues/{vhost}/" + FAILED),
    ("DELETE", "queues/{vhost}/" + SALES + "/contents"),
    ("PUT", "users/somebody"),
    ("PUT", "permissions/{vhost}/{user}"),
]


@pytest.mark.parametrize("part", ["exporter", "maintenance"])
@pytest.mark.parametrize(("method", "path"), REFUSED_BY_API)
def test_the_management_api_changes_nothing_for_them(
    host: VirtualHost, parts: Parts, part: str, method: str, path: str
) -> None:
    user = broker_users.user_name(part, prefix=host.name)
    body = {"password": "x", "tags": "administrator", "configure": ".*", "write": ".*", "read": ".*"}
    status = ask(parts, method, path.format(vhost=host.name, user=user), part=part, body=body).status
    assert status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.BAD_REQUEST}, status
    assert host.ready(SALES) == 0  # it is there


def ask(parts: Parts, method: str, path: str, *, part: str, body: object = None) -> urllib3.BaseHTTPResponse:
    url = urlsplit(parts[part]["RABBITMQ_MANAGEMENT_URL"])
    who = b64encode(f"{url.username}:{url.password}".encode()).decode()
    headers = {"Authorization": f"Basic {who}", "Content-Type": "application/json"}
    address = f"{url.scheme}://{url.hostname}:{url.port}/api/{path}"
    return urllib3.request(method, address, headers=headers, body=json.dumps(body) if body else None, retries=False)


def manage(parts: Parts, method: str, path: str) -> Any:
    answer = ask(parts, method, path, part="exporter")
    assert answer.status == HTTPStatus.OK, answer.data
    return answer.json()


# --- passwords that are given


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A password for each part, in the environment."""
    passwords = {part: uuid4().hex for part in broker_users.PARTS}
    for part, password in passwords.items():
        monkeypatch.setenv(f"BROKER_PASSWORD_{part.upper()}", password)
    return passwords


def test_given_passwords_stay_however_often_it_runs(host: VirtualHost, given: dict[str, str]) -> None:
    prefix, output = f"given-{uuid4().hex[:8]}", StringIO()
    name = broker_users.user_name("web", prefix=prefix)
    found = urlsplit(host.url)
    url = found._replace(netloc=f"{name}:{given['web']}@{found.netloc.rpartition('@')[2]}").geturl()
    with host.channel() as channel:
        channel.exchange_declare("celery.pidbox", "fanout", durable=False, auto_delete=False)
    for _ in range(2):
        with override_settings(RABBITMQ_URL=host.url):
            call_command("broker_setup", "--given", prefix=prefix, stdout=output)
        opened = Connection(url, connect_timeout=5).transport.establish_connection()
        assert {act for act in ACTS if is_allowed(opened, ACTS[act])} == MAY["web"]
        opened.collect()
        host.purge()
    assert [password for password in given.values() if password in output.getvalue()] == []


@pytest.mark.parametrize("wrong", ["", "fifteen letters"])
def test_a_password_that_is_not_given_makes_no_user(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv("BROKER_PASSWORD_BEAT", wrong)
    monkeypatch.setattr(broker_setup, "set_up", None)  # it does not come that far
    with pytest.raises(CommandError, match="BROKER_PASSWORD_BEAT: not there"):
        call_command("broker_setup", "--given")


def test_the_lines_for_rabbitmqctl_say_the_same() -> None:
    output = StringIO()
    call_command("broker_setup", "--rabbitmqctl", stdout=output)
    lines = output.getvalue().splitlines()
    assert len(lines) == 4 * len(broker_users.PARTS)
    assert "set_permissions -p blend_pos blend_web '^$' '^(blend_events)$' '^$'" in output.getvalue()
    assert "set_topic_permissions -p blend_pos blend_web blend_events '^(sales\\.created)$' '^$'" in output.getvalue()


@pytest.mark.parametrize("prefix", ["", "a b", "$(id)", "blend/x", "ñ"])
def test_a_prefix_that_would_spoil_an_address_or_a_line_is_refused(prefix: str) -> None:
    with pytest.raises(CommandError, match="--prefix"):
        call_command("broker_setup", "--rabbitmqctl", prefix=prefix)
