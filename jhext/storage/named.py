"""Rules of ``storage.mounts`` whose people and groups stand in files of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from jhext.included import Part
from jhext.profiles.access import NAME_KEYS
from jhext.profiles.finding import Finding
from jhext.profiles.names import names_in

STORAGE = "storage"
_MOUNTS = "mounts"
_WRITERS = "writers"


def fill_in(part: Part, read: Callable[[Path], list[str]]) -> tuple[Any, list[Finding]]:
    """Put names in the place of the files that hold them.

    Parameters
    ----------
    part
        The settings. Names of files are relative to the folder of its own file.
    read
        Reads a file of names. May raise `ConfigurationError`.

    Returns
    -------
    tuple
        The section ``storage`` with names only, and what was found.
    """
    found: list[Finding] = []
    folder = Path(part.file).parent

    def names(value: Any, *path: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        names, faults = names_in(value, folder, read, partial(part.finding, path))
        found.extend(faults)
        return names

    def filled(carrier: Any, *path: Any) -> Any:
        if not isinstance(carrier, Mapping):
            return carrier
        result = {
            key: names(value, *path, key) if key in NAME_KEYS else value
            for key, value in carrier.items()
        }
        if _WRITERS in carrier:
            result[_WRITERS] = filled(carrier[_WRITERS], *path, _WRITERS)
        return result

    section = part.document.value.get(STORAGE)
    mounts = section.get(_MOUNTS) if isinstance(section, Mapping) else None
    if not isinstance(mounts, list | tuple):
        return section, found
    rules = [filled(rule, STORAGE, _MOUNTS, n) for n, rule in enumerate(mounts)]
    return {**section, _MOUNTS: rules}, found
