"""docker-compose.yml as data, and the rules that no schema knows: each returns what breaks it, a line each."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from scripts.processes import PYTHON, ROOT

FILE = ROOT / "docker-compose.yml"
Document = dict[str, Any]
Rule = Callable[[Document], list[str]]

DEVELOPMENT = "dev"
NAMES_A_SECRET = re.compile(r"SECRET|PASS|TOKEN|AUTH|_KEY\b")
FROM_THE_ENVIRONMENT = re.compile(r"\$\{\w+:\?[^}]*\}")
WITH_A_DEFAULT = re.compile(r"\$\{(\w+):?-([^}]*)\}")
FROM_COMPOSE = re.compile(r"(?<!\$)\$\{?(\w+)")  # $$ is left to the container
CREDENTIALS = re.compile(r"://[^\s/:@]*:([^\s@]+)@")
LOOPBACK = re.compile(r"(127\.0\.0\.1|\$\{\w+_ADDRESS:-127\.0\.0\.1\}):")
PRODUCT = ("web", "worker", "maintenance", "beat")


def document() -> Document:
    found: Document = yaml.safe_load(FILE.read_text())
    return found


def schema_says(path: Path) -> subprocess.CompletedProcess[str]:
    """The Compose specification's own schema, which check-jsonschema has with it."""
    command = [PYTHON, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def runs_once(service: Document) -> bool:
    return bool(service.get("restart") == "no")


def environment(service: Document) -> dict[str, str]:
    found: dict[str, str] = service.get("environment", {})
    return found


def each_text(value: Any) -> Iterator[str]:
    """Every text in it, however deep."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from each_text(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from each_text(inner)
    elif isinstance(value, str):
        yield value


def without_health_check(found: Document) -> list[str]:
    """What runs on says whether it is well, and how often it is asked."""
    asked = {"test", "interval", "timeout", "retries", "start_period"}
    services = found["services"].items()
    return [name for name, one in services if not runs_once(one) and set(one.get("healthcheck", {})) != asked]


def without_limits(found: Document) -> list[str]:
    """CPU, memory, processes and logs of each have an end."""
    wanted = {"cpus", "memory", "pids"}
    bad = []
    for name, service in found["services"].items():
        limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
        if set(limits) != wanted or "max-size" not in service.get("logging", {}).get("options", {}):
            bad.append(name)
    return bad


def literal_secrets(found: Document) -> list[str]:
    """A password comes from the environment, and where it is not there nothing starts; but in the dev profile."""
    bad = []
    for name, service in found["services"].items():
        if service.get("profiles") == [DEVELOPMENT]:
            continue
        named = {key: str(value) for key, value in environment(service).items() if NAMES_A_SECRET.search(key)}
        named.pop("SECRET_KEY_FALLBACKS", None)  # mostly there are none
        bad += [f"{name}: {key}" for key, value in named.items() if not FROM_THE_ENVIRONMENT.fullmatch(value)]
        for text in each_text(service):
            bad += [f"{name}: {text}" for word in CREDENTIALS.findall(text) if not FROM_THE_ENVIRONMENT.fullmatch(word)]
            defaults = [key for key, default in WITH_A_DEFAULT.findall(text) if default and NAMES_A_SECRET.search(key)]
            bad += [f"{name}: {key} has a default" for key in defaults]
    return bad


def secrets_in_arguments(found: Document) -> list[str]:
    """Whoever lists this machine's processes reads what they were started with."""
    bad = []
    for name, service in found["services"].items():
        words = [*service.get("entrypoint", []), *service.get("command", [])]
        named = [key for word in words for key in FROM_COMPOSE.findall(word)]
        bad += [f"{name}: {key}" for key in named if NAMES_A_SECRET.search(key)]
    return bad


def published(found: Document) -> list[str]:
    """To this machine alone, or to an address that somebody gives on purpose."""
    ports = [(name, str(port)) for name, service in found["services"].items() for port in service.get("ports", [])]
    assert ports
    return [f"{name}: {port}" for name, port in ports if not LOOPBACK.match(port)]


def without_a_version(found: Document) -> list[str]:
    images = {WITH_A_DEFAULT.sub(r"\2", service["image"]) for service in found["services"].values()}
    return [image for image in images if not re.search(r":\w[\w.-]*$", image) or image.endswith(":latest")]


def not_closed_in(found: Document) -> list[str]:
    """Nobody gains rights; the product keeps none, and writes to nothing of its own."""
    bad = []
    for name, service in found["services"].items():
        if service.get("security_opt") != ["no-new-privileges:true"]:
            bad.append(f"{name}: security_opt")
        if "build" in service or name in PRODUCT:
            wanted = {"read_only": True, "cap_drop": ["ALL"], "init": True}
            bad += [f"{name}: {key}" for key, value in wanted.items() if service.get(key) != value]
    return bad


def not_waiting(found: Document) -> list[str]:
    """The product starts when tables, roles, queues and users are there; the tables come before the roles."""
    once = "service_completed_successfully"
    wanted = {name: {"roles": once, "broker": once, "redis": "service_healthy"} for name in PRODUCT}
    wanted |= {
        "migrate": {"postgres": "service_healthy"},
        "roles": {"migrate": once},
        "broker": {"rabbitmq": "service_healthy"},
    }
    bad = []
    for name, waits in wanted.items():
        waiting = found["services"][name].get("depends_on", {})
        bad += [f"{name}: {on}" for on, what in waits.items() if waiting.get(on) != {"condition": what}]
    return bad


def mounts_nothing(found: Document) -> list[str]:
    """What is mounted from here is here, and is only read; what is kept is kept in a volume of that name."""
    bad = []
    for name, service in found["services"].items():
        for mount in service.get("volumes", []):
            source, _, rest = mount.partition(":")
            if source.startswith("."):
                is_good = (ROOT / source).exists() and rest.endswith(":ro")
            else:
                is_good = source in found["volumes"]
            if not is_good:
                bad.append(f"{name}: {mount}")
    return bad


RULES: tuple[Rule, ...] = (
    without_health_check,
    without_limits,
    literal_secrets,
    secrets_in_arguments,
    published,
    without_a_version,
    not_closed_in,
    not_waiting,
    mounts_nothing,
)
