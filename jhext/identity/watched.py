"""A file that is read again when it has changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from .errors import IdentityUnavailable

T = TypeVar("T")

MAX_BYTES = 16 * 1024 * 1024
"""How large a file may be."""


class WatchedFile(Generic[T]):
    """A file, as what its text means.

    Parameters
    ----------
    path
        Where it is. Symbolic links are followed anew each time: that is how ConfigMaps change.
    load
        What makes a value of it, or raises `ValueError`.
    """

    def __init__(self, path: Path, load: Callable[[Path], T]) -> None:
        self._path = path
        self._load = load
        self._lock = threading.Lock()
        self._known: tuple[tuple[int, ...], T] | None = None

    def value(self) -> T:
        """Give what is in it now. It waits for the disk, so call it in a thread.

        Raises
        ------
        IdentityUnavailable
            When it cannot be read or understood.
        """
        try:
            with self._lock:
                stat = self._path.stat()
                if stat.st_size > MAX_BYTES:
                    raise ValueError(f"is larger than {MAX_BYTES} bytes")
                state = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
                if self._known is None or self._known[0] != state:
                    self._known = state, self._load(self._path)
                return self._known[1]
        except OSError as error:
            raise IdentityUnavailable(f"{self._path}: {error.strerror}", transient=False) from error
        except ValueError as error:
            raise IdentityUnavailable(f"{self._path}: {error}", transient=False) from error


def text_of(path: Path) -> str:
    """Read a text in UTF-8, with or without the mark that spreadsheets put before it."""
    return path.read_text(encoding="utf-8-sig")
