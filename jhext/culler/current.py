"""The rules as a hub knows them: those that its settings hold now."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from jhext.profiles.finding import ConfigurationError

from .policy import Rules
from .source import SECTION, File

if TYPE_CHECKING:
    from jhext.settings import Settings

_DEADLINE = 10.0
"""Seconds that somebody waits for the disk; after them the rules before hold on."""


class CurrentRules:
    """The rules of one settings file as they are now; those before while it is faulty.

    Parameters
    ----------
    settings
        The settings, whose section ``culler`` is there.
    """

    def __init__(self, settings: Settings) -> None:
        assert settings.culler is not None  # noqa: S101 - whoever calls has looked
        self._settings = settings  # keeps its identity from being another's
        file = settings.file_of(SECTION)
        self._file = File(Path(file)) if file else None
        self._rules = Rules(settings.culler)

    async def get(self) -> Rules:
        """Give the rules."""
        if self._file is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_DEADLINE):
                    await asyncio.to_thread(self._read, self._file)
        return self._rules

    def _read(self, file: File) -> None:
        with suppress(ConfigurationError):  # the service says what is wrong
            if file.changed():
                self._rules = Rules(file.read())


_known: dict[int, CurrentRules] = {}
"""By the identity of the settings, which live as long as the hub."""


async def current_rules(settings: Settings | None) -> Rules | None:
    """Give the rules that hold now; None where no server is culled."""
    if settings is None or settings.culler is None:
        return None
    if (known := _known.get(id(settings))) is None:
        known = _known[id(settings)] = CurrentRules(settings)
    return await known.get()
