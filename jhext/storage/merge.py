"""Volumes put into a pod, beside what KubeSpawner, profiles and hooks have put there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jhext.pod.environment import entries
from jhext.pod.manifest import Manifest, notebook
from jhext.pod.nss import place

from .errors import StorageReason, StorageRefused
from .volumes import Volumes

TAKE_OUT = (
    "take it out of KubeSpawner.volumes and volume_mounts, or of the profile (with the chart: "
    "singleuser.storage.type: none)"
)


def add(manifest: Manifest, volumes: Volumes) -> None:
    """Put volumes into a pod and mount them in the notebook's container.

    Doing it again changes nothing.

    Parameters
    ----------
    manifest
        The pod; it is changed.
    volumes
        What to mount.

    Raises
    ------
    StorageRefused
        Something else has the name or the place of one of them.
    """
    spec, container = manifest["spec"], notebook(manifest)
    spec["volumes"] = _joined(
        spec.get("volumes"), [dict(volume) for volume in volumes.volumes], lambda item: item["name"]
    )
    container["volumeMounts"] = _joined(
        container.get("volumeMounts"), [dict(mount) for mount in volumes.mounts], place
    )


def _joined(there: Any, added: list[dict[str, Any]], key: Any) -> list[dict[str, Any]]:
    result = list(there or ())
    taken: Mapping[str, Any] = {key(item): item for item in result}
    for item in added:
        before = taken.get(key(item))
        if before is None:
            result.append(item)
        elif before != item:
            message = "Two volumes would be in one place. Please tell your administrator."
            detail = f"{key(item)} is {before['name']} already and not {item['name']}; {TAKE_OUT}"
            raise StorageRefused(StorageReason.MOUNT, message, detail=detail)
    return result


def set_home(manifest: Manifest, home: str) -> None:
    """Let the server work in the home, unless it is configured to work elsewhere."""
    container = notebook(manifest)
    if not container.get("workingDir"):
        container["workingDir"] = home
    others = [item for item in container.get("env") or () if item.get("name") != "HOME"]
    variables = {"HOME": home}
    if not any(item.get("name") == _ROOT_DIR for item in others):
        variables[_ROOT_DIR] = home
    container["env"] = [*entries(variables), *others]


_ROOT_DIR = "JUPYTERHUB_ROOT_DIR"
"""Where JupyterHub puts ``notebook_dir``, for the server to read."""


def keep_together(manifest: Manifest, pod: Mapping[str, Any]) -> None:
    """Have a pod scheduled to the node of another, whose volume only one node can mount."""
    labels = pod["metadata"].get("labels") or {}
    wanted = {name: value for name, value in labels.items() if name in _WHICH}
    term = {"labelSelector": {"matchLabels": wanted}, "topologyKey": "kubernetes.io/hostname"}
    affinity = manifest["spec"].setdefault("affinity", {}).setdefault("podAffinity", {})
    terms = affinity.setdefault("requiredDuringSchedulingIgnoredDuringExecution", [])
    if term not in terms:
        terms.append(term)


_WHICH = ("hub.jupyter.org/username", "hub.jupyter.org/servername", "component")
"""The labels by which KubeSpawner's pod of one server is known."""
