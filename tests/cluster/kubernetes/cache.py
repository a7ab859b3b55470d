"""The build cache: one directory per build, outside the checkout, made once and never half made."""

import fcntl
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


def cache_root() -> Path:
    """Return the directory that holds all builds."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "jhext"


@dataclass(frozen=True)
class Build:
    """Something that takes minutes to make.

    Attributes
    ----------
    name
        Its directory in the cache; it says what the content depends on.
    make
        Fills an empty directory.
    """

    name: str
    make: Callable[[Path], None]

    @property
    def directory(self) -> Path:
        return cache_root() / self.name

    @property
    def is_there(self) -> bool:
        return self.directory.is_dir()

    def ensure(self) -> Path:
        """Return the directory, made now if need be.

        It is filled under another name and renamed when complete, so what exists is whole; a lock
        makes a second caller wait for the first one's result.
        """
        if self.is_there:
            return self.directory
        root = cache_root()
        root.mkdir(parents=True, exist_ok=True)
        with (
            (root / f".{self.name}.lock").open("w") as lock,
            tempfile.TemporaryDirectory(dir=root, prefix=f".{self.name}.") as temporary,
        ):
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.is_there:
                unfinished = Path(temporary) / self.name
                unfinished.mkdir()
                self.make(unfinished)
                unfinished.rename(self.directory)
        return self.directory
