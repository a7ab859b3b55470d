"""The plain form of a pod: where its containers are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Manifest = dict[str, Any]
"""A pod as JSON has it. Functions that change one want a copy that is theirs to change."""

Container = dict[str, Any]

NOTEBOOK = "notebook"
"""What KubeSpawner calls the container that the notebook runs in."""

CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")
"""The keys of a pod's spec that hold containers."""


def containers(manifest: Manifest) -> Iterator[tuple[str, Container]]:
    """Give each container of a pod with the path that leads to it."""
    for key in CONTAINER_LISTS:
        for index, container in enumerate(manifest["spec"].get(key) or ()):
            yield f"spec.{key}[{index}]", container


def notebook(manifest: Manifest) -> Container:
    """Give the container that the notebook runs in, also where a hook puts another before it."""
    inside: list[Container] = manifest["spec"]["containers"]
    return next((item for item in inside if item.get("name") == NOTEBOOK), inside[0])


def without(items: Any, key: str, values: frozenset[str]) -> list[dict[str, Any]]:
    """Leave out of a list of objects those that have one of these values under the key."""
    return [item for item in items or () if item.get(key) not in values]
