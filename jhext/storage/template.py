"""Texts with fields in braces, such as ``claim-{username}``: which fields there are is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from string import Formatter
from typing import Any

from jhext.profiles.finding import FaultyError, did_you_mean

Field = tuple[str, str]
"""The text before a field, and the name of the field; empty at the end."""


def parts(template: str) -> list[Field]:
    """Take a template apart.

    Raises
    ------
    ValueError
        It has conversions, formats, or braces that are not a field. A field is a name alone:
        what ``str.format`` can do besides reaches into objects.
    """
    try:
        found = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"{template!r}: {error}") from None
    for _, name, form, conversion in found:
        if form or conversion or (name is not None and not name.isidentifier()):
            raise ValueError(f"{template!r}: a field is a name in braces and nothing else")
    return [(text, name or "") for text, name, _, _ in found]


def fields(template: str) -> list[str]:
    """List the fields of a template, in their order."""
    return [name for _, name in parts(template) if name]


def check(template: str, known: Callable[[str], bool], names: Iterable[str]) -> None:
    """Refuse a template with a field that nobody knows.

    Parameters
    ----------
    template
        The text.
    known
        Tells whether there is a field of this name.
    names
        The names to suggest one of.

    Raises
    ------
    ValueError
        It is no template, or has an unknown field.
    """
    for name in fields(template):
        if not known(name):
            suggestion = did_you_mean(name, names, f"the fields are {', '.join(sorted(names))}")
            raise FaultyError(f"{template!r}: unknown field {name!r}", suggestion)


def render(template: str, values: Mapping[str, str]) -> str:
    """Put the values in; what a value holds is text and never a field.

    Raises
    ------
    KeyError
        A field has no value.
    """
    return "".join(text + (values[name] if name else "") for text, name in parts(template))


def mapped(change: Callable[[str], str], value: Any) -> Any:
    """Give a value with every text in it changed, but for the keys of mappings."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: mapped(change, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mapped(change, item) for item in value]
    return value
