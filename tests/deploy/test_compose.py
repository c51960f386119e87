"""docker-compose.yml: by the schema of its format, and by rules of our own."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from blend_pos import settings
from scripts import processes
from scripts.processes import ROOT
from tests.deploy import compose
from tests.deploy.commands import elsewhere
from tests.deploy.compose import Document, Rule, document

PROMETHEUS = ROOT / "deploy" / "prometheus" / "prometheus.yml"
DATASOURCE = ROOT / "deploy" / "grafana" / "datasources" / "prometheus.yml"
RABBITMQ = ROOT / "deploy" / "rabbitmq" / "20-blend.conf"
Break = Callable[[Document], object]


def services() -> Document:
    found: Document = document()["services"]
    return found


def test_its_schema() -> None:
    said = compose.schema_says(compose.FILE)
    assert said.returncode == 0, said.stdout + said.stderr


def test_its_schema_misses_nothing(tmp_path: Path) -> None:
    spoilt = tmp_path / "docker-compose.yml"
    spoilt.write_text(compose.FILE.read_text().replace("    healthcheck:\n", "    healtcheck:\n", 1))
    said = compose.schema_says(spoilt)
    assert said.returncode == 1
    assert "healtcheck" in said.stdout


@pytest.mark.parametrize("rule", compose.RULES)
def test_rules(rule: Rule) -> None:
    assert rule(document()) == []


def service(name: str, change: Break) -> Break:
    return lambda found: change(found["services"][name])


BREAKS: dict[str, tuple[Rule, Break]] = {
    "no health check": (compose.without_health_check, service("beat", lambda one: one.pop("healthcheck"))),
    "no interval": (compose.without_health_check, service("web", lambda one: one["healthcheck"].pop("interval"))),
    "no memory": (
        compose.without_limits,
        service("redis", lambda one: one["deploy"]["resources"]["limits"].pop("memory")),
    ),
    "endless logs": (compose.without_limits, service("web", lambda one: one.pop("logging"))),
    "literal password": (
        compose.literal_secrets,
        service("rabbitmq", lambda one: one["environment"].update(RABBITMQ_DEFAULT_PASS="pass")),
    ),
    "optional password": (
        compose.literal_secrets,
        service("postgres", lambda one: one["environment"].update(POSTGRES_PASSWORD="${POSTGRES_PASSWORD:-}")),
    ),
    "password in an address": (
        compose.literal_secrets,
        service("web", lambda one: one["environment"].update(REDIS_URL="redis://:secret@redis:6379/0")),
    ),
    "password that is listed": (
        compose.secrets_in_arguments,
        service("redis", lambda one: one["command"].extend(["--requirepass", "${REDIS_PASSWORD:?run secrets.sh}"])),
    ),
    "password that compose fills in": (
        compose.secrets_in_arguments,
        service("redis", lambda one: one.update(entrypoint=["sh", "-c", "echo $REDIS_PASSWORD"])),
    ),
    "default password": (
        compose.literal_secrets,
        service("grafana", lambda one: one["environment"].update(OTHER="${GRAFANA_PASSWORD:-admin}")),
    ),
    "every address": (compose.published, service("redis", lambda one: one.update(ports=["6379:6379"]))),
    "one that is everybody's": (compose.published, service("web", lambda one: one.update(ports=["0.0.0.0:8000:8000"]))),
    "no version": (compose.without_a_version, service("redis", lambda one: one.update(image="redis"))),
    "latest": (compose.without_a_version, service("redis", lambda one: one.update(image="redis:latest"))),
    "new privileges": (compose.not_closed_in, service("postgres", lambda one: one.pop("security_opt"))),
    "written to": (compose.not_closed_in, service("worker", lambda one: one.pop("read_only"))),
    "with capabilities": (compose.not_closed_in, service("web", lambda one: one.update(cap_drop=[]))),
    "waits for no tables": (compose.not_waiting, service("worker", lambda one: one["depends_on"].pop("roles"))),
    "waits for a start alone": (
        compose.not_waiting,
        service("broker", lambda one: one.update(depends_on={"rabbitmq": {"condition": "service_started"}})),
    ),
    "mounts what is not there": (
        compose.mounts_nothing,
        service("prometheus", lambda one: one.update(volumes=["./deploy/nowhere:/etc/prometheus:ro"])),
    ),
    "mounts to be written": (
        compose.mounts_nothing,
        service("prometheus", lambda one: one.update(volumes=["./deploy/prometheus:/etc/prometheus"])),
    ),
    "a volume of no name": (
        compose.mounts_nothing,
        service("redis", lambda one: one.update(volumes=["other_data:/data"])),
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_each_rule_misses_nothing(name: str) -> None:
    rule, spoil = BREAKS[name]
    found = copy.deepcopy(document())  # what anchors share is one object: parted, one service is spoilt alone
    spoil(found)
    assert rule(found)


def test_every_rule_has_something_that_breaks_it() -> None:
    assert {rule for rule, _ in BREAKS.values()} == set(compose.RULES)


def test_the_specifications_names() -> None:
    found = services()
    images = {"redis": "redis:7-alpine", "rabbitmq": "rabbitmq:3.13-management-alpine"}
    assert {name: found[name]["image"] for name in images} == images
    assert all(found[name]["container_name"] == name for name in ("postgres", "redis", "rabbitmq"))
    assert found["postgres"]["environment"]["POSTGRES_DB"] == "blend"
    assert found["rabbitmq"]["hostname"] == "rabbitmq", "its data belong to a node of this name"
    assert found["rabbitmq"]["ulimits"] == {"nofile": {"soft": 65536, "hard": 65536}}
    assert found["worker"]["deploy"]["replicas"] == 3


def default_of(setting: str) -> int:
    """What the product reckons with where its environment does not say; that of the tests does."""
    found = re.search(rf'env\.int\("{setting}", default=([\d_]+)\)', (ROOT / "blend_pos" / "settings.py").read_text())
    assert found
    return int(found[1])


def test_rabbitmq_is_told_what_the_product_reckons_with() -> None:
    lines = [line for line in RABBITMQ.read_text().splitlines() if line and not line.startswith("#")]
    told = dict(line.split(" = ") for line in lines)
    memory = services()["rabbitmq"]["deploy"]["resources"]["limits"]["memory"]
    assert told.pop("total_memory_available_override_value").lower().removesuffix("b") == memory
    assert int(told.pop("consumer_timeout")) > settings.PAUSE_WITHOUT_POSTGRESQL_MAX_S * 1000
    assert default_of("STATISTICS_INTERVAL_MS") > 5_000  # how often a queue counts, of which nothing is told
    assert told == {"vm_memory_high_watermark.relative": "0.7", "disk_free_limit.absolute": "2GB"}


COMMANDS = {
    "migrate": processes.manage("migrate", "--no-input"),
    "broker": processes.manage("broker_setup", "--given"),
    "web": processes.web(port=8000, workers=2, host="0.0.0.0"),
    "worker": processes.worker(concurrency=1),
    "maintenance": processes.maintenance(),
    "beat": processes.beat(),
    "demo": processes.manage("demo"),
    "golive": processes.manage(
        "golive_check",
        "--web-url=http://web:8000",
        "--prometheus-url=http://prometheus:9090",
        "--grafana-url=http://grafana:3000",
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_commands_are_those_of_make_run(name: str) -> None:
    assert services()[name]["command"] == elsewhere(COMMANDS[name], python="python", root="/app")


def test_whatever_runs_the_image_has_a_command_that_is_compared() -> None:
    image = services()["web"]["image"]
    assert {name for name, one in services().items() if one["image"] == image} == set(COMMANDS)


@pytest.mark.parametrize("part", compose.PRODUCT)
def test_each_part_has_its_own_user_and_not_the_owners(part: str) -> None:
    told = compose.environment(services()[part])
    variable = f"BROKER_PASSWORD_{part.upper()}"
    assert re.fullmatch(rf"amqp://blend_{part}:\$\{{{variable}:\?[^}}]*\}}@rabbitmq:5672/blend", told["RABBITMQ_URL"])
    assert told["RABBITMQ_DECLARES"] == "false"
    assert told["DATABASE_URL"].startswith("postgres://blend_app:")
    others = {f"BROKER_PASSWORD_{other.upper()}" for other in compose.PRODUCT if other != part}
    texts = " ".join(compose.each_text(services()[part]))
    assert [name for name in (*others, "{POSTGRES_PASSWORD", "{RABBITMQ_PASSWORD") if name in texts] == []


def test_the_checklist_is_told_what_web_is_told_and_may_ask_what_maintenance_may() -> None:
    told, web, maintenance = (compose.environment(services()[name]) for name in ("golive", "web", "maintenance"))
    own = {name: web[name] for name in web if name not in {"RABBITMQ_URL", "PROMETHEUS_MULTIPROC_DIR"}}
    del own["CSRF_TRUSTED_ORIGINS"]  # of browsers alone
    assert told == own | {"RABBITMQ_URL": maintenance["RABBITMQ_URL"]}


def test_what_is_stopped_has_time_to_end() -> None:
    grace = {name: int(str(one.get("stop_grace_period", "10s"))[:-1]) for name, one in services().items()}
    assert grace["web"] > settings.CHECKOUT_DEADLINE_MS / 1000 + 5  # granian's --workers-kill-timeout
    assert min(grace[name] for name in ("worker", "maintenance", "postgres", "rabbitmq")) >= 60


# --- who watches


def targets() -> dict[str, list[str]]:
    """Whom Prometheus asks: addresses that are given, and those of a name."""
    found: dict[str, list[str]] = {}
    jobs: list[dict[str, Any]] = yaml.safe_load(PROMETHEUS.read_text())["scrape_configs"]
    for job in jobs:
        told = [target for static in job.get("static_configs", []) for target in static["targets"]]
        named = [f"{name}:{dns['port']}" for dns in job.get("dns_sd_configs", []) for name in dns["names"]]
        found[job["job_name"]] = told + named
    return found


def test_prometheus_asks_who_is_there() -> None:
    found = targets()
    assert found == {
        "web": ["web:8000"],
        "worker": ["worker:9100", "maintenance:9100"],
        "rabbitmq": ["rabbitmq:15692"],
        "rabbitmq_queues": ["rabbitmq:15692"],
        "prometheus": ["127.0.0.1:9090"],
    }
    for name in ("web", "worker", "maintenance", "rabbitmq"):
        assert set(services()[name]["networks"]) & set(services()["prometheus"]["networks"]), name
    allowed = services()["web"]["environment"]["ALLOWED_HOSTS"].split(",")
    assert "web" in allowed, "Prometheus asks by that name"


def counts_for_itself(name: str) -> bool:
    """In a folder of its own, in memory, that the user of the image may write to."""
    told, mounts = compose.environment(services()[name]), services()[name]["tmpfs"]
    folder = told["PROMETHEUS_MULTIPROC_DIR"]
    return folder == "/run/metrics" and f"{folder}:uid=10001,gid=10001,mode=0700,size=64m" in mounts


@pytest.mark.parametrize("name", ["worker", "maintenance"])
def test_a_worker_shows_what_it_counts_where_prometheus_asks(name: str) -> None:
    one = services()[name]
    assert counts_for_itself(name)
    assert compose.environment(one)["METRICS_LISTEN"] == "0.0.0.0:9100"
    assert "ports" not in one, "it asks for no token: only who watches reaches it"


def test_web_counts_for_itself_and_beat_counts_nothing() -> None:
    assert counts_for_itself("web")
    assert "PROMETHEUS_MULTIPROC_DIR" not in compose.environment(services()["beat"])


def test_prometheus_has_the_token_and_names_no_file_that_is_not_there() -> None:
    told = yaml.safe_load(PROMETHEUS.read_text())
    assert told["scrape_configs"][0]["authorization"] == {"credentials_file": "/run/secrets/metrics_token"}
    assert services()["prometheus"]["secrets"] == ["metrics_token"]
    assert document()["secrets"] == {"metrics_token": {"environment": "METRICS_TOKEN"}}
    assert told["rule_files"] == ["alerts.yml"]
    assert (PROMETHEUS.parent / "alerts.yml").is_file()
    assert "./deploy/prometheus:/etc/prometheus:ro" in services()["prometheus"]["volumes"]


def test_no_server_is_where_the_watchers_are_but_the_broker() -> None:
    watched = {name for name, one in services().items() if "watchers" in one["networks"]}
    assert watched == {"web", "worker", "maintenance", "rabbitmq", "prometheus", "grafana", "golive"}


def test_grafana_asks_prometheus() -> None:
    (source,) = yaml.safe_load(DATASOURCE.read_text())["datasources"]
    assert (source["type"], source["url"], source["uid"]) == ("prometheus", "http://prometheus:9090", "prometheus")
