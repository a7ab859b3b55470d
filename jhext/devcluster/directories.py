"""Directories that a pod's processes own: made and entered without following their symbolic links.

The cluster may run as root, and what lies in a volume belongs to somebody who does not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_PRIVATE = 0o700
_SHARED = 0o2770
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class UnsafePathError(ValueError):
    """A path leads out of its directory, or over something that is not a directory."""


@dataclass(frozen=True)
class Owner:
    """Whose a directory is; a shared one lets the group write, and hands the group down."""

    uid: int
    gid: int
    shared: bool = False


def make_passage(path: Path) -> None:
    """Make a directory that the users of pods pass through, and nobody else lists."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o711 if os.geteuid() == 0 else 0o700)


def make_root(path: Path, owner: Owner | None) -> None:
    """Make the top directory of a volume; None for the cluster's own user.

    What exists keeps its owner.
    """
    try:
        path.mkdir()
    except FileExistsError:
        return
    descriptor = os.open(path, _OPEN_DIRECTORY)
    try:
        _hand_over(descriptor, owner)
    finally:
        os.close(descriptor)


def _hand_over(descriptor: int, owner: Owner | None) -> None:
    if owner:
        os.fchown(descriptor, owner.uid, owner.gid)
    os.fchmod(descriptor, _SHARED if owner and owner.shared else _PRIVATE)


def share(root: Path, gid: int) -> None:
    """Give everything below ``root`` to a group, as a kubelet does for ``fsGroup``."""
    for _, directories, files, descriptor in os.fwalk(root):
        os.fchown(descriptor, -1, gid)
        os.fchmod(descriptor, os.fstat(descriptor).st_mode | _SHARED)
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
        with suppress(OSError):  # there is nothing, or no link
            os.readlink(path.name, dir_fd=descriptor)
            os.unlink(path.name, dir_fd=descriptor)
        with suppress(FileExistsError):
            os.symlink(target, path.name, dir_fd=descriptor)


def unlink_below(root: Path, relative: str, target: Path) -> None:
    """Remove a symbolic link below ``root`` if it still leads to ``target``.

    Raises
    ------
    OSError
        When there is none.
    UnsafePathError
        When the way there leads out of ``root``, or over a file or a symbolic link.
    """
    path = PurePosixPath(relative)
    with _opened_below(root, str(path.parent), None) as descriptor:
        if os.readlink(path.name, dir_fd=descriptor) == str(target):
            os.unlink(path.name, dir_fd=descriptor)


@contextmanager
def _opened_below(root: Path, relative: str, owner: Owner | None) -> Iterator[int]:
    parts = PurePosixPath(relative).parts
    if PurePosixPath(relative).is_absolute() or ".." in parts:
        raise UnsafePathError(f"{relative!r} is not below the volume")
    descriptor = os.open(root, _OPEN_DIRECTORY)
    try:
        for part in parts:
            try:
                os.mkdir(part, dir_fd=descriptor)
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
            if made:
                _hand_over(descriptor, owner)
        yield descriptor
    finally:
        os.close(descriptor)
