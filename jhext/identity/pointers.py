"""Fields picked out of JSON by pointers (RFC 6901).

The ``jsonpointer`` package is not used: up to 3.1 it takes a text for a list of characters, so that
``/uidNumber/0`` in ``{"uidNumber": "1234"}`` is the uid 1, and in every release ``-`` is a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .source import Answer, Field

Pointer = tuple[str, ...]
"""The steps that lead to a value."""

_BAD_ESCAPE = re.compile(r"~(?![01])")
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


def parse(pointer: str) -> Pointer:
    """Read a JSON pointer, such as ``/account/uidNumber/0``.

    Raises
    ------
    ValueError
        When it is none.
    """
    if (pointer and not pointer.startswith("/")) or _BAD_ESCAPE.search(pointer):
        raise ValueError(f"{pointer!r} is no JSON pointer, such as /account/uidNumber/0")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def claim_path(key: str) -> Pointer:
    """Read where a claim is: its name, steps between dots, or a JSON pointer.

    Names with dots or slashes, such as URLs, need a pointer: ``/https:~1~1example.org~1roles``.

    Raises
    ------
    ValueError
        When it begins like a pointer and is none.
    """
    return parse(key) if key.startswith("/") else tuple(key.split("."))


def find(document: Any, pointer: Pointer) -> Any:
    """Follow a pointer through objects and lists; None where there is nothing."""
    for step in pointer:
        if isinstance(document, Mapping):
            document = document.get(step)
        elif isinstance(document, list) and _INDEX.fullmatch(step) and int(step) < len(document):
            document = document[int(step)]
        else:
            return None
    return document


def with_value(document: Mapping[str, Any], pointer: Pointer, value: Any) -> dict[str, Any]:
    """Give a document in which a pointer leads to a value, by objects alone."""
    if not pointer:
        return dict(document)  # it leads to the whole, which stays an object
    step, *rest = pointer
    inner = document.get(step)
    below = inner if isinstance(inner, Mapping) else {}
    return {**document, step: with_value(below, tuple(rest), value) if rest else value}


def listed(value: Any) -> Any:
    """Read a list that is written as JSON, or one text in its place; all else stays as it is."""
    text = value.strip() if isinstance(value, str) else None
    if text is None:
        return value
    if not text.startswith("["):
        return [text] if text else []
    try:
        return json.loads(text)
    except ValueError:
        return value


class Pointers:
    """Which field is where in a JSON document.

    Parameters
    ----------
    fields
        A pointer for each field.
    group_name, group_gid
        Where the name and the gid are in one element of ``groups``; elements may also be names.

    Raises
    ------
    ValueError
        When one is not a JSON pointer.
    """

    def __init__(
        self, fields: Mapping[Field, str], group_name: str = "/name", group_gid: str = "/gid"
    ) -> None:
        self._fields = {field: parse(pointer) for field, pointer in fields.items()}
        self._group_name = parse(group_name)
        self._group_gid = parse(group_gid)

    def pick(self, document: Any) -> Answer:
        """Take the fields that are there out of a document."""
        answer: dict[str, Any] = {
            field: find(document, pointer) for field, pointer in self._fields.items()
        }
        if "groups" in answer:
            groups = listed(answer["groups"])
            is_list = isinstance(groups, list)
            answer["groups"] = [self._group(group) for group in groups] if is_list else groups
        return answer

    def _group(self, group: Any) -> dict[str, Any]:
        if isinstance(group, str):
            return {"name": group, "gid": None}
        return {"name": find(group, self._group_name), "gid": find(group, self._group_gid)}
