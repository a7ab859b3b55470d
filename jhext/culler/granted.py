"""The limits that a server was started with, which hold if its profile has no rule any more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .durations import NEVER
from .settings import CullerSettings

KEYS = ("timeout", "max_age", "extend_to")
ORIGIN = "origin"
"""The key that tells with a server where the rights to it are written, where a file says it all."""
BY_HOOK = "by_hook"
"""The key that tells with a server that its profiles were set by a hook, which runs at starts."""


class Shortest:
    """The shortest limits that any server of this hub was started with."""

    def __init__(self) -> None:
        self.timeout = self.max_age = math.inf

    def note(self, record: Mapping[str, Any]) -> None:
        """Take the record of a server that is started, or was before the hub was."""
        limits = record.get("cull", {})
        for key in ("timeout", "max_age"):
            if isinstance(value := limits.get(key), int | float):
                setattr(self, key, min(getattr(self, key), value))


SHORTEST = Shortest()
"""Those of this process: whoever asks for idle servers must not miss one for them."""


def grant(settings: CullerSettings | None, slug: str) -> dict[str, Any]:
    """Give what is kept with a server that is started: the limits that its profile's rule says."""
    rule = settings.profiles.get(slug) if settings else None
    values = {key: getattr(rule, key, None) for key in KEYS}
    # JSON has no infinity.
    limits = {
        key: NEVER if value == math.inf else value
        for key, value in values.items()
        if value is not None
    }
    record = {"cull": limits} if limits else {}
    SHORTEST.note(record)
    return record
