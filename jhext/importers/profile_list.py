"""KubeSpawner's ``profile_list``, which several systems extend with access keys of their own."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from slugify import slugify

from ..profiles.build import as_list
from ..profiles.model import ACCESS_LIKE
from .imported import Notes, mapping, unreadable

Level = Literal["profile", "option", "choice", "unlisted_choice"]

_KEYS: Mapping[Level, frozenset[str]] = {
    "profile": frozenset(
        {"display_name", "slug", "description", "default", "kubespawner_override"}
    ),
    "option": frozenset({"display_name"}),
    "choice": frozenset({"display_name", "default", "kubespawner_override"}),
    "unlisted_choice": frozenset(
        {
            *("enabled", "display_name", "display_name_in_choices"),
            *("validation_regex", "validation_message", "kubespawner_override"),
        }
    ),
}
_CONVERTED: Mapping[Level, frozenset[str]] = {
    "profile": frozenset({"profile_options"}),
    "option": frozenset({"choices", "unlisted_choice"}),
    # 2i2c writes a slug on choices; nothing reads it.
    "choice": frozenset({"profile_options", "slug"}),
    "unlisted_choice": frozenset(),
}
_MATCHES_TO_THE_END = ("$", r"\Z", ".*", ".+")
_SHOWN = frozenset({"display_name", "description", "display_name_in_choices"})
_MARKUP = re.compile(r"</?(a|b|i|br|p|em|strong|code|span|div|ul|li|img|small|font)\b[^>]*>", re.I)
_NOBODY: Mapping[str, Any] = {"allowed_users": []}


class Rules(Protocol):
    """How a system writes access."""

    @property
    def keys(self) -> Collection[str]:
        """The keys that this reads."""

    def read(self, level: Level, raw: Mapping[str, Any], where: str, path: str) -> dict[str, Any]:
        """Give the access keys for what is written at one place; may note something."""


@dataclass
class ProfileListImport:
    """Converts one ``profile_list``.

    Parameters
    ----------
    rules
        How access is written in it.
    notes
        Where to note what does not stay the same.
    extra_keys
        Collects the keys that only a form template can be reading; they are kept.
    """

    rules: Rules
    notes: Notes
    extra_keys: set[str] = field(default_factory=set)

    def convert(self, raw: Any, where: str) -> list[dict[str, Any]]:
        """Convert the list.

        Raises
        ------
        ConfigurationError
            It is not shaped like a ``profile_list``.
        """
        if not isinstance(raw, Mapping | list):
            raise unreadable(where, f"must be a list of profiles, not {type(raw).__name__}")
        profiles = [
            self._profile(mapping(profile, f"{where}[{n}]"), f"profile {n + 1}")
            for n, profile in enumerate(as_list(raw))
        ]
        self._keep_one_default(profiles, "profiles", "")
        self._make_slugs_unique(profiles)
        return profiles

    def _profile(self, raw: Mapping[str, Any], number: str) -> dict[str, Any]:
        name = raw.get("slug") or raw.get("display_name")
        where = f"profile {name!r}" if name else number
        return self._with_options("profile", raw, where, "")

    def _with_options(
        self, level: Level, raw: Mapping[str, Any], where: str, path: str
    ) -> dict[str, Any]:
        converted = self._own_keys(level, raw, where, path)
        here = _join(path, "profile_options")
        if options := mapping(raw.get("profile_options"), f"{where}: {here}"):
            converted["profile_options"] = {
                str(name): self._option(
                    mapping(option, f"{where}: {here}"), where, f"{here}.{name}"
                )
                for name, option in options.items()
            }
        return converted

    def _option(self, raw: Mapping[str, Any], where: str, path: str) -> dict[str, Any]:
        option = self._own_keys("option", raw, where, path)
        here = f"{path}.choices"
        if choices := mapping(raw.get("choices"), f"{where}: {here}"):
            option["choices"] = {
                str(name): self._with_options(
                    "choice", mapping(choice, f"{where}: {here}"), where, f"{here}.{name}"
                )
                for name, choice in choices.items()
            }
            self._keep_one_default(list(option["choices"].values()), where, here)
        here = f"{path}.unlisted_choice"
        if unlisted := mapping(raw.get("unlisted_choice"), f"{where}: {here}"):
            option["unlisted_choice"] = self._unlisted(unlisted, where, here)
        return option

    def _unlisted(self, raw: Mapping[str, Any], where: str, path: str) -> dict[str, Any]:
        unlisted = self._own_keys("unlisted_choice", raw, where, path)
        pattern = unlisted.get("validation_regex")
        if isinstance(pattern, str) and not pattern.endswith(_MATCHES_TO_THE_END):
            unlisted["validation_regex"] = f"(?:{pattern}).*"
            message = "jhext compares the whole text, not its beginning: .* is added"
            suggestion = "take .* out where the whole text was meant"
            self.notes.add(where, f"{path}.validation_regex", message, suggestion)
        return unlisted

    def _own_keys(
        self, level: Level, raw: Mapping[str, Any], where: str, path: str
    ) -> dict[str, Any]:
        """Keep what KubeSpawner and form templates read, and turn access keys into rules."""
        kept: dict[str, Any] = {}
        rules = {} if level == "option" else self.rules.read(level, raw, where, path)
        for key, value in raw.items():
            if key in _KEYS[level]:
                kept[key] = self._shown(value, where, _join(path, key)) if key in _SHOWN else value
            elif key in self.rules.keys or key in _CONVERTED[level]:
                continue
            elif ACCESS_LIKE.search(str(key)):
                message = "looks like an access rule that nothing reads: nobody is let in by it"
                suggestion = "write who is meant as allowed_users or allowed_groups"
                self.notes.add(where, _join(path, key), message, suggestion)
                rules = {**_NOBODY}
            else:
                kept[key] = value
                self.extra_keys.add(str(key))
        # Rules are read best between what a thing is called and what it changes.
        overrides = {key: kept.pop(key) for key in ("kubespawner_override",) if key in kept}
        return kept | rules | overrides

    def _shown(self, value: Any, where: str, path: str) -> Any:
        """Keep what people read. KubeSpawner takes numbers too, and shows HTML as such."""
        if _MARKUP.search(str(value)):
            self.notes.add(where, path, "tags would be shown as they are", "write plain text")
        return str(value) if isinstance(value, int | float) else value

    def _keep_one_default(self, items: list[dict[str, Any]], where: str, path: str) -> None:
        for item in [item for item in items if item.get("default")][1:]:
            del item["default"]
            name = item.get("slug") or item.get("display_name")
            message = f"{name!r} is a second one and is none any more"
            suggestion = "put the one that is meant first: without any, the first permitted is it"
            self.notes.add(where, _join(path, "default"), message, suggestion)

    def _make_slugs_unique(self, profiles: list[dict[str, Any]]) -> None:
        taken: set[str] = set()
        for profile in profiles:
            wanted = slug = str(profile.get("slug") or slugify(str(profile.get("display_name"))))
            number = 2
            while slug in taken:
                slug, number = f"{wanted}-{number}", number + 1
            if slug != wanted:
                profile["slug"] = slug
                message, suggestion = f"was taken; this one is {slug!r} now", "give it a better one"
                self.notes.add(f"profile {wanted!r}", "slug", message, suggestion)
            taken.add(slug)


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)
