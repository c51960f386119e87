"""deploy/kubernetes: what a cluster would be given is valid, keeps our rules, and says what the code says."""

import re
import sys
from pathlib import Path

import pytest
from django.conf import settings

from scripts import processes, redis_server
from tests.deploy import kustomize, network, rules
from tests.deploy.breaks import BREAKS
from tests.deploy.overlays import EXAMPLE, FOLDER, OVERLAYS, built, example, find, first, invalid, pod, secrets_known
from tests.scaling import rabbit_nodes

STEPS = {"1-servers", "2-tables", "3-broker", "4-processes", "5-warmup"}
IMAGE = "/app"  # where the image has the project, and its environment below
PYTHON = "/opt/venv/bin/python"
BACKED_BY_SOMEBODY = {"web", "sales-worker", "rabbitmq", "redis"}


RULES: tuple[rules.Rule, ...] = (invalid, secrets_known, network.network, *rules.EVERYWHERE)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_overlay_keeps_every_rule(overlay: str, rule: rules.Rule) -> None:
    assert rule(built(overlay)) == []


@pytest.mark.parametrize("what", BREAKS)
def test_what_is_wrong_is_noticed(what: str) -> None:
    rule, spoil = BREAKS[what]
    manifests = built("cluster with KEDA")
    spoil(manifests)
    assert rule(manifests)


# --- What the specification calls by name


def test_the_names_and_numbers_of_the_specification() -> None:
    one_node, cluster = built("one-node"), built("cluster")
    worker = find(one_node, "Deployment", "sales-worker")
    assert worker["replicas"] == 3
    assert worker["template"]["spec"]["containers"][0]["name"] == "worker"
    reference = {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "db-credentials", "key": "url"}}}
    assert reference in first(one_node, "sales-worker")["env"]
    scaler = find(cluster, "HorizontalPodAutoscaler", "sales-worker-hpa")
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (3, 50)
    for name in ("sales-worker-hpa", "web-hpa"):
        metric = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
        assert find(cluster, "HorizontalPodAutoscaler", name)["metrics"] == [{"type": "Resource", "resource": metric}]
    assert first(one_node, "redis")["ports"][0]["containerPort"] == 6379


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_beat_is_one_and_never_two(overlay: str) -> None:
    beat = find(built(overlay), "Deployment", "beat")
    assert (beat["replicas"], beat["strategy"]) == (1, {"type": "Recreate"})


def test_a_cluster_has_budgets_and_as_many_brokers_as_a_quorum_needs() -> None:
    cluster = built("cluster")
    budgets = {one["metadata"]["name"] for one in rules.of_kind(cluster, "PodDisruptionBudget")}
    assert budgets == BACKED_BY_SOMEBODY
    assert find(cluster, "StatefulSet", "rabbitmq")["replicas"] == 3
    nodes = rules.named(cluster, "ConfigMap", "rabbitmq")["data"]["cluster.conf"]
    environment = {one["name"]: one.get("value") for one in first(cluster, "rabbitmq")["env"]}
    names = [environment["RABBITMQ_NODENAME"].replace("$(POD_NAME)", f"rabbitmq-{number}") for number in range(3)]
    assert re.findall(r"nodes\.\d = (\S+)", nodes) == names
    for setting in ("cluster_partition_handling", "net_ticktime"):
        assert f"\n{setting} = {rabbit_nodes.SETTINGS[setting]}\n" in nodes, "as tests/scaling has it"


# --- What the code says, too


def in_the_image(command: list[str]) -> list[str]:
    """A command line of this machine as it is in the image."""
    assert command[0] == sys.executable
    return [PYTHON, *(word.replace(str(processes.ROOT), IMAGE) for word in command[1:])]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_command_of_ours_is_the_one_of_scripts_processes(overlay: str) -> None:
    setup = in_the_image(processes.manage("broker_setup", "--json"))
    wanted = {
        "web/web": in_the_image(processes.web(port=8000, host="0.0.0.0")),
        "sales-worker/worker": in_the_image(processes.worker()),
        "maintenance/maintenance": in_the_image(processes.maintenance()),
        "beat/beat": in_the_image(processes.beat()),
        "migrate/migrate": in_the_image(processes.manage("migrate", "--no-input")),
        "warmup/warmup": in_the_image(processes.manage("warmup_stock", "--all")),
        "broker-setup/broker-setup": [PYTHON, "/steps/keep_users.py", *setup],
    }
    every = rules.containers(built(overlay))
    assert {where: one["command"] for where, _, one in every if rules.OWN.match(one["image"])} == wanted


def test_the_image_has_its_python_where_the_manifests_look() -> None:
    for dockerfile in processes.ROOT.glob("Dockerfile"):
        text = dockerfile.read_text()
        assert PYTHON.removesuffix("/bin/python") in text
        assert f"WORKDIR {IMAGE}\n" in text


def test_redis_has_the_settings_that_everything_was_tried_with() -> None:
    wanted = {f"{name} {value}" for name, value in redis_server.SETTINGS.items() if name != "bind"}
    for overlay in OVERLAYS:
        text = rules.named(built(overlay), "ConfigMap", "redis")["data"]["redis.conf"]
        assert wanted <= set(text.splitlines())
        bytes_held = int(re.findall(r"maxmemory (\d+)mb|maxmemory (\d)gb", text)[0][0] or 1024)
        limit = first(built(overlay), "redis")["resources"]["limits"]["memory"]
        assert int(limit.removesuffix("Mi")) >= 2 * bytes_held


