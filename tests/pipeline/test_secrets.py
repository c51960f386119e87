"""Whatever the level of the logs: no token, session, password, key, card reference or body is in what processes write,
in what is kept of a failed sale, or in what a broken page answers."""

import json
import logging.config
import os
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import orjson
import pytest
import structlog
import urllib3
from django.db import connection

from blend_pos.logs import configure
from scripts import processes
from tests.fuzz.effort import FACTOR
from tests.pipeline.messages import as_payload
from tests.pipeline.processes import QUICK, Pipeline
from tests.pipeline.rabbit import FAILED, VirtualHost
from tests.pipeline.shop import Shop, open_shop
from tests.pipeline.till import Till
from tests.polling import wait_until
from tests.spawning import BEAT_READY, WORKER_READY, Process, Spawner
from tests.tiendas.people import PASSWORD, session_key, sign_in
from ventas.publisher import persist_message

DEBUG = "--loglevel=DEBUG"  # the last one counts
CARD = "tarjeta-4111-1111"
NAMED_REFERENCE = "oculta"
BROKEN = "nunca-se-escribe"
REFUSE = f"""
CREATE FUNCTION refuse_{{name}}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.referencia LIKE '%%{BROKEN}%%' THEN
        RAISE EXCEPTION 'no' USING DETAIL = format('Failing row contains (%%s).', NEW.referencia);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse_{{name}} BEFORE INSERT ON pagos FOR EACH ROW EXECUTE FUNCTION refuse_{{name}}()
"""


@pytest.fixture
def refusing(live_db: None) -> Iterator[None]:
    """PostgreSQL refuses a payment with this reference, and quotes it, as it does where a constraint fails."""
    name = uuid4().hex
    with connection.cursor() as cursor:
        cursor.execute(REFUSE.format(name=name))
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER refuse_{name} ON pagos; DROP FUNCTION refuse_{name}")


def told(level: str, form: str, host: VirtualHost) -> dict[str, str]:
    return {
        **QUICK,
        "LOG_LEVEL": level,
        "LOG_FORMAT": form,
        "RABBITMQ_URL": host.url,
        "METRICS_TOKEN": "metricas-secretas",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://trazas:trazas-secretas@127.0.0.1:9",  # where nobody listens
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=trazas-secretas",
    }


def paid_by_card(shop: Shop, referencia: str) -> dict[str, object]:
    line = {"producto_id": str(shop.products[0]), "cantidad": 1, "precio": shop.precios[shop.products[0]] / 100}
    return {"items": [line], "pagos": [{"metodo": "TARJETA", "importe": line["precio"], "referencia": referencia}]}


@pytest.mark.parametrize("form", ["console", "json"] if FACTOR > 1 else ["console"])
@pytest.mark.timeout(180)
def test_nothing_secret_is_told_even_at_debug(
    form: str, spawn: Spawner, own_host: VirtualHost, refusing: None, process_environment: dict[str, str]
) -> None:
    environment = told("DEBUG", form, own_host)
    pipeline = Pipeline(own_host, spawn, environment)
    pipeline._worker = spawn([*processes.worker(), DEBUG], ready=WORKER_READY, environment=environment)
    pipeline._maintenance = spawn([*processes.maintenance(), DEBUG], ready=WORKER_READY, environment=environment)
    pipeline.start()
    beat = spawn([*processes.beat(), DEBUG], ready=BEAT_READY, environment=environment)
    shop = open_shop()
    person = shop.users["encargado"]
    person.set_password(PASSWORD)
    person.save()
    till = pipeline.till(shop)
    written, failed = uuid4(), uuid4()

    for key, referencia in ((written, CARD), (failed, f"{CARD} {BROKEN}")):
        sold = till.call(
            "POST", "ventas/checkout", body=paid_by_card(shop, referencia), headers={"Idempotency-Key": str(key)}
        )
        assert sold.status == HTTPStatus.CREATED
    _ask_wrongly(till, shop)
    browser = sign_in(person)
    cookie = f"sessionid={session_key(browser)}"
    assert (
        Till(pipeline.web.url, headers={"Cookie": cookie}).get(f"productos?q={NAMED_REFERENCE}").status == HTTPStatus.OK
    )
    _sign_in_wrongly(pipeline.web.url, person.username)
    _send_what_is_no_sale(own_host, shop)
    wait_until(lambda: shop.written().keys() >= {written}, timeout_s=30, what="the good sale is written")
    beat.wait_ready()
    wait_until(shop.fallidas, timeout_s=60, what="the sale that PostgreSQL refuses is archived")
    wait_until(lambda: own_host.ready(FAILED) == 0, timeout_s=60, what="what is no sale is archived")

    secrets = [
        shop.token, session_key(browser), PASSWORD, CARD, NAMED_REFERENCE, "metricas-secretas", "trazas-secretas",
        process_environment["SECRET_KEY"], *_passwords(process_environment),
    ]  # fmt: skip
    logs = {process.log.name: process.log_text for process in _of(pipeline, beat)}
    assert all("debug" in text for text in logs.values())
    found = {(name, secret) for name, text in logs.items() for secret in secrets if secret in text}
    assert not found
    if form == "json":
        assert all(isinstance(json.loads(line), dict) for line in pipeline.web.log_text.splitlines())
    (row,) = shop.fallidas()
    assert (row.venta_id, "no" in row.error, CARD in row.error) == (failed, True, False)


