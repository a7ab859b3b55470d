"""Lists of users and groups that stand in files of their own: ``allowed_users: {file: PATH}``.

Names are separated by blanks or line ends. A name that holds blanks stands in double quotes.
``#`` begins a comment where a name could begin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from .access import NAME_KEYS
from .finding import ConfigurationError, FaultyError, Finding
from .freeze import FrozenDict, FrozenList
from .lines import parse_lines
from .written import Written, change_carriers

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
            message = f"quotes stand around a whole name, unlike in {name}"
            raise FaultyError(message, 'write "the whole name"')
        yield name


def names_in(
    reference: Mapping[str, Any],
    folder: PurePath,
    read: Callable[[Path], list[str]],
    error: Callable[[str, str], Finding],
) -> tuple[list[str], list[Finding]]:
    """Give the names in the file that is written in their place, or what is wrong with it.

    Parameters
    ----------
    reference
        What is written.
    folder
        What the name of the file is relative to.
    read
        Reads a file of names. May raise `ConfigurationError`.
    error
        Tells of a message and a suggestion in the place of what is written.
    """
    file = reference.get("file")
    if len(reference) != 1 or not isinstance(file, str):
        message = "must be a list of names or {file: PATH}"
        return [], [error(message, "write [ada, bob], or {file: names.txt}")]
    try:
        return read(Path(folder, file)), []
    except ConfigurationError as problem:
        # A file that cannot be read is told of where it is named.
        return [], [
            it if it.line else error(f"{it.file} {it.message}", it.suggestion)
            for it in problem.findings
        ]


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
    found: list[Finding] = []

    def names(reference: Mapping[str, Any], path: str) -> FrozenList:
        names, faults = names_in(reference, profile.folder, read, partial(profile.error, path))
        found.extend(faults)
        return FrozenList(names)

    def fill(carrier: Mapping[Any, Any], path: str) -> Mapping[Any, Any]:
        references = [key for key in NAME_KEYS if isinstance(carrier.get(key), Mapping)]
        filled = {key: names(carrier[key], path + key) for key in sorted(references)}
        return FrozenDict({**carrier, **filled}) if filled else carrier

    return replace(profile, value=change_carriers(profile.value, fill)), found
