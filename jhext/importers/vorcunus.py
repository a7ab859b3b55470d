"""vOrcunus/jupyter-openshift: a ConfigMap with ``jupyterhub_config.py`` and a mapping file.

The Python in it is read and never run: of ``c.KubeSpawner.profile_list`` only what is written
out as a literal is taken.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from slugify import slugify

from ..profiles.finding import did_you_mean
from .imported import Imported, Notes, mapping, unreadable
from .profile_list import Level, ProfileListImport

CONFIG_KEY = "jupyterhub_config.py"
MAPPING_KEY = "tcuser_profile_mappings"


def convert(config_map: Mapping[str, Any]) -> Imported:
    """Convert the ConfigMap.

    Raises
    ------
    ConfigurationError
        There is no such configuration in it, or its profiles are not written out.
    """
    data = mapping(config_map.get("data"), "data")
    if not isinstance(data.get(CONFIG_KEY), str):
        raise unreadable("data", f"there is no {CONFIG_KEY} here")
    try:
        code = ast.parse(data[CONFIG_KEY].lstrip("\n"))
    except SyntaxError as error:
        raise unreadable(CONFIG_KEY, f"line {error.lineno}: {error.msg}") from None
    notes = Notes()
    profiles = ProfileListImport(_NoRules(), notes).convert(_profile_list(code), CONFIG_KEY)
    _allow_everybody(profiles, code, notes)
    _grant(profiles, str(data.get(MAPPING_KEY) or ""), notes)
    _note_the_rest(code, notes)
    return Imported({"profiles": profiles}, tuple(notes.found))


class _NoRules:
    """Profiles say nothing about access there."""

    keys = ()

    def read(self, level: Level, raw: Mapping[str, Any], where: str, path: str) -> dict[str, Any]:
        return {}


def _traits(code: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Find what is assigned to ``c.Class.trait``."""
    for node in ast.walk(code):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                name = ast.unparse(target)
                if name.startswith("c.") and isinstance(target, ast.Attribute):
                    yield name, node.value


def _profile_list(code: ast.Module) -> Any:
    for name, value in _traits(code):
        if name == "c.KubeSpawner.profile_list":
            try:
                return ast.literal_eval(value)
            except ValueError:
                message = f"line {value.lineno}: the profiles are computed, not written out"
                raise unreadable(CONFIG_KEY, message) from None
    raise unreadable(CONFIG_KEY, "c.KubeSpawner.profile_list is not set here")


def _allow_everybody(profiles: list[dict[str, Any]], code: ast.Module, notes: Notes) -> None:
    """The hook lets everybody have the profile that it compares with a name of its own."""
    compared = {
        part.value
        for node in ast.walk(code)
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq)
        for part in node.comparators
        if isinstance(part, ast.Constant)
    }
    for profile in profiles:
        if profile.get("display_name") in compared:
            profile["allow_all"] = True
            message, suggestion = "the hook names it as free for everybody", "see that this is so"
            notes.add(f"profile {profile['display_name']!r}", "allow_all", message, suggestion)


def _grant(profiles: list[dict[str, Any]], text: str, notes: Notes) -> None:
    """Write the lines of the mapping file as ``allowed_users``."""
    by_name = {_slug(profile): profile for profile in profiles}
    by_name |= {str(profile.get("display_name")): profile for profile in profiles}
    for number, line in enumerate(text.splitlines(), 1):
        user, colon, name = line.strip().partition(":")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        where = f"{MAPPING_KEY}:{number}"
        if not (colon and user and name):
            message = f"{line.strip()!r} is not user:profile; left out"
            notes.add(where, "", message, "write allowed_users for who is meant")
        elif name not in by_name:
            message = f"there is no profile {name!r} for {user!r}; left out"
            suggestion = did_you_mean(name, by_name, "add the profile, or forget the line")
            notes.add(where, "", message, suggestion)
        elif user != user.lower():
            message = f"JupyterHub's names are in lower case, {user!r} never matched; left out"
            notes.add(where, "", message, f"write {user.lower()!r} in allowed_users")
        else:
            allowed = by_name[name].setdefault("allowed_users", [])
            if user not in allowed:
                allowed.append(user)
    for profile in profiles:
        if not profile.get("allow_all") and "allowed_users" not in profile:
            suggestion = "write allowed_users, or allow_all: true"
            notes.add(f"profile {_slug(profile)!r}", "", "no line lets anybody in", suggestion)


def _slug(profile: Mapping[str, Any]) -> str:
    return str(profile.get("slug") or slugify(str(profile.get("display_name"))))


def _note_the_rest(code: ast.Module, notes: Notes) -> None:
    for name, _ in _traits(code):
        if name == "c.KubeSpawner.pre_spawn_hook":
            notes.add(CONFIG_KEY, name, "what it checks is in the rules now", "take it out")
        elif name == "c.JupyterHub.services":
            suggestion = "write the section culler in its place"
            notes.add(CONFIG_KEY, name, "the idle culler is not carried over", suggestion)
    for node in ast.walk(code):
        if isinstance(node, ast.Assign) and "spawner.environment[" in ast.unparse(node.targets[0]):
            suggestion = "write it in c.KubeSpawner.environment; {unescaped_username} is the name"
            notes.add(CONFIG_KEY, ast.unparse(node.targets[0]), "is set by the hook", suggestion)
    suggestion = "keep it, with c.JupyterHub.spawner_class = 'jhext'"
    notes.add(CONFIG_KEY, "", "all else in it is not carried over", suggestion)
