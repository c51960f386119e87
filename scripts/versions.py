"""What the servers that a run has reached call themselves."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import amqp
import psycopg
import redis
from kombu.utils.url import url_to_parts

REDIS_TRANSPORT = """\
Redis transport, no RabbitMQ. What that gives up: no dead-lettering (a message that cannot be handled is lost with
its reason), no publisher confirms (a checkout is answered 202 until its sale is persisted). For a first look only."""


def describe(settings: Mapping[str, str]) -> list[tuple[str, str]]:
    """(role, server and version) of each, asked of the servers themselves."""
    return [
        ("Database", _postgres(settings["DATABASE_URL"])),
        ("Stock", _redis(settings["REDIS_URL"])),
        ("Broker", _broker(settings["RABBITMQ_URL"])),
    ]


def _postgres(url: str) -> str:
    with psycopg.connect(url, connect_timeout=5) as connection:
        version = connection.info.parameter_status("server_version")
    return f"PostgreSQL {version} at {_place(url)}"


def _redis(url: str) -> str:
    with redis.Redis.from_url(url, socket_timeout=5) as client:
        server = client.info("server")
    name, version = (
        ("Valkey", server["valkey_version"]) if "valkey_version" in server else ("Redis", server["redis_version"])
    )
    return f"{name} {version} at {_place(url)}"


def _broker(url: str) -> str:
    if not url.startswith("amqp"):
        return REDIS_TRANSPORT
    with broker(url) as connection:
        properties = connection.server_properties  # type: ignore[attr-defined]  # the stubs leave it out
    return f"{properties['product']} {properties['version']} at {_place(_first_node(url))}"


def broker(url: str) -> amqp.Connection:
    """A connection to RabbitMQ, made where it is entered; of a cluster, to the node that is named first."""
    _, host, port, user, password, virtual_host, _ = url_to_parts(_first_node(url))
    return amqp.Connection(
        host=f"{host}:{port or 5672}",
        userid=user or "guest",
        password=password or "guest",
        virtual_host=virtual_host or "/",
        connect_timeout=5,
        read_timeout=5,
    )


def _first_node(url: str) -> str:
    return url.split(";", maxsplit=1)[0]


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
