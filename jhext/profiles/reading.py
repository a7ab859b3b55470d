"""One reading of some files: all from one moment, and able to tell whether they changed since.

A ConfigMap that is mounted changes in one step: its files are links through the link ``..data`` to
a folder, and ``..data`` is made to lead to another one. So each folder is looked up once, and
everything in it is read through what was found.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

from .finding import ConfigurationError, Finding

MAX_BYTES = 16 * 1024 * 1024
"""How large a file may be."""

_SETTLED_NS = 100_000_000
"""The clocks of file systems tick slowly: a file that changed shortly before it was read may
change again in the same tick, and then has the same times."""

_DATA = "..data"

_Targets = dict[str, str]
"""What folders lead to, as far as they have been looked up."""

Stamp = tuple[int, ...]
"""What tells versions of a file apart without reading it; empty where there is none."""


class Reading:
    """Files and folders as they are now. Every method waits for the disk."""

    def __init__(self) -> None:
        self._began = time.time_ns()
        self._newest = 0
        self._targets: _Targets = {}
        self._stamps: dict[str, Stamp] = {}
        self._digests: dict[str, bytes] = {}
        self._folders: dict[str, tuple[str, ...]] = {}

    def file(self, path: str) -> bytes:
        """Read a file.

        Raises
        ------
        OSError
            It cannot be read.
        ValueError
            It is no regular file, or larger than `MAX_BYTES`.
        """
        self._digests[path] = b""
        self._stamps[path] = _stamp_of(path, self._targets)
        # A pipe would make the reader wait for somebody to write.
        descriptor = os.open(_target(path, self._targets), os.O_RDONLY | os.O_NONBLOCK)
        with open(descriptor, "rb") as stream:  # noqa: PTH123 - this closes the descriptor
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise ValueError("is no regular file")
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ValueError(f"is larger than {MAX_BYTES} bytes")
        self._stamps[path] = _stamp(found)
        self._newest = max(self._newest, found.st_mtime_ns, found.st_ctime_ns)
        self._digests[path] = hashlib.sha256(content).digest()
        return content

    def folder(self, path: str) -> list[str]:
        """List what is in a folder, in the order of the names; hidden things are left out."""
        self._folders[path] = names = _names(path, self._targets)
        return [str(Path(path, name)) for name in names]

    @property
    def is_of_nothing(self) -> bool:
        """Whether no file and no folder was read, so that nothing can change."""
        return not self._stamps and not self._folders

    @property
    def holds(self) -> bool:
        """Whether nothing of it changed while it was read."""
        # What was missing may have been removed because its folder was exchanged for another.
        complete = all(self._digests.values()) and all(self._folders.values())
        return self._is_so(self._targets) and (complete or self._is_so({}))

    @property
    def is_current(self) -> bool:
        """Whether to read again would surely give the same."""
        return self._newest < self._began - _SETTLED_NS and self._is_so({})

    def _is_so(self, targets: _Targets) -> bool:
        return all(_names(path, targets) == names for path, names in self._folders.items()) and all(
            _stamp_of(path, targets) == stamp for path, stamp in self._stamps.items()
        )

    def again(self) -> Reading:
        """Read the same files and folders."""
        fresh = Reading()
        for path in self._folders:
            fresh.folder(path)
        for path in self._digests:
            with suppress(OSError, ValueError):
                fresh.file(path)
        return fresh

    def says_what(self, other: Reading) -> bool:
        """Tell whether two readings of the same files and folders gave the same."""
        return self._digests == other._digests and self._folders == other._folders


def content_of(path: Path, reading: Reading) -> bytes:
    """Read a file as part of a reading.

    Raises
    ------
    ConfigurationError
        It cannot be read.
    """
    try:
        return reading.file(str(path))
    except (OSError, ValueError) as error:
        problem = error.strerror if isinstance(error, OSError) else str(error)
        message, suggestion = f"cannot be read: {problem}", "mend the path, or let it be readable"
        raise ConfigurationError(
            [Finding("error", "", "", message, str(path), suggestion=suggestion)]
        ) from None


# These run whenever somebody asks for a form or a start: pathlib would take most of their time.
# ruff: noqa: PTH114, PTH116, PTH118, PTH208


def _lead(folder: str, targets: _Targets) -> str:
    """Find what a folder leads to, once."""
    if folder not in targets:
        data = os.path.join(folder, _DATA)
        targets[folder] = os.path.realpath(data if os.path.islink(data) else folder)
    return targets[folder]


def _target(path: str, targets: _Targets) -> str:
    """Find what a path leads to, by way of what its folder leads to."""
    folder, name = os.path.split(path)
    return os.path.join(_lead(folder, targets), name)


def _stamp_of(path: str, targets: _Targets) -> Stamp:
    try:
        return _stamp(os.stat(_target(path, targets)))
    except OSError:
        return ()


def _stamp(found: os.stat_result) -> Stamp:
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _names(path: str, targets: _Targets) -> tuple[str, ...]:
    try:
        return tuple(sorted(name for name in os.listdir(_lead(path, targets)) if name[0] != "."))
    except OSError:
        return ()