def _of(pipeline: Pipeline, *more: Process) -> list[Process]:
    return [pipeline.web, pipeline.worker, pipeline.maintenance, *more]


def _passwords(environment: dict[str, str]) -> list[str]:
    found = [urlsplit(environment[name]).password for name in ("DATABASE_URL", "REDIS_URL", "RABBITMQ_URL")]
    return [password for password in found if password]


def _ask_wrongly(till: Till, shop: Shop) -> None:
    for body in (
        b'{"referencia": "' + CARD.encode(),
        orjson.dumps({**paid_by_card(shop, CARD), CARD: 1}),
        b"\xff" + CARD.encode(),
    ):
        assert till.call("POST", "ventas/checkout", raw=body).status == HTTPStatus.BAD_REQUEST
    assert till.get(f"ventas?cursor={CARD}&token={till.token}").status == HTTPStatus.NOT_FOUND


def _sign_in_wrongly(url: str, name: str) -> None:
    """The name may be told; neither of the passwords."""
    page = urllib3.request("GET", f"{url}/api/v1/sesion")
    csrf = page.headers["Set-Cookie"].split("csrftoken=")[1].split(";")[0]
    for password in (PASSWORD, f"{PASSWORD}-wrong"):
        urllib3.request(
            "POST",
            f"{url}/api/v1/sesion",
            json={"usuario": name, "clave": password},
            headers={"Cookie": f"csrftoken={csrf}", "X-CSRFToken": csrf},
        )


def _send_what_is_no_sale(host: VirtualHost, shop: Shop) -> None:
    payload = {**as_payload(shop, [(shop.products[0], 1_000)]), "referencia": CARD}
    signed = persist_message([orjson.dumps({**payload, "huella": CARD})])
    host.publish(signed.body, headers=signed.headers)
    for headers in ({}, {**signed.headers, "task": "ventas.nobody"}, {**signed.headers, "firma": CARD}):
        host.publish(orjson.dumps([[], {"ventas": [payload]}, {}]), headers=headers)


def test_no_level_lets_queries_and_calls_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    configured: list[dict[str, Any]] = []
    monkeypatch.setattr(logging.config, "dictConfig", configured.append)
    monkeypatch.setattr(structlog, "configure", lambda **_options: None)
    configure({"format": "console", "stream": "stdout", "level": "DEBUG"})
    (told,) = configured
    assert {name: told["loggers"][name]["level"] for name in ("celery.pool", "django.db.backends")} == {
        "celery.pool": "INFO", "django.db.backends": "INFO",
    }  # fmt: skip


@pytest.mark.parametrize("debug", ["false", "true"])
def test_a_broken_page_shows_nothing(debug: str, spawn: Spawner, live_db: None) -> None:
    """DEBUG=true is for a developer's machine; even there the settings' secrets are covered."""
    program = """
import django; django.setup()
from django.test import Client
from django.urls import path
from blend_pos import urls
def broken(request):
    raise KeyError("where")
urls.urlpatterns.insert(0, path("roto", broken))
urls.urlpatterns.insert(0, path("api/v1/roto", broken))
for address in ("/roto", "/api/v1/roto"):
    headers = {"host": "localhost", "authorization": "Bearer blend_oculta"}
    client = Client(raise_request_exception=False, headers=headers)
    print("\\nPAGE", client.get(address).content.decode())
"""
    environment = {"DEBUG": debug, "LOG_FORMAT": "json", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:trazas-secretas@b"}
    process = spawn([processes.PYTHON, "-c", program], environment=environment)
    wait_until(lambda: not process.running, timeout_s=30, what="the program ended")
    text = process.log_text
    assert text.count("\nPAGE ") == 2
    for secret in (os.environ["SECRET_KEY"], "trazas-secretas", *_passwords(dict(os.environ))):
        assert secret not in text
    if debug == "false":
        assert "blend_oculta" not in text
        pages = [line for line in text.splitlines() if not line.startswith("{")]
        assert not [line for line in pages if "KeyError" in line or "Traceback" in line]
