"""Lists of users and groups that stand in files of their own: ``allowed_users: {file: PATH}``.

Names are separated by blanks or line ends. A name that holds blanks stands in double quotes.
``#`` begins a comment where a name could begin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .access import NAME_KEYS
from .finding import ConfigurationError, Finding
from .freeze import FrozenDict, FrozenList
from .lines import parse_lines
from .written import Written

_TOKEN = re.compile(r'#.*|"(?P<quoted>[^"]+)"(?!\S)|\S+')


def parse_names(content: bytes, file: str) -> list[str]:
    """Read the content of a file of names.

    Raises
    ------
    ConfigurationError
        Lines are malformed. Each is told with its number.
    """
    return parse_lines(content, file, lambda _, text: _names(text))


def _names(text: str) -> Iterator[str]:
    for token in _TOKEN.finditer(text):
        name = token["quoted"] or token[0]
        if name.startswith("#") and not token["quoted"]:
            return
        if '"' in name:
            raise ValueError(f"quotes stand around a whole name, unlike in {name}")
        yield name


def fill_in(profile: Written, read: Callable[[Path], list[str]]) -> tuple[Written, list[Finding]]:
    """Put names in the place of the files that hold them, on every level of a profile.

    Parameters
    ----------
    profile
        The profile. Names of files are relative to the folder of its own file.
    read
        Reads a file of names. May raise `ConfigurationError`.

    Returns
    -------
    tuple
        The profile with names only, and what was found.
    """
    filler = _Filler(profile, read)
    value = filler.carrier(profile.value, "")
    return (profile if value is profile.value else replace(profile, value=value)), filler.found


class _Filler:
    def __init__(self, profile: Written, read: Callable[[Path], list[str]]) -> None:
        self._profile = profile
        self._read = read
        self.found: list[Finding] = []

    def carrier(self, value: Any, path: str) -> Any:
        """Go through what carries rules: a profile, a choice or an unlisted choice."""

        def item(key: str, inner: Any) -> Any:
            if key in NAME_KEYS and isinstance(inner, Mapping):
                return self._names(inner, path + key)
            if key == "profile_options":
                return _each(inner, lambda name, it: self._option(it, f"{path}{key}.{name}."))
            return inner

        return _each(value, item)

    def _option(self, value: Any, path: str) -> Any:
        def item(key: str, inner: Any) -> Any:
            if key == "choices":
                return _each(inner, lambda name, it: self.carrier(it, f"{path}{key}.{name}."))
            if key == "unlisted_choice":
                return self.carrier(inner, f"{path}{key}.")
            return inner

        return _each(value, item)

    def _names(self, reference: Mapping[str, Any], path: str) -> FrozenList:
        file = reference.get("file")
        if len(reference) != 1 or not isinstance(file, str):
            message = "must be a list of names or {file: PATH}"
            self.found.append(self._profile.error(path, message))
            return FrozenList()
        try:
            return FrozenList(self._read(Path(self._profile.folder, file)))
        except ConfigurationError as error:
            self.found += error.findings
            return FrozenList()


def _each(value: Any, function: Callable[[str, Any], Any]) -> Any:
    """Apply a function to the items of a mapping; where nothing changes, it stays the same."""
    if not isinstance(value, Mapping):
        return value
    result = {key: function(key, item) for key, item in value.items()}
    return FrozenDict(result) if any(result[key] is not value[key] for key in value) else value
