"""``/etc/passwd`` and ``/etc/group`` of a pod: two annotations, mounted read-only.

A pod without them has no name for its user, and giving one by writing into the image needs root. An
annotation needs no right that a hub does not have, and nobody in the pod can change the file.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from jhext.identity.model import Identity

from .manifest import Container, Manifest, containers, notebook, without
from .settings import PodSettings

PASSWD = "jhext.io/passwd"  # noqa: S105 - the name of an annotation
"""The annotation that becomes ``/etc/passwd``."""

GROUP = "jhext.io/group"
"""The annotation that becomes ``/etc/group``."""

VOLUME = "jhext-nss"
"""The name of the volume."""

FILES = {"passwd": PASSWD, "group": GROUP}
"""The names of the files in the volume and in ``/etc``, and their annotations."""

PATHS = frozenset(f"/etc/{name}" for name in FILES)

MAX_ANNOTATIONS = 256 * 1024
"""The bytes that all keys and values of annotations may have together (Kubernetes'
``TotalAnnotationSizeLimitB``)."""

_READ_ONLY_FOR_ALL = 0o444


def passwd_text(identity: Identity, home: str, base: str) -> str:
    """Write the ``/etc/passwd`` of a person's pod.

    Parameters
    ----------
    identity
        The person. Its names and texts were checked when it was put together.
    home
        The home directory in the container.
    base
        The lines of system accounts. One with the name or the uid of the person is left out.
    """
    fields = [
        identity.username,
        "x",
        str(identity.uid),
        str(identity.gid),
        identity.gecos or "",
        home,
        identity.shell or "",
    ]
    return _with_base(base, {identity.username}, {str(identity.uid)}, [":".join(fields)])


def group_text(identity: Identity, base: str) -> str:
    """Write the ``/etc/group`` of a person's pod.

    The primary group has a line without members, each other one has the person as its member. A
    primary group without a name gets the person's if that is free, else one made of its number.

    Parameters
    ----------
    identity
        The person.
    base
        The lines of system groups. One with the name or the gid of one of the person's groups is
        left out.
    """
    names = {group.name: group.gid for group in identity.groups}
    if identity.gid not in names.values():
        name = identity.username if identity.username not in names else f"gid{identity.gid}"
        names = {name: identity.gid, **names}
    lines = [
        f"{name}:x:{gid}:{'' if gid == identity.gid else identity.username}"
        for name, gid in names.items()
    ]
    return _with_base(base, set(names), {str(gid) for gid in names.values()}, lines)


def _with_base(base: str, names: set[str], numbers: set[str], lines: list[str]) -> str:
    kept = []
    for line in base.splitlines():
        name, _, number, *_ = line.split(":")
        if name not in names and number not in numbers:
            kept.append(line)
    return "".join(f"{line}\n" for line in kept + lines)


def annotations_of(identity: Identity, home: str, settings: PodSettings) -> dict[str, str]:
    """Give the annotations that hold the two files."""
    return {
        PASSWD: passwd_text(identity, home, settings.base_passwd),
        GROUP: group_text(identity, settings.base_group),
    }


def volume() -> dict[str, Any]:
    """Give the volume that makes files of the annotations."""
    return {
        "name": VOLUME,
        "downwardAPI": {
            "defaultMode": _READ_ONLY_FOR_ALL,
            "items": [
                {"path": name, "fieldRef": {"fieldPath": f"metadata.annotations['{annotation}']"}}
                for name, annotation in FILES.items()
            ],
        },
    }


def mounts() -> list[dict[str, Any]]:
    """Give the mounts that put the files in their places."""
    return [
        {"name": VOLUME, "mountPath": f"/etc/{name}", "subPath": name, "readOnly": True}
        for name in FILES
    ]


def mount(manifest: Manifest, annotations: dict[str, str], exempt: frozenset[str]) -> None:
    """Put the two files into every container of a pod.

    Parameters
    ----------
    manifest
        The pod; it is changed. What else is mounted in these two places makes way.
    annotations
        What `annotations_of` gave.
    exempt
        The names of containers that stay as they are.
    """
    metadata, spec = manifest["metadata"], manifest["spec"]
    metadata["annotations"] = {**(metadata.get("annotations") or {}), **annotations}
    spec["volumes"] = [*without(spec.get("volumes"), "name", frozenset({VOLUME})), volume()]
    main = notebook(manifest)
    for _, container in containers(manifest):
        if container is main or container.get("name") not in exempt:
            container["volumeMounts"] = [*_elsewhere(container), *mounts()]


def _elsewhere(container: Container) -> list[dict[str, Any]]:
    return [item for item in container.get("volumeMounts") or () if place(item) not in PATHS]


def place(item: Mapping[str, Any]) -> str:
    """Say where something is mounted, however its path is spelt."""
    return posixpath.normpath("/" + str(item.get("mountPath", "")).lstrip("/"))


def annotations_size(manifest: Manifest) -> int:
    """Count the bytes that Kubernetes counts."""
    annotations = manifest["metadata"].get("annotations") or {}
    return sum(len(key.encode()) + len(str(value).encode()) for key, value in annotations.items())
