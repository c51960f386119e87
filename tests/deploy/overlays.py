"""The overlays as a cluster would be given them, and what is asked of them by name."""

import json
from copy import deepcopy
from functools import cache
from pathlib import Path

import kubernetes_validate
from django.conf import settings

from tests.deploy import kustomize, rules
from tests.deploy.kustomize import Manifest

FOLDER = Path(settings.BASE_DIR) / "deploy" / "kubernetes"
EXAMPLE = FOLDER / "secrets.example.yaml"
OVERLAYS = ("one-node", "cluster", "cluster with KEDA")
VERSIONS = ("1.30", kubernetes_validate.latest_version())  # the oldest that can sleep before a stop; the newest


def built(overlay: str) -> list[Manifest]:
    """A copy, to be spoilt."""
    return deepcopy(_built(overlay))


@cache
def _built(overlay: str) -> list[Manifest]:
    name, _, component = overlay.partition(" with ")
    return kustomize.build(
        FOLDER / "overlays" / name, also=[FOLDER / "components" / component.lower()] * bool(component)
    )


def example() -> dict[str, set[str]]:
    """Secret -> its keys."""
    return {one["metadata"]["name"]: set(one["stringData"]) for one in kustomize.read(EXAMPLE)}


def invalid(manifests: list[Manifest]) -> list[str]:
    """What Kubernetes' own schemas say, of the oldest and the newest version that is meant."""
    known = [manifest for manifest in manifests if not manifest["apiVersion"].startswith("keda.sh/")]
    return [error for manifest in known for error in _invalid(json.dumps(manifest))]


@cache
def _invalid(written: str) -> list[str]:
    """Of one manifest; most are the same in several overlays, and each is compared with all of the schemas' words."""
    manifest, found = json.loads(written), []
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{kustomize.name_of(manifest)}: {error.message}")
    return found


def secrets_known(manifests: list[Manifest]) -> list[str]:
    return rules.secrets_known(manifests, example=example())


def pod(manifests: list[Manifest], name: str) -> Manifest:
    spec: Manifest = next(
        template["spec"] for one, template in rules.pods(manifests) if one["metadata"]["name"] == name
    )
    return spec


def first(manifests: list[Manifest], name: str) -> Manifest:
    container: Manifest = pod(manifests, name)["containers"][0]
    return container


def find(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    spec: Manifest = rules.named(manifests, kind, name)["spec"]
    return spec
