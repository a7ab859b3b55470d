"""Who has lost a right, as far as JupyterHub's REST API shows it: for a hub without our handlers.

REST shows names, groups and who is an admin. What somebody loses by a rule about names or groups is
lost for certain. All else, an expression or a profile that is not there, is unknown, and nobody is
stopped for it. Rules are those of the settings file and the files that it names. Where the
configuration of the hub has others besides, the hub says so with each server; then all is unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jhext.profiles.finding import ConfigurationError

from .granted import OTHER_RULES

if TYPE_CHECKING:
    from jhext.profiles.catalog import Catalog
    from jhext.profiles.watch import Watch

# What profiles need is imported where it is used: a culler of a hub with handlers does without.

_CERTAIN = ("blocked_users: ", "blocked_groups: ", "mapping: ")
_NOBODY_ALLOWS = "no rule"


class Rights:
    """The profiles of a settings file, read again when they change.

    Parameters
    ----------
    file
        The path of a ``jhext.yaml``.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._watch: Watch | None = None

    async def catalog(self) -> Catalog | None:
        """Give the profiles as they are now; None where they are faulty or none are written."""
        try:
            if self._watch is None:
                self._watch = await asyncio.to_thread(_watch, self._file)
            current = await self._watch.current()
        except (ConfigurationError, OSError):
            return None
        list(self._watch.messages())  # the hub's log has them
        if current.version is None or current.problems:
            return None
        return current.version.catalog


def _watch(file: Path) -> Watch:
    from traitlets.config import Config  # noqa: PLC0415

    from jhext.config import rules_of, sources_of  # noqa: PLC0415
    from jhext.profiles.watch import Watch  # noqa: PLC0415
    from jhext.settings import load_settings  # noqa: PLC0415
    from jhext.spawner import ProfileKubeSpawner  # noqa: PLC0415

    settings = load_settings(file)
    asked = (Config(), settings, ProfileKubeSpawner)
    return Watch(sources_of(*asked), *rules_of(*asked))


def lost_rights(catalog: Catalog, user: Mapping[str, Any]) -> dict[str, str]:
    """Tell to which servers somebody has certainly no right any more, by USER/NAME, and why.

    Parameters
    ----------
    catalog
        The profiles.
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
        granted = (server.get("state") or {}).get("jhext") or {}
        if "profile" not in granted or OTHER_RULES in granted:
            continue
        options = {"profile": granted["profile"], **granted.get("choices", {})}
        groups = frozenset(user["groups"])
        person = Person(user["name"], groups, admin=user["admin"], server_name=name)
        try:
            select(catalog, person, options)
        except Refusal as refusal:
            # That admins may have everything can also be said where nobody sees it from here.
            certain = refusal.rule == _NOBODY_ALLOWS and not person.admin
            if certain or refusal.rule.startswith(_CERTAIN):
                lost[f"{user['name']}/{name}"] = refusal.rule
    return lost
