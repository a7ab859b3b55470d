"""Where rights are written, in a word: a hub and a culler elsewhere see if they read the same."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jhext.settings import Settings

_LENGTH = 12


def origin_of(settings: Settings) -> str:
    """Give the same for the same settings about rights, from wherever their file is read.

    What profiles and mapping files say has no part in it: it is read again when it changes. All
    that stands about rights in the section ``hub`` waits for a restart of the hub.

    Returns
    -------
    str
        Empty where profiles are written in no file, so that nobody else can read them.
    """
    file = settings.file_of("profiles")
    if settings.profiles and not file:
        return ""
    folder = os.path.abspath(Path(settings.file).parent)  # noqa: PTH100 - "." stays, and ".." goes
    told: dict[str, Any] = {"profiles": _within(folder, file)}
    for name, value in settings.hub.traits.items():
        told[name] = sorted(value) if isinstance(value, set) else value
        if isinstance(value, list):
            told[name] = [_within(folder, path) for path in value]
    written = json.dumps(told, sort_keys=True).encode()
    return hashlib.sha256(written).hexdigest()[:_LENGTH]


def _within(folder: str, path: str) -> str:
    """Give a path as it is from a folder that it is in."""
    if not path:
        return path
    whole = Path(os.path.abspath(path))  # noqa: PTH100
    return str(whole.relative_to(folder) if whole.is_relative_to(folder) else whole)
