"""What may be wrong with a manifest, one thing each, and the rule that has to say so."""

from collections.abc import Callable
from typing import Any

from tests.deploy import network, rules
from tests.deploy.kustomize import Manifest
from tests.deploy.overlays import find, first, invalid, pod, secrets_known

BREAKS: dict[str, tuple[rules.Rule, Callable[[list[Manifest]], Any]]] = {
    "a word that Kubernetes has not": (invalid, lambda it: find(it, "Deployment", "web").update(replica=3)),
    "a number that is a text": (invalid, lambda it: find(it, "Deployment", "web").update(minReadySeconds="3")),
    "no limit": (rules.limited, lambda it: first(it, "beat")["resources"]["limits"].pop("memory")),
    "root": (rules.locked, lambda it: pod(it, "redis")["securityContext"].update(runAsUser=0)),
    "writable": (rules.locked, lambda it: first(it, "web")["securityContext"].update(readOnlyRootFilesystem=False)),
    "a token": (rules.locked, lambda it: pod(it, "web").pop("automountServiceAccountToken")),
    "service links": (rules.locked, lambda it: pod(it, "rabbitmq").pop("enableServiceLinks")),
    "a moving tag": (rules.of_our_image, lambda it: first(it, "redis").update(image="redis:latest")),
    "no tag": (rules.of_our_image, lambda it: first(it, "web").update(image="blend-pos")),
    "two of ours": (rules.of_our_image, lambda it: first(it, "web").update(image="x/blend-pos:0")),
    "another user": (rules.of_our_image, lambda it: pod(it, "beat")["securityContext"].update(runAsUser=999)),
    "no probe": (rules.probed, lambda it: first(it, "maintenance").pop("readinessProbe")),
    "one probe for both": (
        rules.probed,
        lambda it: first(it, "beat").update(readinessProbe=first(it, "beat")["livenessProbe"]),
    ),
    "a probe that is nowhere": (rules.mounted, lambda it: first(it, "sales-worker")["volumeMounts"].pop()),
    "a volume that is nowhere": (rules.mounted, lambda it: pod(it, "web")["volumes"].pop()),
    "a file that is nowhere": (
        rules.mounted,
        lambda it: rules.named(it, "ConfigMap", "rabbitmq")["data"].pop("rabbitmq.conf"),
    ),
    "a Secret of nobody": (
        secrets_known,
        lambda it: first(it, "web")["envFrom"][2]["secretRef"].update(name="other"),
    ),
    "a key of nobody": (
        secrets_known,
        lambda it: first(it, "web")["env"][0]["valueFrom"]["secretKeyRef"].update(key="uri"),
    ),
    "another's pods": (rules.belong_together, lambda it: find(it, "Service", "web")["selector"].update(app="wob")),
    "another's port": (
        rules.belong_together,
        lambda it: find(it, "Service", "web")["ports"][0].update(targetPort="https"),
    ),
    "two autoscalers of one": (
        rules.scaled_once,
        lambda it: find(it, "HorizontalPodAutoscaler", "web-hpa")["scaleTargetRef"].update(name="sales-worker"),
    ),
    "a number beside the autoscaler": (
        rules.scaled_once,
        lambda it: find(it, "Deployment", "sales-worker").update(replicas=3),
    ),
    "a Job without end": (rules.jobs_end, lambda it: find(it, "Job", "warmup").pop("activeDeadlineSeconds")),
    "everything allowed": (network.network, lambda it: find(it, "NetworkPolicy", "default-deny").pop("policyTypes")),
    "a pod without a policy": (
        network.network,
        lambda it: find(it, "NetworkPolicy", "to-redis")["podSelector"]["matchExpressions"][0].update(values=["web"]),
    ),
    "nobody lets it in": (network.network, lambda it: find(it, "NetworkPolicy", "redis").update(ingress=[])),
    "a policy for nobody": (
        network.network,
        lambda it: find(it, "NetworkPolicy", "web")["podSelector"].update(matchLabels={"app": "wob"}),
    ),
    "another queue": (
        rules.keda_shape,
        lambda it: find(it, "ScaledObject", "sales-worker")["triggers"][0]["metadata"].update(queueName="sales"),
    ),
    "a number where KEDA takes text": (
        rules.keda_shape,
        lambda it: find(it, "ScaledObject", "sales-worker")["triggers"][0]["metadata"].update(value=20),
    ),
}
