"""Directories that a pod's processes own: made and entered without following their symbolic links.

The cluster may run as root, and what lies in a volume belongs to somebody who does not.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class UnsafePathError(ValueError):
    """A path leads out of its directory, or over something that is not a directory."""


@dataclass(frozen=True)
class Owner:
    """Whose a directory is; a shared one lets the group write, and hands the group down."""

    uid: int
    gid: int
    shared: bool = False


def make_root(path: Path, owner: Owner | None) -> None:
    """Make the top directory of a volume; None for the cluster's own user.

    What exists keeps its owner, except that its group becomes that of a shared ``owner``.
    """
    existed = path.is_dir()
    path.mkdir(mode=0o770, parents=True, exist_ok=True)
    if owner is None:
        return
    if not existed:
        os.chown(path, owner.uid, owner.gid)
    if owner.shared:
        share(path, owner.gid)


def share(root: Path, gid: int) -> None:
    """Give everything below ``root`` to a group, as a kubelet does for ``fsGroup``."""
    for _, directories, files, descriptor in os.fwalk(root):
        os.fchown(descriptor, -1, gid)
        os.fchmod(descriptor, os.fstat(descriptor).st_mode | 0o2770)
        for name in (*directories, *files):
            os.chown(name, -1, gid, dir_fd=descriptor, follow_symlinks=False)


def make_below(root: Path, relative: str, owner: Owner | None) -> Path:
    """Make a directory below ``root``, with those on the way, and return it.

    Raises
    ------
    UnsafePathError
        When ``relative`` leads out of ``root``, or over a file or a symbolic link.
    """
    with _opened_below(root, relative, owner):
        return root / relative


def link_below(root: Path, relative: str, target: Path, owner: Owner | None) -> None:
    """Make a symbolic link below ``root``, unless something of the user's is in its place.

    Raises
    ------
    UnsafePathError
        When the way there leads out of ``root``, or over a file or a symbolic link.
    """
    path = PurePosixPath(relative)
    with _opened_below(root, str(path.parent), owner) as descriptor:
        with suppress(FileNotFoundError):
            if stat.S_ISLNK(os.lstat(path.name, dir_fd=descriptor).st_mode):
                os.unlink(path.name, dir_fd=descriptor)
        with suppress(FileExistsError):
            os.symlink(target, path.name, dir_fd=descriptor)


@contextmanager
def _opened_below(root: Path, relative: str, owner: Owner | None) -> Iterator[int]:
    parts = PurePosixPath(relative).parts
    if PurePosixPath(relative).is_absolute() or ".." in parts:
        raise UnsafePathError(f"{relative!r} is not below the volume")
    descriptor = os.open(root, _OPEN_DIRECTORY)
    try:
        for part in parts:
            try:
                os.mkdir(part, 0o770, dir_fd=descriptor)
            except FileExistsError:
                made = False
            else:
                made = True
            try:
                inner = os.open(part, _OPEN_DIRECTORY, dir_fd=descriptor)
            except OSError as error:
                raise UnsafePathError(f"{relative!r}: {part!r} is not a directory") from error
            os.close(descriptor)
            descriptor = inner
            if made and owner:
                os.fchown(descriptor, owner.uid, owner.gid)
                if owner.shared:
                    os.fchmod(descriptor, 0o2770)
        yield descriptor
    finally:
        os.close(descriptor)
