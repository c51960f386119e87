"""Setting a broker up: everything declared, and the user of each part made with a password of its own."""

import base64
import json
import secrets
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from django.conf import settings
from kombu import Connection

from ventas import topology
from ventas.broker_users import NOTHING, PARTS, Permissions, user_name
from ventas.publisher import BROKER_ERRORS

TIMEOUT_S = 5.0
PASSWORD_BYTES = 24


class SetupFailed(Exception):
    """The broker refused, or does not answer; the text says which step."""


@dataclass(frozen=True, slots=True)
class PartSettings:
    """Where one part finds the broker, under its own user."""

    url: str
    management_url: str

    def environment(self) -> dict[str, str]:
        """The part's settings."""
        return {
            "RABBITMQ_URL": self.url,
            "RABBITMQ_MANAGEMENT_URL": self.management_url,
            "RABBITMQ_DECLARES": "false",
        }


def new_passwords() -> dict[str, str]:
    """One for each part, by its name."""
    return {part: secrets.token_urlsafe(PASSWORD_BYTES) for part in PARTS}


def set_up(*, prefix: str, passwords: Mapping[str, str]) -> dict[str, PartSettings]:
    """Declare everything in the virtual host of RABBITMQ_URL, make each part's user, or give it another password.

    Returns what each part's settings are now: the passwords are kept nowhere. RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL
    are an administrator's. Raises SetupFailed.
    """
    _declare()
    for part, may in PARTS.items():
        _make_user(user_name(part, prefix=prefix), passwords[part], may)
    return {part: _settings_of(user_name(part, prefix=prefix), password) for part, password in passwords.items()}


def vhost() -> str:
    """The virtual host of RABBITMQ_URL."""
    return unquote(urlsplit(topology.each_node(settings.RABBITMQ_URL)[0]).path[1:]) or "/"


def _declare() -> None:
    try:
        with Connection(settings.RABBITMQ_URL, connect_timeout=TIMEOUT_S) as connection:
            topology.declare_all(connection.default_channel)
    except BROKER_ERRORS as error:
        raise SetupFailed(f"exchanges and queues: {error}") from error


def _make_user(name: str, password: str, may: Permissions) -> None:
    """The limit to its routing keys comes before the exchange: at no moment it may more than it should."""
    _put(f"users/{name}", {"password": password, "tags": may.tag})
    where = f"{quote(vhost(), safe='')}/{name}"
    sends = {"exchange": topology.SALES_EXCHANGE.name, "write": may.sends, "read": NOTHING}
    _put(f"topic-permissions/{where}", sends)
    _put(f"permissions/{where}", {"configure": may.configure, "write": may.write, "read": may.read})


def _put(path: str, body: Mapping[str, Any]) -> None:
    url = urlsplit(topology.each_node(settings.RABBITMQ_MANAGEMENT_URL)[0])
    request = urllib.request.Request(f"{_address(url)}/api/{path}", data=json.dumps(body).encode(), method="PUT")
    credentials = base64.b64encode(f"{unquote(url.username or '')}:{unquote(url.password or '')}".encode()).decode()
    request.add_header("Authorization", f"Basic {credentials}")
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S):
            pass
    except (OSError, ValueError) as error:
        raise SetupFailed(f"{path}: {error}") from error


def _settings_of(name: str, password: str) -> PartSettings:
    urls, management = settings.RABBITMQ_URL, settings.RABBITMQ_MANAGEMENT_URL
    return PartSettings(_with_user(urls, name, password), _with_user(management, name, password))


def _with_user(urls: str, name: str, password: str) -> str:
    """The same nodes, under this user."""
    found = []
    for url in map(urlsplit, topology.each_node(urls)):
        where = url.netloc.rpartition("@")[2]
        found.append(url._replace(netloc=f"{name}:{password}@{where}").geturl())
    return topology.PARTED_BY.join(found)


def _address(url: SplitResult) -> str:
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}"
