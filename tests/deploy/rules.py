"""Our own rules for what a cluster is told. Each returns its complaints: nothing, where all is well."""

import re
from collections.abc import Callable, Iterator

from tests.deploy.kustomize import Manifest
from ventas.broker_users import PARTS

LONG_RUNNING = {"Deployment", "StatefulSet"}
MADE_BY_BROKER_SETUP = {f"rabbitmq-{part}" for part in PARTS}
OWN = re.compile(r"(.*/)?blend-pos:")

Complaints = list[str]
Rule = Callable[[list[Manifest]], Complaints]


def pods(manifests: list[Manifest]) -> Iterator[tuple[Manifest, Manifest]]:
    """Each manifest that makes pods, and its pod's template."""
    for manifest in manifests:
        template = manifest.get("spec", {}).get("template")
        if template is not None:
            yield manifest, template


def containers(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest, Manifest]]:
    """(where, the manifest, the container) of all, those that run before the others included."""
    for manifest, template in pods(manifests):
        spec = template["spec"]
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            yield f"{manifest['metadata']['name']}/{container['name']}", manifest, container


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def named(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    return next(one for one in of_kind(manifests, kind) if one["metadata"]["name"] == name)


def limited(manifests: list[Manifest]) -> Complaints:
    """Every container asks for memory and CPU, and has a limit to both."""
    return [
        f"{where}: no {kind} of {what}"
        for where, _, container in containers(manifests)
        for kind in ("requests", "limits")
        for what in ("cpu", "memory")
        if what not in container.get("resources", {}).get(kind, {})
    ]


def locked(manifests: list[Manifest]) -> Complaints:
    """Nobody is root, writes to the image, gains rights, or talks to the cluster without being meant to."""
    found = []
    for manifest, template in pods(manifests):
        name, spec = manifest["metadata"]["name"], template["spec"]
        context = spec.get("securityContext", {})
        if context.get("runAsNonRoot") is not True or context.get("runAsUser", 0) == 0:
            found.append(f"{name}: may be root")
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            found.append(f"{name}: no seccomp profile")
        if spec.get("automountServiceAccountToken") is not False and spec.get("serviceAccountName") != "broker-setup":
            found.append(f"{name}: has a token of the cluster")
        if spec.get("enableServiceLinks") is not False:
            found.append(f"{name}: is told of every Service in its environment")
    wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    return found + [
        f"{where}: not locked"
        for where, _, container in containers(manifests)
        if container.get("securityContext") != wanted
    ]


def of_our_image(manifests: list[Manifest]) -> Complaints:
    """One tag for all of ours, one user, and a tag for everybody's."""
    every = list(containers(manifests))
    found = [
        f"{where}: {container['image']} has no tag, or a moving one"
        for where, _, container in every
        if not re.fullmatch(r"[^:]+:(?!latest$)[^:]+", container["image"])
    ]
    ours = {container["image"] for _, _, container in every if OWN.match(container["image"])}
    if len(ours) != 1:
        found.append(f"ours are several: {sorted(ours)}")
    users = {
        template["spec"]["securityContext"]["runAsUser"]
        for _, template in pods(manifests)
        if any(OWN.match(container["image"]) for container in template["spec"]["containers"])
    }
    return found + ([] if users == {10001} else [f"users of our image: {sorted(users)}"])


def probed(manifests: list[Manifest]) -> Complaints:
    """What runs for long is asked whether it lives and whether it is ready, and not by the same question."""
    found = []
    for where, manifest, container in containers(manifests):
        if manifest["kind"] not in LONG_RUNNING or container in manifest["spec"]["template"]["spec"].get(
            "initContainers", []
        ):
            continue
        asked = [container[probe] for probe in ("livenessProbe", "readinessProbe") if probe in container]
        if len(asked) < 2:
            found.append(f"{where}: a probe is missing")
            continue
        questions = [{key: probe[key] for key in probe.keys() & {"exec", "httpGet", "tcpSocket"}} for probe in asked]
        if questions[0] == questions[1]:
            found.append(f"{where}: alive and ready are the same")
        if any("timeoutSeconds" not in probe or "failureThreshold" not in probe for probe in asked):
            found.append(f"{where}: a probe without bounds")
    return found


def mounted(manifests: list[Manifest]) -> Complaints:
    """What is mounted is there; so are the ConfigMaps, their keys, and the files that commands and probes name."""
    maps = {one["metadata"]["name"]: one["data"] for one in of_kind(manifests, "ConfigMap")}
    found = []
    for manifest, template in pods(manifests):
        name, spec = manifest["metadata"]["name"], template["spec"]
        volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
        claims = {claim["metadata"]["name"] for claim in manifest["spec"].get("volumeClaimTemplates", [])}
        there: set[str] = set()
        used: set[str] = set()
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            for mount in container.get("volumeMounts", []):
                used.add(mount["name"])
                if mount["name"] not in volumes.keys() | claims:
                    found.append(f"{name}: no volume {mount['name']}")
                data = maps.get(volumes.get(mount["name"], {}).get("configMap", {}).get("name"), {})
                if mount.get("subPath", next(iter(data), None)) not in data and "subPath" in mount:
                    found.append(f"{name}: no file {mount['subPath']}")
                there |= {f"{mount['mountPath']}/{file}" for file in data}
            told = str([container.get("command"), container.get("livenessProbe"), container.get("readinessProbe")])
            found += [
                f"{name}: no {file}" for file in set(re.findall(r"/(?:probes|steps|roles)/\w+\.\w+", told)) - there
            ]
        found += [f"{name}: nobody mounts {volume}" for volume in (volumes.keys() | claims) - used]
        wanted = {volume["configMap"]["name"] for volume in volumes.values() if "configMap" in volume}
        found += [f"{name}: no ConfigMap {missing}" for missing in wanted - maps.keys()]
    return found


def secret_keys(manifests: list[Manifest]) -> set[tuple[str, str | None]]:
    """(Secret, key) of every reference; no key where all of it is taken."""
    found: set[tuple[str, str | None]] = set()
    for _, _, container in containers(manifests):
        for one in container.get("env", []):
            if reference := one.get("valueFrom", {}).get("secretKeyRef"):
                found.add((reference["name"], reference["key"]))
        found |= {(one["secretRef"]["name"], None) for one in container.get("envFrom", []) if "secretRef" in one}
    for one in of_kind(manifests, "TriggerAuthentication"):
        found |= {(reference["name"], reference["key"]) for reference in one["spec"]["secretTargetRef"]}
    return found


def secrets_known(manifests: list[Manifest], *, example: dict[str, set[str]]) -> Complaints:
    """Every Secret and key that somebody reads is in the example, or made by the Job broker-setup."""
    settings = {"RABBITMQ_URL", "RABBITMQ_MANAGEMENT_URL", "RABBITMQ_DECLARES"}
    known = {**example, **dict.fromkeys(MADE_BY_BROKER_SETUP, settings)}
    return [
        f"nobody makes {name}: {key or 'all of it'}"
        for name, key in secret_keys(manifests)
        if name not in known or (key is not None and key not in known[name])
    ]


def belong_together(manifests: list[Manifest]) -> Complaints:
    """Selectors find their pods, Services their ports, budgets what they are for."""
    found, labels = [], {}
    for manifest, template in pods(manifests):
        name, own = manifest["metadata"]["name"], template["metadata"]["labels"]
        ports = {port["name"] for container in template["spec"]["containers"] for port in container.get("ports", [])}
        labels[own.get("app")] = ports
        if own.get("app") != name or manifest["spec"].get("selector", {"matchLabels": own})["matchLabels"] != own:
            found.append(f"{name}: its pods are not its own")
    for one in of_kind(manifests, "Service"):
        selected = one["spec"]["selector"].get("app")
        targets = {port.get("targetPort") for port in one["spec"]["ports"]} - {None}
        if selected not in labels or not targets <= labels[selected]:
            found.append(f"Service {one['metadata']['name']}: no such pods or ports")
    found += [
        f"budget {one['metadata']['name']}: no such pods"
        for one in of_kind(manifests, "PodDisruptionBudget")
        if one["spec"]["selector"]["matchLabels"].get("app") not in labels
    ]
    return found


def scaled_once(manifests: list[Manifest]) -> Complaints:
    """An autoscaler scales what there is, alone, and no number in a manifest sets it back at each apply."""
    scalers = of_kind(manifests, "HorizontalPodAutoscaler", "ScaledObject")
    targets = [scaler["spec"]["scaleTargetRef"]["name"] for scaler in scalers]
    numbered = {one["metadata"]["name"]: "replicas" in one["spec"] for one in of_kind(manifests, "Deployment")}
    return [
        f"{target}: scaled where it is not, by two, or back again at each apply"
        for target in targets
        if numbered.get(target, True) or targets.count(target) > 1
    ]


def jobs_end(manifests: list[Manifest]) -> Complaints:
    """A Job is tried again so often, and for so long."""
    return [
        f"{job['metadata']['name']}: without a bound"
        for job in of_kind(manifests, "Job")
        if not {"backoffLimit", "activeDeadlineSeconds"} <= job["spec"].keys()
        or job["spec"]["template"]["spec"]["restartPolicy"] != "Never"
    ]


def keda_shape(manifests: list[Manifest]) -> Complaints:
    """KEDA's two kinds, whose schema is not at hand: what its RabbitMQ trigger needs, and who is asked."""
    found = []
    known = {one["metadata"]["name"] for one in of_kind(manifests, "TriggerAuthentication")}
    for one in of_kind(manifests, "ScaledObject"):
        spec = one["spec"]
        if one["apiVersion"] != "keda.sh/v1alpha1" or not 0 < spec["minReplicaCount"] < spec["maxReplicaCount"]:
            found.append("its version, or its bounds")
        kinds = {trigger["type"]: trigger for trigger in spec["triggers"]}
        rabbit = kinds.get("rabbitmq", {"metadata": {}})
        wanted = {"protocol": "http", "vhostName": "blend_pos", "queueName": "queue.sales.created"}
        if not wanted.items() <= rabbit["metadata"].items() or rabbit["metadata"].get("mode") != "QueueLength":
            found.append("the queue that it looks at")
        if rabbit.get("authenticationRef", {}).get("name") not in known:
            found.append("nobody to ask RabbitMQ as")
        if kinds.get("cpu", {}).get("metricType") != "Utilization":
            found.append("CPU counts no more")
        if not all(isinstance(value, str) for trigger in spec["triggers"] for value in trigger["metadata"].values()):
            found.append("a value that is no text")
    return found


EVERYWHERE: tuple[Rule, ...] = (
    limited, locked, of_our_image, probed, mounted, belong_together, scaled_once, jobs_end, keda_shape,
)  # fmt: skip
