"""A profile as somebody wrote it, and the place of everything in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from ..yamlfile import KeyPath
from .finding import Finding
from .freeze import FrozenDict, freeze
from .model import slug_of


@dataclass(frozen=True, slots=True)
class Place:
    """A line in a file, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Written:
    """A profile as written.

    Parameters
    ----------
    value
        What is written, a mapping if all is well; its containers are frozen.
    number
        Its position among all profiles, counted from 1.
    places
        Where each value in it stands; empty for a profile that is not from a file. The place of
        the profile itself is under the empty path.
    """

    value: Any
    number: int
    places: Mapping[KeyPath, Place] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """What findings call it."""
        if isinstance(self.value, Mapping):
            for key in ("slug", "display_name"):
                if isinstance(self.value.get(key), str) and self.value[key]:
                    return f"profile {self.value[key]!r}"
        return f"profile number {self.number}"

    @property
    def slug(self) -> str:
        """Its slug, empty where it has none."""
        return slug_of(self.value) if isinstance(self.value, Mapping) else ""

    @property
    def extends(self) -> Any:
        """What it says under that key."""
        return self.value.get("extends") if isinstance(self.value, Mapping) else None

    @property
    def place(self) -> Place | None:
        """Where it stands."""
        return self.places.get(())

    @property
    def folder(self) -> PurePath:
        """What the names of files in it are relative to."""
        return PurePath(self.place.file).parent if self.place else PurePath()

    def error(self, path: str, message: str, suggestion: str) -> Finding:
        """Say what is wrong with it, and what to do about it."""
        return self.locate(Finding("error", self.where, path, message, suggestion=suggestion))

    def locate(self, finding: Finding) -> Finding:
        """Add the place of what a finding about this profile is about."""
        value: Any = self.value
        path: KeyPath = ()
        place, rest = self.place, finding.path
        while rest:
            # Keys hold dots too, so a path that dots join is read along what is there.
            keys = [key for key in _keys(value) if f"{rest}.".startswith(f"{key}.")]
            if not keys:
                break
            key = max(keys, key=lambda key: len(str(key)))
            value, path, rest = value[key], (*path, key), rest[len(str(key)) + 1 :]
            place = self.places.get(path, place)
        return replace(finding, file=place.file, line=place.line) if place else finding


def as_written(profiles: Iterable[Any]) -> list[Written]:
    """Take profiles that are not from files among those that are."""
    return [
        item if isinstance(item, Written) else Written(freeze(item), number)
        for number, item in enumerate(profiles, 1)
    ]


def change_carriers(value: Any, change: Callable[[Mapping[Any, Any], str], Any]) -> Any:
    """Change what carries rules and overrides: a profile, its choices and unlisted choices.

    Parameters
    ----------
    value
        The profile.
    change
        Takes a carrier, what is below it changed already, and the path to its keys: empty or
        with a dot at the end. Gives the same or another.

    Returns
    -------
    Any
        The profile; the same object where nothing was changed.
    """
    return _change_carrier(value, "", change)


def _change_carrier(value: Any, path: str, change: Callable[[Mapping[Any, Any], str], Any]) -> Any:
    def item(key: Any, inner: Any) -> Any:
        if key == "profile_options":
            return _each(inner, lambda name, it: _each(it, option(f"{path}{key}.{name}.")))
        return inner

    def option(here: str) -> Callable[[Any, Any], Any]:
        def part(key: Any, inner: Any) -> Any:
            if key == "choices":
                return _each(
                    inner, lambda name, it: _change_carrier(it, f"{here}{key}.{name}.", change)
                )
            if key == "unlisted_choice":
                return _change_carrier(inner, f"{here}{key}.", change)
            return inner

        return part

    value = _each(value, item)
    return change(value, path) if isinstance(value, Mapping) else value


def _each(value: Any, function: Callable[[Any, Any], Any]) -> Any:
    """Apply a function to the items of a mapping; where nothing changes, it stays the same."""
    if not isinstance(value, Mapping):
        return value
    result = {key: function(key, item) for key, item in value.items()}
    return FrozenDict(result) if any(result[key] is not value[key] for key in value) else value


def _keys(value: Any) -> Any:
    if isinstance(value, list):
        return range(len(value))
    return value if isinstance(value, Mapping) else ()
