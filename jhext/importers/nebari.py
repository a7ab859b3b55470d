"""A ``nebari-config.yaml``: ``profiles.jupyterlab`` with ``access: all | yaml | keycloak``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .imported import Imported, Notes, listed, mapping, unreadable
from .profile_list import Level, ProfileListImport

_CLAIM = "jupyterlab_profiles"


def convert(config: Mapping[str, Any]) -> Imported:
    """Convert the configuration of a deployment.

    Raises
    ------
    ConfigurationError
        There is no ``profiles.jupyterlab``, or it is not shaped like one.
    """
    profiles = mapping(config.get("profiles"), "profiles")
    if not profiles.get("jupyterlab"):
        raise unreadable("profiles.jupyterlab", "there are no profiles here")
    notes = Notes()
    rules = _Access(notes)
    conversion = ProfileListImport(rules, notes)
    converted = conversion.convert(profiles["jupyterlab"], "profiles.jupyterlab")
    hub: dict[str, Any] = {}
    if rules.uses_claim:
        hub["claims_key"] = "oauth_user"
    if conversion.extra_keys:
        hub["extra_profile_keys"] = sorted(conversion.extra_keys)
    _note_the_rest(config, rules, notes)
    settings: dict[str, Any] = {"profiles": converted}
    return Imported(settings | ({"hub": hub} if hub else {}), tuple(notes.found))


@dataclass
class _Access:
    """Nebari's access keys, which only a profile has."""

    notes: Notes
    uses_claim: bool = False
    groups: set[str] = field(default_factory=set)
    keys = ("access", "users", "groups")

    def read(self, level: Level, raw: Mapping[str, Any], where: str, path: str) -> dict[str, Any]:
        if level != "profile":
            return {}
        access = raw.get("access", "all")
        if access == "yaml":
            return self._names(raw, where)
        for key in ("users", "groups"):
            if raw.get(key):
                message = f"means nothing with access: {access}; left out"
                self.notes.add(where, key, message, f"write allowed_{key} if they are meant")
        if access == "all":
            return {"allow_all": True}
        if access == "keycloak":
            self.uses_claim = True
            name = json.dumps(str(raw.get("display_name", "")), ensure_ascii=False)
            return {"allow_if": f"has(claims.{_CLAIM}) && {name} in claims.{_CLAIM}"}
        message = f"{access!r} is not all, yaml or keycloak; nobody is let in"
        suggestion = "write allow_all: true, allowed_users or allowed_groups"
        self.notes.add(where, "access", message, suggestion)
        return {"allowed_users": []}

    def _names(self, raw: Mapping[str, Any], where: str) -> dict[str, Any]:
        users = [str(name) for name in listed(raw.get("users"), f"{where}: users")]
        groups = []
        for name in map(str, listed(raw.get("groups"), f"{where}: groups")):
            if "/" in name:
                message = f"{name!r} matched nobody, as Nebari compared the last part; left out"
                suggestion = f"write allowed_groups: [{name}] if the group is meant"
                self.notes.add(where, "groups", message, suggestion)
            else:
                groups.append(f"/{name}")
        self.groups.update(groups)
        found = {"allowed_users": users, "allowed_groups": groups}
        # A list that is written and empty allows nobody, as it did.
        return {key: names for key, names in found.items() if names} or {"allowed_users": []}


def _note_the_rest(config: Mapping[str, Any], rules: _Access, notes: Notes) -> None:
    if rules.groups:
        shown = ", ".join(sorted(rules.groups))
        message = "Nebari let in every group with such a last part, /projects/NAME too"
        suggestion = f"jhext compares whole names; write more where more are meant than {shown}"
        notes.add("groups", "", message, suggestion)
    if rules.uses_claim:
        message = f"access: keycloak reads the claim {_CLAIM} of auth_state"
        notes.add("claims", "", message, "set c.Authenticator.enable_auth_state = True")
    message = "homes, shared folders, conda-store and LD_PRELOAD, which Nebari adds, are left out"
    notes.add("profiles", "", message, "write the sections identity and storage in their place")
    for (section, key), (message, suggestion) in _LEFT_OUT.items():
        if mapping(config.get(section), section).get(key):
            notes.add(section, key, message, suggestion)


_LEFT_OUT = {
    ("profiles", "dask_worker"): ("is for Dask Gateway; left out", "keep it there"),
    ("jupyterhub", "overrides"): ("are values of the chart; left out", "keep them there"),
    ("jupyterlab", "idle_culler"): ("is about culling; left out", "write the section culler"),
    ("default_images", "jupyterlab"): (
        "is the image of profiles that name none; left out",
        "set c.KubeSpawner.image",
    ),
}