def test_rabbitmq_waits_longer_for_a_worker_than_a_worker_for_postgresql() -> None:
    text = rules.named(built("one-node"), "ConfigMap", "rabbitmq")["data"]["rabbitmq.conf"]
    consumer_timeout_ms = int(re.findall(r"consumer_timeout = (\d+)", text)[0])
    assert consumer_timeout_ms > settings.PAUSE_WITHOUT_POSTGRESQL_MAX_S * 1000


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_whoever_is_stopped_has_the_time_that_it_takes(overlay: str) -> None:
    manifests = built(overlay)
    sleep_s = first(manifests, "web")["lifecycle"]["preStop"]["sleep"]["seconds"]
    kill_s = int(re.findall(r"--workers-kill-timeout=(\d+)", " ".join(first(manifests, "web")["command"]))[0])
    checkout_s = settings.CHECKOUT_DEADLINE_MS / 1000
    assert kill_s > checkout_s
    assert pod(manifests, "web")["terminationGracePeriodSeconds"] > sleep_s + kill_s + checkout_s
    options = settings.DATABASES["default"]["OPTIONS"]
    waits_ms = [options["tcp_user_timeout"], *map(int, re.findall(r"timeout=(\d+)", options["options"]))]
    assert len(waits_ms) == 3
    for name in ("sales-worker", "maintenance"):
        assert pod(manifests, name)["terminationGracePeriodSeconds"] > sum(waits_ms) / 1000


def test_postgresql_takes_what_one_node_may_open() -> None:
    manifests = built("one-node")
    takes = int(re.findall(r"max_connections=(\d+)", " ".join(first(manifests, "postgres")["args"]))[0])
    replicas = {one["metadata"]["name"]: one["spec"]["replicas"] for one in rules.of_kind(manifests, "Deployment")}
    web = (replicas["web"] + 1) * processes.BLOCKING_THREADS  # one more while they are replaced
    workers = (replicas["sales-worker"] + 1) * 3 + (replicas["maintenance"] + 1) * 2  # each child, and the main process
    assert takes > 1.25 * (web + workers + replicas["beat"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_names_of_hosts_agree(overlay: str) -> None:
    manifests = built(overlay)
    told = rules.named(manifests, "ConfigMap", "settings")["data"]
    ingress = find(manifests, "Ingress", "web")
    hosts = {rule["host"] for rule in ingress["rules"]}
    assert hosts == {host for entry in ingress["tls"] for host in entry["hosts"]}
    assert hosts == {origin.removeprefix("https://") for origin in told["CSRF_TRUSTED_ORIGINS"].split(",")}
    web = first(manifests, "web")
    probes = [web[kind]["httpGet"]["httpHeaders"] for kind in ("startupProbe", "livenessProbe")]
    for headers in probes:
        asked = {header["name"]: header["value"] for header in headers}
        assert asked == {"Host": "localhost", "X-Forwarded-Proto": "https"}  # else a redirect, which proves nothing
    assert set(told["ALLOWED_HOSTS"].split(",")) == hosts | {"localhost", ".blend-pos.pod.cluster.local"}


def test_what_processes_are_told_are_settings_that_there_are() -> None:
    known = set(
        re.findall(r'env\.\w+\(\s*"(\w+)"', (Path(settings.BASE_DIR) / "blend_pos" / "settings.py").read_text())
    )
    told = set(rules.named(built("one-node"), "ConfigMap", "settings")["data"]) | example()["blend-pos"]
    for _, _, container in rules.containers(built("one-node")):
        if rules.OWN.match(container["image"]):
            told |= {one["name"] for one in container["env"]}
    assert told
    assert told - known == {"PROMETHEUS_MULTIPROC_DIR"}  # prometheus_client's own


# --- The files


def test_every_secret_is_to_be_filled_in() -> None:
    assert {value for one in kustomize.read(EXAMPLE) for value in one["stringData"].values()} == {None}
    used = {name for overlay in OVERLAYS for name, _ in rules.secret_keys(built(overlay))}
    assert example().keys() - used == set()
    assert not [one for overlay in OVERLAYS for one in built(overlay) if one["kind"] == "Secret"]


def test_every_manifest_is_in_a_kustomization() -> None:
    listed = {EXAMPLE}
    for folder, told in kustomize.kustomizations(FOLDER):
        listed.add(folder / "kustomization.yaml")
        listed |= {(folder / name).resolve() for name in told.get("resources", []) if name.endswith(".yaml")}
        listed |= {(folder / patch["path"]).resolve() for patch in told.get("patches", [])}
        files = [name for generator in told.get("configMapGenerator", []) for name in generator["files"]]
        listed |= {(folder / name).resolve() for name in files}
    assert {path for path in FOLDER.rglob("*") if path.is_file() and "__pycache__" not in path.parts} == listed


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_manifest_has_a_step_that_the_page_names(overlay: str) -> None:
    steps = {one["metadata"]["labels"]["blend-pos/step"] for one in built(overlay)}
    assert steps == STEPS
    page = (Path(settings.BASE_DIR) / "docs" / "kubernetes.md").read_text()
    assert {step for step in STEPS if f"step={step}" in page} == STEPS
