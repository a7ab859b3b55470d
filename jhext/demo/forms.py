"""What the page with the profiles offers, read from its HTML as a browser reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import MappingProxyType

_OPTION = "profile-option-"


@dataclass(frozen=True)
class SpawnForm:
    """The profiles and choices that can be picked."""

    profiles: tuple[str, ...]
    checked: str | None
    """The profile that is picked when nobody touches the form."""
    choices: Mapping[tuple[str, str], tuple[str, ...]]
    """Of each select, by the slug of its profile and the name of its option."""

    @classmethod
    def parse(cls, html: str) -> SpawnForm:
        """Read the page."""
        reader = _Reader()
        reader.feed(html)
        reader.close()
        return cls(tuple(reader.profiles), reader.checked, MappingProxyType(reader.choices))


@dataclass
class _Reader(HTMLParser):
    """Collects the fields of a form."""

    profiles: list[str] = field(default_factory=list)
    checked: str | None = None
    choices: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    _select: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a field."""
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "input" and name == "profile":
            self.profiles.append(value)
            if "checked" in given:
                self.checked = value
        elif tag == "select" and name.startswith(_OPTION):
            slug, _, option = name.removeprefix(_OPTION).partition("--")
            self._select = (slug, option)
            self.choices[self._select] = ()
        elif tag == "option" and self._select:
            self.choices[self._select] += (value,)

    def handle_endtag(self, tag: str) -> None:
        """End a select."""
        if tag == "select":
            self._select = None
