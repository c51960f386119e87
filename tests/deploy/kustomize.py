"""What `kubectl kustomize` makes of a folder, as far as deploy/kubernetes uses it: no wheel brings a kustomize.

Resources, components, strategic-merge patches, a namespace, images, ConfigMaps from files. Anything else in a
kustomization fails, so that nothing is passed over that a cluster would see.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

CLUSTER_WIDE = {"Namespace"}
KNOWN = {
    "apiVersion", "kind", "namespace", "resources", "components", "patches", "images", "configMapGenerator",
    "generatorOptions",
}  # fmt: skip
# By what the elements of a list are told apart, in the lists that patches reach.
MERGE_KEYS = {
    "containers": "name", "initContainers": "name", "volumes": "name", "env": "name", "volumeMounts": "mountPath",
    "topologySpreadConstraints": "topologyKey",
}  # fmt: skip


class BrokenKustomization(Exception):
    """A cluster would not be given what is written there. The message says what is wrong, and where."""


def read(path: Path) -> list[Manifest]:
    """Every document of a file."""
    return [document for document in yaml.safe_load_all(path.read_text()) if document is not None]


def build(folder: Path, *, also: Sequence[Path] = ()) -> list[Manifest]:
    """Every manifest that `kubectl apply -k folder` would send, with more components; raises BrokenKustomization."""
    manifests = _apply(folder, [])
    for component in also:
        manifests = _apply(component, manifests)
        _set_namespace(manifests, read(folder / "kustomization.yaml")[0].get("namespace"))
    return manifests


def kustomizations(folder: Path) -> Iterator[tuple[Path, Manifest]]:
    """Each folder below that has a kustomization, and what it says."""
    for path in sorted(folder.rglob("kustomization.yaml")):
        yield path.parent, read(path)[0]


def name_of(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], manifest["metadata"]["name"]


def _apply(folder: Path, manifests: list[Manifest]) -> list[Manifest]:
    """What the folder makes of those that are there already: a component changes them, a kustomization adds to none."""
    path = folder / "kustomization.yaml"
    if not path.is_file():
        raise BrokenKustomization(f"{folder} has no kustomization.yaml")
    told = read(path)[0]
    if unknown := told.keys() - KNOWN:
        raise BrokenKustomization(f"{path}: {sorted(unknown)} is not known here")
    for entry in told.get("resources", []):
        manifests = [*manifests, *_resource(folder / entry)]
    manifests = [*manifests, *_generated(folder, told)]
    for entry in told.get("components", []):
        manifests = _apply((folder / entry).resolve(), manifests)
    for entry in told.get("patches", []):
        for patch in _existing(folder / entry["path"]):
            manifests = _patched(manifests, patch, path)
    _set_namespace(manifests, told.get("namespace"))
    _set_images(manifests, told.get("images", []))
    names = [name_of(manifest) for manifest in manifests]
    if twice := {name for name in names if names.count(name) > 1}:
        raise BrokenKustomization(f"{path}: twice: {sorted(twice)}")
    return manifests


def _resource(path: Path) -> list[Manifest]:
    return _apply(path.resolve(), []) if path.is_dir() else _existing(path)


def _existing(path: Path) -> list[Manifest]:
    if not path.is_file():
        raise BrokenKustomization(f"{path} is not there")
    return read(path)


def _generated(folder: Path, told: Manifest) -> Iterator[Manifest]:
    options = told.get("generatorOptions", {})
    for generator in told.get("configMapGenerator", []):
        if not options.get("disableNameSuffixHash"):
            raise BrokenKustomization(f"{folder}: a name with a hash behind it is not known here")
        files = {Path(entry).name: folder / entry for entry in generator["files"]}
        if missing := [str(path) for path in files.values() if not path.is_file()]:
            raise BrokenKustomization(f"{missing} is not there")
        yield {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": generator["name"], "labels": dict(options.get("labels", {}))},
            "data": {name: path.read_text() for name, path in files.items()},
        }


def _patched(manifests: list[Manifest], patch: Manifest, path: Path) -> list[Manifest]:
    found = [manifest for manifest in manifests if name_of(manifest) == name_of(patch)]
    if not found:
        raise BrokenKustomization(f"{path}: the patch of {name_of(patch)} finds nothing")
    if patch.get("$patch") == "delete":
        return [manifest for manifest in manifests if manifest is not found[0]]
    return [_merged(manifest, patch) if manifest is found[0] else manifest for manifest in manifests]


def _merged(base: Manifest, patch: Manifest) -> Manifest:
    merged = dict(base)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merged(merged[key], value)
        elif isinstance(value, list) and key in MERGE_KEYS:
            merged[key] = _merged_list(merged.get(key, []), value, MERGE_KEYS[key])
        else:
            merged[key] = value
    return merged


def _merged_list(base: list[Manifest], patch: list[Manifest], key: str) -> list[Manifest]:
    changes = {element[key]: element for element in patch}
    kept = [_merged(element, changes.pop(element[key], {})) for element in base]
    return [*changes.values(), *kept]  # as kustomize orders them


def _set_namespace(manifests: list[Manifest], namespace: str | None) -> None:
    for manifest in manifests:
        if namespace and manifest["kind"] not in CLUSTER_WIDE:
            manifest["metadata"]["namespace"] = namespace


def _set_images(manifests: list[Manifest], images: list[Manifest]) -> None:
    told = {image["name"]: f"{image.get('newName', image['name'])}:{image['newTag']}" for image in images}
    for manifest in manifests:
        spec = manifest.get("spec", {}).get("template", {}).get("spec", {})
        for container in [*spec.get("initContainers", []), *spec.get("containers", [])]:
            container["image"] = told.get(container["image"], container["image"])
