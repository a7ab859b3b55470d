"""What an importer gives: settings, and what the operator has to know about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..profiles.finding import ConfigurationError, Finding


@dataclass(frozen=True)
class Imported:
    """The result of an import.

    Parameters
    ----------
    settings
        What a ``jhext.yaml`` holds.
    notes
        What could not be carried over, and what means something else than before.
    """

    settings: dict[str, Any]
    notes: tuple[Finding, ...]


@dataclass
class Notes:
    """Collects the notes of one import."""

    found: list[Finding] = field(default_factory=list)

    def add(self, where: str, path: str, message: str, suggestion: str) -> None:
        """Note something about a place in the source, and what to do about it."""
        self.found.append(Finding("warning", where, path, message, suggestion=suggestion))


def unreadable(
    where: str, message: str, suggestion: str = "give the file that the system itself reads"
) -> ConfigurationError:
    """Make the error for a source that is not what it is taken for."""
    return ConfigurationError([Finding("error", where, "", message, suggestion=suggestion)])


def mapping(value: Any, where: str) -> Mapping[str, Any]:
    """Take a mapping; nothing stands for an empty one.

    Raises
    ------
    ConfigurationError
        It is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        message = f"must be a mapping, not {type(value).__name__}"
        raise unreadable(where, message, "write {key: value}")
    return value


def listed(value: Any, where: str) -> list[Any]:
    """Take a list; nothing stands for an empty one.

    Raises
    ------
    ConfigurationError
        It is something else.
    """
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        message = f"must be a list, not {type(value).__name__}"
        raise unreadable(where, message, "write [one, two]")
    return list(value)
