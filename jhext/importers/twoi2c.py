"""Values of 2i2c's basehub chart: ``profileList`` with ``allowed_groups`` on three levels.

2i2c's filter shows a profile or choice without ``allowed_groups`` to everybody, and compares the
names of groups and of GitHub teams (``org:team``) without regard to case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .imported import Imported, Notes, listed, mapping, unreadable
from .profile_list import Level, ProfileListImport

_WRAPPERS = ("basehub", "daskhub", "binderhub", "jupyterhub")
"""Charts that the JupyterHub chart is a dependency of, one in the other."""

_LOGIN_KEYS = ("allowed_organizations", "allowed_users", "allowed_groups", "allowed_idps")


def convert(values: Mapping[str, Any]) -> Imported:
    """Convert the values of one hub.

    Parameters
    ----------
    values
        The values, merged as helm does it.

    Raises
    ------
    ConfigurationError
        There is no ``profileList``, or it is not shaped like one.
    """
    path, chart = _chart(values)
    singleuser = mapping(chart.get("singleuser"), f"{path}singleuser")
    where = f"{path}singleuser.profileList"
    if not singleuser.get("profileList"):
        raise unreadable(where, "there are no profiles here")
    notes = Notes()
    rules = _AllowedGroups(notes, set())
    conversion = ProfileListImport(rules, notes)
    profiles = conversion.convert(singleuser["profileList"], where)
    if rules.with_capitals:
        shown = ", ".join(sorted(rules.with_capitals))
        message = "2i2c compares without case, jhext exactly"
        notes.add("groups", "", message, f"check these: {shown}")
    _note_the_rest(chart, path, notes)
    settings: dict[str, Any] = {"profiles": profiles}
    if conversion.extra_keys:
        settings["hub"] = {"extra_profile_keys": sorted(conversion.extra_keys)}
    return Imported(settings, tuple(notes.found))


def _chart(values: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Find the values of the JupyterHub chart."""
    if "singleuser" not in values:
        for name in _WRAPPERS:
            if isinstance(values.get(name), Mapping):
                path, chart = _chart(values[name])
                return f"{name}.{path}", chart
    return "", values


@dataclass
class _AllowedGroups:
    """2i2c's access keys."""

    notes: Notes
    with_capitals: set[str]
    keys = ("allowed_groups", "allowed_teams")

    def read(self, level: Level, raw: Mapping[str, Any], where: str, path: str) -> dict[str, Any]:
        key = next((key for key in self.keys if key in raw), None)
        if key is None:
            return {"allow_all": True} if level == "profile" else {}
        here = f"{path}.{key}" if path else key
        if key == "allowed_teams":
            message = "2i2c's chart reads this key no more, so that everybody was let in"
            suggestion = "it is allowed_groups now; write allow_all where everybody is meant"
            self.notes.add(where, here, message, suggestion)
        groups = [str(name) for name in listed(raw[key], f"{where}: {here}")]
        self.with_capitals.update(name for name in groups if name != name.casefold())
        return {"allowed_groups": groups}


def _note_the_rest(chart: Mapping[str, Any], path: str, notes: Notes) -> None:
    hub = mapping(chart.get("hub"), f"{path}hub")
    custom = mapping(chart.get("custom"), f"{path}custom")
    config = mapping(hub.get("config"), f"{path}hub.config")
    notes.add(
        "deployment-service-check",
        "",
        "2i2c shows this user every profile",
        "name it in allowed_users where you need that",
    )
    for name, section in config.items():
        for key in _LOGIN_KEYS:
            if isinstance(section, Mapping) and key in section:
                suggestion = "keep it with the authenticator"
                notes.add(
                    f"{path}hub.config", f"{name}.{key}", "decides who may log in", suggestion
                )
    if "populate_teams_in_auth_state" in mapping(config.get("GitHubOAuthenticator"), path):
        message = "rules see JupyterHub's groups, not auth_state"
        suggestion = "let the authenticator manage the groups from the teams"
        notes.add(f"{path}hub.config", "GitHubOAuthenticator", message, suggestion)
    for name in mapping(hub.get("extraConfig"), f"{path}hub.extraConfig"):
        suggestion = "see whether a rule does the same"
        notes.add(f"{path}hub", f"extraConfig.{name}", "is code", suggestion)
    if custom.get("singleuserAdmin"):
        message = "admins' own mounts, environment and service account are not carried over"
        suggestion = "write them in a profile with allow_if: admin"
        notes.add(f"{path}custom", "singleuserAdmin", message, suggestion)
    if mapping(custom.get("singleuser"), path).get("extraPVCs"):
        message, suggestion = "claims for each user are not carried over", "write storage.claims"
        notes.add(f"{path}custom", "singleuser.extraPVCs", message, suggestion)
    for key in ("cull", "scheduling"):
        if key in chart:
            where = path.rstrip(".") or "values"
            notes.add(where, key, "is not carried over", "keep it in the values of the chart")
