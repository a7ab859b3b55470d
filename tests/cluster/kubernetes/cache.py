"""The build cache: one directory per key, outside the checkout, made once and never half made."""

import fcntl
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def cache_root() -> Path:
    """Return the directory that holds all builds."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "jhext"


def kept(name: str, make: Callable[[Path], None]) -> Path:
    """Return the cached directory `name`; `make` fills it when it is not there yet.

    It is filled under another name and renamed when complete, so what exists is whole; a lock
    makes a second caller wait for the first one's result.
    """
    target = cache_root() / name
    if target.is_dir():
        return target
    cache_root().mkdir(parents=True, exist_ok=True)
    with (
        (cache_root() / f".{name}.lock").open("w") as lock,
        tempfile.TemporaryDirectory(dir=cache_root(), prefix=f".{name}.") as temporary,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            unfinished = Path(temporary) / name
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(target)
    return target
