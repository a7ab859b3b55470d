"""People from a file: names with groups, claims, and whether they are admins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..advice import advise
from ..profiles.access import Person
from ..profiles.finding import ConfigurationError, Finding
from ..yamlfile import parse_yaml


class _Entry(BaseModel):
    """What is known about somebody."""

    model_config = ConfigDict(extra="forbid", strict=True)

    groups: list[str] = Field(default_factory=list)
    admin: bool = False
    claims: dict[str, Any] = Field(default_factory=dict)


_KNOWN = frozenset(_Entry.model_fields)


def read_people(path: Path) -> list[Person]:
    """Read people from YAML or JSON.

    It is a mapping of names to ``{groups, admin, claims}`` or just to a list of groups; or what
    JupyterHub's API gives for ``GET /hub/api/users``.

    Raises
    ------
    ConfigurationError
        It cannot be read, or says something else.
    """
    try:
        content = parse_yaml(path.read_bytes(), str(path)).value  # a pipe will do
    except OSError as error:
        raise _error(path, "", f"cannot be read: {error.strerror}", "mend the path") from None
    if isinstance(content, list):
        entries = [(_name(item, path), _from_api(item)) for item in content]
    elif isinstance(content, Mapping):
        entries = list(content.items())
    else:
        message = f"must be a mapping of names, not {type(content).__name__}"
        raise _error(path, "", message, "write lines like ada: [staff]")
    return [_person(path, name, entry) for name, entry in entries]


def _name(item: Any, path: Path) -> Any:
    if isinstance(item, Mapping) and "name" in item:
        return item["name"]
    raise _error(path, "", "every user in a list has a name", "write {name: ada, groups: [staff]}")


def _from_api(item: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what matters here; the API tells more."""
    return {key: value for key, value in item.items() if key in _KNOWN}


def _person(path: Path, name: Any, value: Any) -> Person:
    if not isinstance(name, str):
        raise _error(path, str(name), "a name must be text", f'write "{name}" in quotes')
    written = {"groups": value} if isinstance(value, list) else {} if value is None else value
    try:
        entry = _Entry.model_validate(written)
    except ValidationError as error:
        keys, *what = advise(error.errors()[0], _Entry)
        raise _error(path, ".".join(map(str, (name, *keys))), *what) from None
    return Person(name, frozenset(entry.groups), entry.admin, claims=entry.claims)


def _error(path: Path, where: str, message: str, suggestion: str) -> ConfigurationError:
    return ConfigurationError(
        [Finding("error", "", where, message, str(path), suggestion=suggestion)]
    )
