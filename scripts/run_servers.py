"""Which servers a run uses: those that the environment names, and private ones for the rest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from scripts import binaries
from scripts.environment import Secrets
from scripts.ports import HIGHEST, read_port
from scripts.services import PORTS, Postgres, Rabbit, Redis, Service

FIRST_PORT = 21430  # below the ports that the kernel gives to clients, and nobody's by custom
CACHE_DATABASE = 1
TRANSPORT_DATABASE = 2
MAXMEMORY = "256mb"  # as docs/deploy.md has it: one that is full refuses, where one without a limit takes the machine's
EXAMPLES = {
    "DATABASE_URL": ("postgres://user:password@host:5432/name", {"postgres", "postgresql"}),
    "REDIS_URL": ("redis://:password@host:6379/0", {"redis", "rediss"}),
    "RABBITMQ_URL": ("amqp://user:password@host:5672/virtual_host", {"amqp", "amqps", "redis", "rediss"}),
}


class NoAddress(Exception):
    """What should name a server names none. The message says which variable, and shows an example."""


@dataclass
class Servers:
    """`settings` name every server of a run; `private` are those that it starts itself."""

    settings: dict[str, str] = field(default_factory=dict)
    private: list[Service] = field(default_factory=list)
    rabbitmq_missing: binaries.MissingBinary | None = None


def choose(*, environment: Mapping[str, str], secrets: Secrets, folder: Path) -> Servers:
    """Servers named in `environment` are used as they are; private ones keep their data below `folder`.

    Without RabbitMQ on this machine the broker is Redis, and `rabbitmq_missing` says what to install.
    """
    first = read_port(
        name="SERVICE_PORTS", text=environment.get("SERVICE_PORTS", str(FIRST_PORT)), most=HIGHEST - PORTS + 1
    )
    remedy = f"Stop that one, or name the first of {PORTS} free ports: make run SERVICE_PORTS={first + 100}"
    postgres = Postgres(folder=folder / "postgres", port=first, password=secrets.postgres, remedy=remedy)
    limit = {"maxmemory": MAXMEMORY}
    redis = Redis(folder=folder / "redis", port=first + 1, password=secrets.redis, settings=limit, remedy=remedy)
    rabbit = Rabbit(
        folder=folder / "rabbitmq", ports=range(first + 2, first + PORTS), password=secrets.rabbitmq, remedy=remedy
    )
    servers = Servers()
    _use(servers, environment, "DATABASE_URL", postgres)
    _use(servers, environment, "REDIS_URL", redis)
    redis_url = servers.settings["REDIS_URL"]
    servers.settings["CACHE_URL"] = environment.get("CACHE_URL") or _database(redis_url, CACHE_DATABASE)
    if "RABBITMQ_URL" not in environment:
        servers.rabbitmq_missing = _rabbitmq_missing()
    if servers.rabbitmq_missing:
        servers.settings["RABBITMQ_URL"] = _database(redis_url, TRANSPORT_DATABASE)
    elif _use(servers, environment, "RABBITMQ_URL", rabbit):
        servers.settings["RABBITMQ_MANAGEMENT_URL"] = rabbit.management_url
    elif management := environment.get("RABBITMQ_MANAGEMENT_URL"):
        servers.settings["RABBITMQ_MANAGEMENT_URL"] = management
    return servers


def _use(servers: Servers, environment: Mapping[str, str], name: str, service: Service) -> bool:
    """Take what the environment names, else the private service. Returns whether it is the private one.

    Raises NoAddress: before anything is started, and without the address, which may hold a password.
    """
    url = environment.get(name)
    example, schemes = EXAMPLES[name]
    if url and not (urlsplit(url).scheme in schemes and "://" in url):
        raise NoAddress(f"{name} names no server; it looks like {example}. Without it a private one is started.")
    servers.settings[name] = url or service.url
    if not url:
        servers.private.append(service)
    return not url


def _database(redis_url: str, number: int) -> str:
    return urlsplit(redis_url)._replace(path=f"/{number}").geturl()


def _rabbitmq_missing() -> binaries.MissingBinary | None:
    try:
        binaries.rabbitmq_server()
    except binaries.MissingBinary as lack:
        return lack
    return None
