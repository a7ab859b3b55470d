"""Label and field selectors: the text of a query → a test of an object."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import bad_request
from .resources import Object, Resource

Predicate = Callable[[Object], bool]

# A comma inside the parentheses of "in (a,b)" does not end the requirement.
_REQUIREMENT = re.compile(r"(?:[^,(]|\([^)]*\))+")
_SET = re.compile(r"^([^\s!=,()]+)\s+(in|notin)\s*\(([^()]*)\)$")
_EQUALITY = re.compile(r"^([^\s!=,()]+)\s*(==|=|!=)\s*([^\s!=,()]*)$")
_EXISTENCE = re.compile(r"^(!?)\s*([^\s!=,()]+)$")
_FIELD = re.compile(r"^([^\s!=,]+?)(==|=|!=)(.*)$")


@dataclass(frozen=True)
class Requirement:
    """One term of a selector: the value's key, the values meant, and whether those or all others.

    ``values`` is None where the term asks only whether the key is there.
    """

    key: str
    values: frozenset[str] | None
    wanted: bool

    def holds(self, found: Mapping[str, str]) -> bool:
        """Return whether the labels or fields ``found`` meet this term.

        A missing key meets every negative term, as in Kubernetes.
        """
        if self.values is None:
            return (self.key in found) is self.wanted
        return (found.get(self.key) in self.values) is self.wanted


def parse_label_selector(text: str) -> tuple[Requirement, ...]:
    """Read a label selector, such as ``app=jupyterhub,tier in (a,b),!gone``.

    Raises
    ------
    ApiError
        400, when it cannot be read.
    """
    stripped = text.strip()
    if not stripped:
        return ()
    parts = _REQUIREMENT.findall(stripped)
    if ",".join(parts) != stripped:
        raise _unreadable(text)
    return tuple(_parse_label_requirement(part.strip(), text) for part in parts)


def _parse_label_requirement(part: str, text: str) -> Requirement:
    if match := _SET.match(part):
        key, operator, values = match.groups()
        return Requirement(
            key, frozenset(value.strip() for value in values.split(",")), operator == "in"
        )
    if match := _EQUALITY.match(part):
        key, operator, value = match.groups()
        return Requirement(key, frozenset({value}), operator != "!=")
    if match := _EXISTENCE.match(part):
        return Requirement(match[2], None, not match[1])
    raise _unreadable(text)


def _unreadable(text: str) -> Exception:
    return bad_request(f"unable to parse requirement: {text!r}")


def label_predicate(text: str) -> Predicate:
    """Return the test that a label selector stands for.

    Raises
    ------
    ApiError
        400, when it cannot be read.
    """
    requirements = parse_label_selector(text)

    def matches(obj: Object) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return all(requirement.holds(labels) for requirement in requirements)

    return matches


def field_predicate(text: str, resource: Resource) -> Predicate:
    """Return the test that a field selector stands for.

    Raises
    ------
    ApiError
        400, when it cannot be read or names a field that the kind cannot be selected by.
    """
    terms: list[tuple[str, str, bool]] = []
    for part in filter(None, text.split(",")):
        match = _FIELD.match(part)
        if not match:
            raise bad_request(f"invalid field selector: {part!r}")
        label, operator, value = match.groups()
        path = resource.selectable_fields.get(label)
        if path is None:
            raise bad_request(f"field label not supported: {label}")
        terms.append((path, value, operator != "!="))

    def matches(obj: Object) -> bool:
        return all((field_value(obj, path) == value) is wanted for path, value, wanted in terms)

    return matches


def field_value(obj: Object, path: str) -> str:
    """Return the value at a dotted path as a selector compares it: a missing one is empty."""
    value: Any = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
