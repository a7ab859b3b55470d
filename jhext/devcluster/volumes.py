"""The volumes of a pod as directories on this machine.

What comes from a secret, a config map or the pod itself is written once, when the pod starts;
``readOnly`` is not enforced, since the directory itself is what the processes see.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .directories import Owner, UnsafePathError, make_below, make_root
from .environment import expand
from .lookup import ReferenceNotFoundError, pod_field, referenced_data
from .mounts import Mount, Mounts
from .resources import CONFIG_MAPS, SECRETS, Object
from .store import Store

Files = Mapping[str, tuple[bytes, int]]
"""Path in the volume → content and mode."""

_DEFAULT_MODE = 0o644


@dataclass(frozen=True)
class VolumeDirectories:
    """Where the volumes of one pod are.

    Attributes
    ----------
    own
        The directory of those that go when the pod goes.
    claims
        The directory of the namespace's claims, one directory each.
    exports
        The directory of the NFS servers, which have what they export in one directory each.
    owner
        Whom new directories belong to; None for the cluster's own user.
    """

    own: Path
    claims: Path
    exports: Path
    owner: Owner | None


def claim_directory(state: Path, namespace: str, claim: str) -> Path:
    """Return where the files of a claim are."""
    return state / "claims" / namespace / claim


def make_volumes(store: Store, pod: Object, directories: VolumeDirectories) -> dict[str, Path]:
    """Make the directories of all volumes of a pod and return them by the volume's name.

    Raises
    ------
    ReferenceNotFoundError
        When a volume refers to what is not there, or is of a kind that is not supported.
    OSError
        When a directory cannot be made.
    """
    made = {}
    for volume in pod["spec"].get("volumes") or ():
        try:
            made[volume["name"]] = _make_volume(store, pod, volume, directories)
        except (ReferenceNotFoundError, UnsafePathError) as problem:
            raise ReferenceNotFoundError(
                f'MountVolume.SetUp failed for volume "{volume["name"]}" : {problem}'
            ) from problem
    return made


def _make_volume(store: Store, pod: Object, volume: Object, directories: VolumeDirectories) -> Path:
    if claim := volume.get("persistentVolumeClaim"):
        root = directories.claims.joinpath(claim["claimName"])
        make_root(root, directories.owner)
        return root
    if host_path := volume.get("hostPath"):
        return Path(host_path["path"])
    if nfs := volume.get("nfs"):
        exported = directories.exports.joinpath(nfs["server"], nfs["path"].lstrip("/"))
        if not exported.is_dir():
            raise ReferenceNotFoundError(f"there is no {exported} to stand for what is exported")
        return exported
    root = directories.own.joinpath(volume["name"])
    make_root(root, directories.owner)
    if "emptyDir" in volume:
        return root
    for path, (content, mode) in _files_of_volume(store, pod, volume).items():
        _write(root, path, content, mode, directories.owner)
    return root


def _files_of_volume(store: Store, pod: Object, volume: Object) -> Files:
    for kind in ("secret", "configMap", "downwardAPI"):
        if kind in volume:
            source = {**volume[kind]}
            if kind == "secret":
                source["name"] = source.get("secretName")
            mode = source.get("defaultMode", _DEFAULT_MODE)
            return _files(store, pod, {kind: source}, mode)
    if projected := volume.get("projected"):
        mode = projected.get("defaultMode", _DEFAULT_MODE)
        files: dict[str, tuple[bytes, int]] = {}
        for source in projected.get("sources") or ():
            files |= _files(store, pod, source, mode)
        return files
    kinds = ", ".join(sorted(volume.keys() - {"name"})) or "none"
    raise ReferenceNotFoundError(f"no volume plugin matched name: {kinds}")


def _files(store: Store, pod: Object, source: Object, default_mode: int) -> Files:
    if "downwardAPI" in source:
        return {
            item["path"]: (
                pod_field(pod, item["fieldRef"]["fieldPath"]).encode(),
                item.get("mode", default_mode),
            )
            for item in source["downwardAPI"].get("items") or ()
            if "fieldRef" in item
        }
    for kind, resource in (("secret", SECRETS), ("configMap", CONFIG_MAPS)):
        if reference := source.get(kind):
            data = referenced_data(store, resource, pod["metadata"]["namespace"], reference)
            return {} if data is None else _chosen(data, reference, default_mode)
    return {}  # a service account token: there is no authentication service to use it with


def _chosen(data: Mapping[str, bytes], reference: Object, default_mode: int) -> Files:
    items = reference.get("items") or [{"key": key, "path": key} for key in data]
    missing = [item["key"] for item in items if item["key"] not in data]
    if missing and not reference.get("optional"):
        raise ReferenceNotFoundError(f"references non-existent key: {missing[0]}")
    return {
        item["path"]: (data[item["key"]], item.get("mode", default_mode))
        for item in items
        if item["key"] in data
    }


def _write(root: Path, path: str, content: bytes, mode: int, owner: Owner | None) -> None:
    parent = make_below(root, str(PurePosixPath(path).parent), owner)
    file = parent / PurePosixPath(path).name
    file.write_bytes(content)
    file.chmod(mode | 0o440 if owner and owner.shared else mode)
    if owner:
        os.chown(file, owner.uid, owner.gid)


def make_mounts(
    container: Object,
    variables: Mapping[str, str],
    volumes: Mapping[str, Path],
    owner: Owner | None,
    home: Path,
) -> Mounts:
    """Return where the mounts of a container are, making the directories of sub-paths.

    Parameters
    ----------
    variables
        The container's environment, which a ``subPathExpr`` may refer to.
    home
        What stands for the container's working directory, or the home directory of the image,
        where no volume is mounted there.

    Raises
    ------
    UnsafePathError
        When a sub-path leads out of its volume.
    """
    mounts = []
    for mount in container.get("volumeMounts") or ():
        source = volumes[mount["name"]]
        sub_path = mount.get("subPath") or expand(mount.get("subPathExpr") or "", variables)
        if (source / sub_path).is_file():
            source /= sub_path
        elif sub_path:
            source = make_below(source, sub_path, owner)
        mounts.append(Mount(mount["mountPath"], source))
    for own in (container.get("workingDir"), IMAGE_HOME):
        if own and own != "/" and not Mounts(mounts).covers(own):
            mounts.append(Mount(own, home))
    return Mounts(mounts)


IMAGE_HOME = "/home/jovyan"
"""The home directory in the images of jupyter/docker-stacks."""
