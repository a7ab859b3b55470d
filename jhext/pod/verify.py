"""The last look at a manifest: what in it is not as the identity says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jhext.delegation.mount import TokenMount, misplaced

from .environment import entries
from .manifest import Container, Manifest, containers, notebook
from .nss import (
    MAX_ANNOTATIONS,
    PATHS,
    VOLUME,
    annotations_size,
    mounts,
    place,
    volume,
)
from .security import CONTAINER_IDS, POD_IDS, Ids, common_gids
from .settings import PodSettings

_SECCOMP = ("RuntimeDefault", "Localhost")
_CONFINING = (
    "seccomp.security.alpha.kubernetes.io/",
    "container.seccomp.security.alpha.kubernetes.io/",
    "container.apparmor.security.beta.kubernetes.io/",
)
"""Annotations that Kubernetes before 1.27 and 1.30 puts in the place of fields that are missing."""

_SHARED_WITH_NODE = ("hostPID", "hostIPC")
_CURES = (
    "take it out, or list the container in pod.privileged_containers if it is one of "
    "KubeSpawner.init_containers or extra_containers (the chart's own block-cloud-metadata goes "
    "with singleuser.cloudMetadata.blockWithIptables: false)"
)


@dataclass(frozen=True, slots=True)
class Violation:
    """Something in a manifest that must not be sent.

    Parameters
    ----------
    path
        Where it is.
    problem
        What is wrong with it.
    cure
        What to do about it, where that is known.
    """

    path: str
    problem: str
    cure: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}" + (f"; {self.cure}" if self.cure else "")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a manifest is held against.

    Parameters
    ----------
    ids
        The numbers it runs under, or None where the platform assigns them.
    annotations
        The annotations that hold the NSS files; none where the platform assigns the ids.
    variables
        The variables of the notebook's container.
    token
        What it has of the person's token.
    """

    ids: Ids | None
    annotations: Mapping[str, str]
    variables: dict[str, str]
    token: TokenMount | None = None


@dataclass(frozen=True, slots=True)
class Configured:
    """What the operator has configured, before any profile, option or hook, in plain form.

    Parameters
    ----------
    containers
        Init containers and sidecars, by name.
    volumes
        Volumes, by name.
    """

    containers: Mapping[str, Container] = field(default_factory=dict)
    volumes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @staticmethod
    def of(
        containers: Iterable[Mapping[str, Any]], volumes: Iterable[Mapping[str, Any]] = ()
    ) -> Configured:
        """Order them by name; what has none is nobody's."""
        return Configured().and_of(containers, volumes)

    def and_of(
        self, containers: Iterable[Mapping[str, Any]], volumes: Iterable[Mapping[str, Any]]
    ) -> Configured:
        """Add more, which come before those of the same name."""
        return Configured(
            {**self.containers, **{str(one.get("name")): dict(one) for one in containers}},
            {**self.volumes, **{str(one.get("name")): one for one in volumes}},
        )


def verify(
    manifest: Manifest,
    expected: Expected,
    settings: PodSettings,
    configured: Configured,
) -> list[Violation]:
    """List everything in a manifest that must not be sent.

    ``hostPID`` and ``hostIPC`` are among it, since they let a process reach others with the same
    uid on the node. ``hostNetwork`` is not: no identity changes by it.

    Parameters
    ----------
    manifest
        The pod, as it is about to be sent.
    expected
        What it must be like.
    settings
        The section ``pod``.
    configured
        What containers listed in ``pod.privileged_containers``, and the volumes that these mount,
        must equal.
    """
    return list(_violations(manifest, expected, settings, configured))


def _violations(
    manifest: Manifest,
    expected: Expected,
    settings: PodSettings,
    configured: Configured,
) -> Iterator[Violation]:
    spec = manifest["spec"]
    for key in _SHARED_WITH_NODE:
        if spec.get(key):
            yield Violation(f"spec.{key}", "shares processes with others on the node")
    yield from _pod_context(spec.get("securityContext") or {}, expected.ids, settings)
    main = notebook(manifest)
    for path, container in containers(manifest):
        name = container.get("name")
        if container is not main and name in settings.privileged_containers:
            yield from _privileged(path, container, spec.get("volumes") or (), configured)
            continue
        yield from _container_context(path, container, expected.ids)
        if expected.annotations:
            yield from _nss_mounts(path, container)
    yield from _annotations(manifest, expected.annotations)
    yield from _variables(main, expected.variables)
    for path, problem in misplaced(manifest, expected.token):
        yield Violation(path, problem)


