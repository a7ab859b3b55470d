"""Who has lost a right, as far as JupyterHub's REST API shows it: for a hub without our handlers.

REST shows names, groups and who is an admin. What somebody loses by a rule about names or groups is
lost for certain. All else, an expression or a profile that is not there, is unknown, and nobody is
stopped for it. Rules are those of the settings file and the files that it names. The hub says with
each server where it has its rules from; unless that is the same, all about it is unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jhext.profiles.finding import ConfigurationError
from jhext.profiles.reading import Reading, content_of

from .granted import BY_HOOK, ORIGIN

if TYPE_CHECKING:
    from jhext.profiles.catalog import Catalog
    from jhext.profiles.watch import Watch
    from jhext.settings import Settings

# What profiles need is imported where it is used: a culler of a hub with handlers does without.

_CERTAIN = ("blocked_users: ", "blocked_groups: ", "mapping: ")
_NOBODY_ALLOWS = "no rule"
_DEADLINE = 10.0
"""Seconds that somebody waits for the disk."""


@dataclass(frozen=True)
class KnownRights:
    """Who may start what, as far as it is written in a settings file.

    Parameters
    ----------
    catalog
        The profiles.
    origin
        Where they are from, in the word by which a hub tells that they are its own.
    """

    catalog: Catalog
    origin: str

    def lost(self, user: Mapping[str, Any]) -> dict[str, str]:
        """Tell to which servers somebody has certainly no right any more, by USER/NAME, and why.

        Parameters
        ----------
        user
            The model of JupyterHub's REST API.
        """
        from jhext.profiles.access import Person  # noqa: PLC0415
        from jhext.profiles.selection import select  # noqa: PLC0415
        from jhext.refusal import Refusal  # noqa: PLC0415

        if "groups" not in user or "admin" not in user:
            return {}
        lost = {}
        for name, server in user["servers"].items():
            state = server.get("state") if isinstance(server, Mapping) else None
            granted = (state or {}).get("jhext") or {}
            if "profile" not in granted or BY_HOOK in granted or not self.are_of(granted):
                continue
            options = {"profile": granted["profile"], **granted.get("choices", {})}
            groups = frozenset(user["groups"])
            person = Person(user["name"], groups, admin=user["admin"], server_name=name)
            try:
                select(self.catalog, person, options)
            except Refusal as refusal:
                # That admins may have everything can also be said where nobody sees it from here.
                certain = refusal.rule == _NOBODY_ALLOWS and not person.admin
                if certain or refusal.rule.startswith(_CERTAIN):
                    lost[f"{user['name']}/{name}"] = refusal.rule
        return lost

    def are_of(self, granted: Mapping[str, Any]) -> bool:
        """Tell whether a hub has its rules from here, too."""
        return granted.get(ORIGIN) == self.origin


class Rights:
    """The profiles of a settings file, read again when they change.

    Parameters
    ----------
    file
        The path of a ``jhext.yaml``.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._reading: Reading | None = None
        self._watch: Watch | None = None
        self._origin = ""

    async def current(self) -> KnownRights | None:
        """Give the rights as they are now; None where they are faulty or none are written."""
        try:
            async with asyncio.timeout(_DEADLINE):
                watch = await asyncio.to_thread(self._look)
            current = await watch.current()
        except (ConfigurationError, OSError):
            return None
        list(watch.messages())  # the hub's log has them
        if current.version is None or current.problems:
            return None
        return KnownRights(current.version.catalog, self._origin)

    def _look(self) -> Watch:
        """Give the watch over what the settings name now."""
        from traitlets.config import Config  # noqa: PLC0415

        from jhext.config import rules_of, sources_of  # noqa: PLC0415
        from jhext.profiles.watch import Watch  # noqa: PLC0415
        from jhext.spawner import ProfileKubeSpawner  # noqa: PLC0415

        if self._watch is None or self._reading is None or not self._reading.is_current:
            settings = self._read()
            if self._watch is None or settings.origin != self._origin:
                asked = (Config(), settings, ProfileKubeSpawner)
                self._watch = Watch(sources_of(*asked), *rules_of(*asked))
                self._origin = settings.origin
        return self._watch

    def _read(self) -> Settings:
        from jhext.settings import Settings, load_settings  # noqa: PLC0415

        files = {str(self._file)}
        while True:
            reading = Reading()
            for file in files:
                content_of(Path(file), reading)
            settings = load_settings(self._file)
            found = {settings.file_of(section) for section in Settings.model_fields} - {"", *files}
            if not found:
                self._reading = reading
                return settings
            files |= found
