"""One overlay of singleuser-profiles, read as a ``kubespawner_override``.

Lists become dicts by name: KubeSpawner merges dicts, but a list takes the place of another.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from ..units import parse_quantity
from .imported import Notes, listed, mapping

WORKING_DIR = "/opt/app-root/src"
"""Where relative mounts begin, as in Open Data Hub's images."""

_SUFFIXES = {"T": 1024**4, "G": 1024**3, "M": 1024**2, "K": 1024}
_RESOURCES = {
    ("limits", "memory"): "mem_limit",
    ("limits", "cpu"): "cpu_limit",
    ("requests", "memory"): "mem_guarantee",
    ("requests", "cpu"): "cpu_guarantee",
}
_READ = {
    *("name", "images", "users", "env", "resources", "volumes"),
    *("node_tolerations", "node_affinity", "gpu"),
}


def override(overlay: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    """Convert what an overlay does to a pod.

    Raises
    ------
    ConfigurationError
        A part of it has another shape than singleuser-profiles can read.
    """
    where = f"profile {overlay.get('name', '')!r}"
    result: dict[str, Any] = {}
    if environment := _environment(overlay.get("env"), where):
        result["environment"] = environment
    result |= resources(overlay.get("resources"), where, notes)
    if volumes := listed(overlay.get("volumes"), f"{where}: volumes"):
        result |= _volumes(volumes, where)
        message = "these merge with c.KubeSpawner.volumes and volume_mounts where those are dicts"
        suggestion = "write those as dicts by name, or these again with them"
        notes.add(where, "volumes", message, suggestion)
    if found := tolerations(overlay.get("node_tolerations"), where):
        result["tolerations"] = found
    result |= _affinity(overlay.get("node_affinity"), where)
    if overlay.get("gpu"):
        result |= gpus(str(overlay["gpu"]))
    for key in sorted(map(str, set(overlay) - _READ)):
        suggestion = "see whether an override does the same"
        notes.add(where, key, "has no counterpart; left out", suggestion)
    return result


def gpus(count: str) -> dict[str, Any]:
    """Ask for a number of GPUs."""
    return {
        "extra_resource_limits": {"nvidia.com/gpu": count},
        "extra_resource_guarantees": {"nvidia.com/gpu": count},
    }


def tolerations(raw: Any, where: str) -> dict[str, Any]:
    """Name each toleration by what it tolerates."""
    found = {}
    for item in listed(raw, f"{where}: node_tolerations"):
        toleration = dict(mapping(item, f"{where}: node_tolerations"))
        words = (toleration.get(key) for key in ("key", "value", "effect"))
        found["-".join(str(word) for word in words if word) or "all"] = toleration
    return found


def resources(raw: Any, where: str, notes: Notes) -> dict[str, Any]:
    """Read requests and limits, and the shorter keys of old versions."""
    given = mapping(raw, f"{where}: resources")
    result: dict[str, Any] = {}
    for (kind, what), trait in _RESOURCES.items():
        value = mapping(given.get(kind), f"{where}: resources.{kind}").get(what)
        if value is None:
            value = given.get(trait)
        if value is None:
            continue
        try:
            result[trait] = _memory(value) if what == "memory" else _cpu(value)
        except ValueError as error:
            suggestion = f"write {trait} as Kubernetes writes it, such as 2 or 4Gi"
            notes.add(where, f"resources.{kind}.{what}", f"{error}; left out", suggestion)
    return result


def _memory(value: Any) -> str | int:
    """Give Kubernetes' quantity as JupyterHub writes it, whose G is 1024 to the third."""
    exact = parse_quantity(value)
    if 0 < exact < 1:
        raise ValueError(f"{value!r} is less than a byte")  # 500m, where 500M was meant
    size = int(exact)
    for suffix, scale in _SUFFIXES.items():
        if size and size % scale == 0:
            return f"{size // scale}{suffix}"
    return size


def _cpu(value: Any) -> float | int:
    count = parse_quantity(value)
    return int(count) if count.denominator == 1 else float(count)


def _environment(raw: Any, where: str) -> dict[str, Any]:
    """KubeSpawner expands braces in the values, singleuser-profiles does not."""
    if isinstance(raw, Mapping):
        return {str(name): _escaped(value) for name, value in raw.items()}
    result: dict[str, Any] = {}
    for item in listed(raw, f"{where}: env"):
        variable = mapping(item, f"{where}: env")
        name = str(variable.get("name"))
        source = mapping(variable.get("valueFrom"), f"{where}: env.{name}")
        result[name] = {"valueFrom": dict(source)} if source else _escaped(variable.get("value"))
    return result


def _escaped(value: Any) -> str:
    return ("" if value is None else str(value)).replace("{", "{{").replace("}", "}}")


def _volumes(raw: list[Any], where: str) -> dict[str, Any]:
    volumes, mounts = {}, {}
    for item in raw:
        volume = mapping(item, f"{where}: volumes")
        name = re.sub("[^a-z0-9-]", "-", str(volume.get("name")).lower())
        claim = mapping(volume.get("persistentVolumeClaim"), f"{where}: volumes.{name}")
        volumes[name] = {"name": name, "persistentVolumeClaim": dict(claim)}
        path = posixpath.join(WORKING_DIR, str(volume.get("mountPath") or name))
        mounts[name] = {"name": name, "mountPath": posixpath.normpath(path)}
    return {"volumes": volumes, "volume_mounts": mounts}


def _affinity(raw: Any, where: str) -> dict[str, Any]:
    affinity = mapping(raw, f"{where}: node_affinity")
    result: dict[str, Any] = {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if terms := mapping(required, f"{where}: node_affinity").get("nodeSelectorTerms"):
        result["node_affinity_required"] = listed(terms, f"{where}: nodeSelectorTerms")
    if terms := affinity.get("preferredDuringSchedulingIgnoredDuringExecution"):
        result["node_affinity_preferred"] = listed(terms, f"{where}: node_affinity")
    return result