def _privileged(
    path: str, container: Container, volumes: Iterable[Mapping[str, Any]], configured: Configured
) -> Iterator[Violation]:
    """Hold a listed container, and what it can reach, against what the operator configured."""
    name = container.get("name")
    if container != configured.containers.get(str(name)):
        yield Violation(
            path, f"{name!a} is not the container that KubeSpawner's configuration defines"
        )
    mounted = {mount.get("name") for mount in container.get("volumeMounts") or ()}
    for found in volumes:
        name = found.get("name")
        if name in mounted and found != configured.volumes.get(str(name)):
            yield Violation(
                f"{path}.volumeMounts",
                f"{name!a} is not the volume that KubeSpawner's configuration defines",
            )


def _pod_context(
    context: Mapping[str, Any], ids: Ids | None, settings: PodSettings
) -> Iterator[Violation]:
    wanted: dict[str, Any] = dict.fromkeys(POD_IDS)
    wanted["supplementalGroups"] = common_gids(settings) or None
    if ids is not None:
        wanted |= {
            "runAsUser": ids.uid,
            "runAsGroup": ids.gid,
            "supplementalGroups": list(ids.supplemental),
            "fsGroup": ids.fs_group,
        }
        if settings.supplemental_groups_policy is not None:
            wanted["supplementalGroupsPolicy"] = settings.supplemental_groups_policy
    wanted["windowsOptions"] = None
    yield from _compare("spec.securityContext", context, wanted)
    yield from _confinement("spec.securityContext", context, required=True)


def _container_context(path: str, container: Container, ids: Ids | None) -> Iterator[Violation]:
    context = container.get("securityContext") or {}
    path = f"{path}.securityContext"
    wanted: dict[str, Any] = dict.fromkeys(CONTAINER_IDS)
    if ids is not None:
        wanted |= {"runAsUser": ids.uid, "runAsGroup": ids.gid}
    if ids is None or ids.uid != 0:
        wanted["runAsNonRoot"] = True
    wanted |= {"allowPrivilegeEscalation": False, "windowsOptions": None}
    yield from _compare(path, context, wanted, _CURES)
    yield from _confinement(path, context, required=False)
    capabilities = context.get("capabilities") or {}
    if capabilities.get("add"):
        yield Violation(f"{path}.capabilities", f"adds {capabilities['add']!a}", _CURES)
    elif "ALL" not in (capabilities.get("drop") or ()):
        yield Violation(f"{path}.capabilities", "does not drop ALL")
    if context.get("privileged"):
        yield Violation(f"{path}.privileged", "is set", _CURES)
    if context.get("procMount") not in (None, "Default"):
        yield Violation(f"{path}.procMount", "shows what is masked in /proc")


def _compare(
    path: str, found: Mapping[str, Any], wanted: Mapping[str, Any], cure: str = ""
) -> Iterator[Violation]:
    for key, value in wanted.items():
        actual = found.get(key)
        if actual != value or type(actual) is not type(value):
            should = "absent" if value is None else f"{value!a}"
            yield Violation(f"{path}.{key}", f"is {actual!a} and should be {should}", cure)


def _confinement(path: str, context: Mapping[str, Any], *, required: bool) -> Iterator[Violation]:
    if (context.get("appArmorProfile") or {}).get("type") == "Unconfined":
        yield Violation(f"{path}.appArmorProfile", "is Unconfined")
    profile = context.get("seccompProfile")
    if profile is None and not required:
        return
    if (profile or {}).get("type") not in _SECCOMP:
        yield Violation(f"{path}.seccompProfile", f"is {profile!a}: all system calls are open")


def _nss_mounts(path: str, container: Container) -> Iterator[Violation]:
    found = [item for item in container.get("volumeMounts") or () if place(item) in PATHS]
    if found != mounts():
        yield Violation(
            f"{path}.volumeMounts", "something else is mounted at /etc/passwd or /etc/group"
        )


def _annotations(manifest: Manifest, wanted: Mapping[str, str]) -> Iterator[Violation]:
    found = manifest["metadata"].get("annotations") or {}
    for key, value in wanted.items():
        if found.get(key) != value:
            yield Violation(f"metadata.annotations[{key}]", "is not what the identity says")
    if wanted:
        volumes = manifest["spec"].get("volumes") or ()
        if [item for item in volumes if item.get("name") == VOLUME] != [volume()]:
            yield Violation("spec.volumes", f"{VOLUME} is not the volume of the annotations")
    for key, value in found.items():
        if key.startswith(_CONFINING) and value == "unconfined":
            yield Violation(f"metadata.annotations[{key}]", "is unconfined")
    size = annotations_size(manifest)
    if size > MAX_ANNOTATIONS:
        yield Violation(
            "metadata.annotations",
            f"{size} bytes are more than the {MAX_ANNOTATIONS} that Kubernetes takes",
            "the person is in too many groups, or other annotations are too long",
        )


def _variables(container: Container, wanted: dict[str, str]) -> Iterator[Violation]:
    variables = container.get("env") or ()
    for entry in entries(wanted):
        if [item for item in variables if item.get("name") == entry["name"]] != [entry]:
            yield Violation("the notebook's env", f"{entry['name']} is not the identity's")
