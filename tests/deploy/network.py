"""Our rules for who reaches whom: nobody, but for what each part needs, and then from both sides."""

from collections.abc import Iterator

from tests.deploy.kustomize import Manifest
from tests.deploy.rules import Complaints, of_kind, pods

POSTGRESQL, REDIS, AMQP = 5432, 6379, 5672
# What names a server in a pod's environment, where it is taken from a Secret.
PORT_OF = {"DATABASE_URL": POSTGRESQL, "OWNER_URL": POSTGRESQL, "REDIS_URL": REDIS, "RABBITMQ_URL": AMQP}


def network(manifests: list[Manifest]) -> Complaints:
    """All of it."""
    return [*denied(manifests), *names_are_pods(manifests), *two_sided(manifests), *reach_what_they_name(manifests)]


def apps(manifests: list[Manifest]) -> dict[str, Manifest]:
    """The label of each kind of pod, and its template."""
    return {template["metadata"]["labels"]["app"]: template for _, template in pods(manifests)}


def selected(selector: Manifest) -> set[str]:
    """The labels that a pod selector names; none where it is empty, which means all."""
    found = {selector["matchLabels"]["app"]} if "matchLabels" in selector else set()
    for expression in selector.get("matchExpressions", []):
        found |= set(expression["values"]) if expression["key"] == "app" else set()
    return found


def ways(manifests: list[Manifest], direction: str) -> Iterator[tuple[str, str | None, int]]:
    """(pod, the pod on the other side or None where that is none of ours, port) of each rule, in or out."""
    side = {"ingress": "from", "egress": "to"}[direction]
    for policy in of_kind(manifests, "NetworkPolicy"):
        for rule in policy["spec"].get(direction, []):
            others: set[str | None] = set()
            for peer in rule.get(side, [{}]):
                others |= selected(peer["podSelector"]) if "podSelector" in peer else {None}
            for own in selected(policy["spec"]["podSelector"]):
                for port in rule["ports"]:
                    yield from ((own, other, port["port"]) for other in others)


def denied(manifests: list[Manifest]) -> Complaints:
    """One policy denies everything to everybody, and every kind of pod has one of its own besides."""
    policies = [policy["spec"] for policy in of_kind(manifests, "NetworkPolicy")]
    nothing = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    own = set().union(*(selected(spec["podSelector"]) for spec in policies))
    found = [] if nothing in policies else ["not everything is denied"]
    return found + [f"{app}: no policy" for app in apps(manifests).keys() - own]


def names_are_pods(manifests: list[Manifest]) -> Complaints:
    """No policy opens a way for pods that are not there."""
    known = apps(manifests).keys()
    told = {
        name
        for direction in ("ingress", "egress")
        for own, other, _ in ways(manifests, direction)
        for name in (own, other)
        if name is not None
    }
    return [f"no pod is called {name}" for name in told - known]


def two_sided(manifests: list[Manifest]) -> Complaints:
    """Where one may go out to another, that one lets it in, and the other way round."""
    out = {(own, other, port) for own, other, port in ways(manifests, "egress") if other}
    into = {(other, own, port) for own, other, port in ways(manifests, "ingress") if other}
    return [f"{one} to {other}, {port}: one side only" for one, other, port in out ^ into]


def reach_what_they_name(manifests: list[Manifest]) -> Complaints:
    """Who is given a server's address from a Secret may go there."""
    out = {(own, port) for own, _, port in ways(manifests, "egress")}
    found = []
    for app, template in apps(manifests).items():
        spec = template["spec"]
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            named = {one["name"] for one in container.get("env", []) if "secretKeyRef" in one.get("valueFrom", {})}
            taken = [one["secretRef"]["name"] for one in container.get("envFrom", []) if "secretRef" in one]
            if any(name.startswith("rabbitmq-") for name in taken):
                named.add("RABBITMQ_URL")
            wanted = {PORT_OF[name] for name in named & PORT_OF.keys()}
            found += [f"{app}: may not reach port {port}" for port in wanted if (app, port) not in out]
    return found
