"""Under which ids a pod runs, and what it is not allowed to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jhext.identity.model import Identity

from .manifest import Container, Manifest, containers, notebook
from .settings import DOCKER_STACKS_GID, PodSettings

POD_IDS = ("runAsUser", "runAsGroup", "supplementalGroups", "fsGroup")
"""The keys of a pod's security context that hold ids."""

CONTAINER_IDS = ("runAsUser", "runAsGroup")
"""The keys of a container's security context that hold ids."""


@dataclass(frozen=True, slots=True)
class Ids:
    """The numbers that a pod runs under.

    Parameters
    ----------
    uid, gid
        Those of the process.
    supplemental
        Its further groups, ascending.
    fs_group
        The group of volumes, if they are to have one. The process is in it as well.
    """

    uid: int
    gid: int
    supplemental: tuple[int, ...]
    fs_group: int | None


def ids_of(identity: Identity, settings: PodSettings) -> Ids:
    """Say which numbers the pod of a person runs under.

    The supplemental groups are, together:

    1. the groups of the identity, without the primary one;
    2. those that the section ``pod`` gives everybody.
    """
    gids = {*identity.supplemental_gids, *common_gids(settings)}
    if settings.fs_group == "none":
        fs_group = None
    else:
        fs_group = identity.gid if settings.fs_group == "primary" else settings.fs_group
    return Ids(identity.uid, identity.gid, tuple(sorted(gids - {identity.gid})), fs_group)


def common_gids(settings: PodSettings) -> list[int]:
    """Give the groups that everybody's processes are in, ascending.

    They are ``pod.supplemental_gids``, and gid 100 with ``pod.image_family: docker-stacks``, whose
    images let ``users`` write. They are no person's, and are given where the platform assigns the
    ids, too: the restricted SCC of OpenShift lets pods have any supplemental groups.
    """
    family = {DOCKER_STACKS_GID} if settings.image_family == "docker-stacks" else set()
    return sorted(settings.supplemental_gids | family)


def secure(manifest: Manifest, ids: Ids | None, settings: PodSettings) -> None:
    """Give a pod and each of its containers their ids, and take from them what they don't need.

    What earlier steps say about ids is replaced. What somebody asks for explicitly beyond them
    stays as it is: root in an init container or a sidecar, ``privileged``, added capabilities. A
    container that is silently robbed of it fails in ways nobody can explain, so that is for
    `jhext.pod.verify` to refuse. Containers listed in ``pod.privileged_containers`` stay as
    they are.

    Parameters
    ----------
    manifest
        The pod; it is changed.
    ids
        The numbers, or None where the platform assigns them and no own ones may be asked for.
    settings
        The section ``pod``.
    """
    spec = manifest["spec"]
    spec.setdefault("enableServiceLinks", False)
    if not spec.get("serviceAccountName"):  # naming an account is KubeSpawner's way to ask for it
        spec.setdefault("automountServiceAccountToken", False)
    main = notebook(manifest)
    exempt = False
    for _, container in containers(manifest):
        if container is not main and container.get("name") in settings.privileged_containers:
            exempt = True
        else:
            _secure_container(container, ids, is_notebook=container is main)
    context = spec["securityContext"] = _without_ids(spec.get("securityContext"), POD_IDS)
    context.setdefault("seccompProfile", {"type": "RuntimeDefault"})
    context.pop("runAsNonRoot", None)
    if not exempt and _is_not_root(ids):
        # The kubelet holds an exempt container to it too, unless that one says otherwise.
        context["runAsNonRoot"] = True
    if ids is not None:
        context |= {"runAsUser": ids.uid, "runAsGroup": ids.gid}
        context["supplementalGroups"] = list(ids.supplemental)
        if ids.fs_group is not None:
            context["fsGroup"] = ids.fs_group
            context.setdefault("fsGroupChangePolicy", "OnRootMismatch")
        if settings.supplemental_groups_policy is not None:
            context["supplementalGroupsPolicy"] = settings.supplemental_groups_policy
    elif common := common_gids(settings):
        context["supplementalGroups"] = common


def _secure_container(container: Container, ids: Ids | None, *, is_notebook: bool) -> None:
    context = container.get("securityContext") or {}
    wants_root = not is_notebook and context.get("runAsUser") == 0
    context = container["securityContext"] = _without_ids(context, CONTAINER_IDS)
    if wants_root:
        context["runAsUser"] = 0
    elif ids is not None:
        context |= {"runAsUser": ids.uid, "runAsGroup": ids.gid}
    context.pop("runAsNonRoot", None)
    if _is_not_root(ids):
        context["runAsNonRoot"] = True
    context["allowPrivilegeEscalation"] = False
    if not (context.get("capabilities") or {}).get("add"):
        context["capabilities"] = {"drop": ["ALL"]}


def _is_not_root(ids: Ids | None) -> bool:
    return ids is None or ids.uid != 0


def _without_ids(context: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in (context or {}).items() if key not in keys}
