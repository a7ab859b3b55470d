"""What is wrong with the overrides of a profile, before anybody starts it."""

from __future__ import annotations

import inspect
import json
import math
import string
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Protocol

from ..units import parse_quantity
from .amounts import AMOUNTS, EXAMPLES, read_amount
from .finding import did_you_mean

SENSITIVE_OVERRIDES = (
    "uid",
    "gid",
    "fs_gid",
    "supplemental_gids",
    "privileged",
    "allow_privilege_escalation",
    "namespace",
    "service_account",
    "*_security_context",
    "extra_container_config",
    "extra_pod_config",
)
"""Traits with which a profile could give more than its resources: who a pod is, and where."""


TEXTS = frozenset(
    {
        *("environment", "node_selector", "extra_annotations", "extra_labels"),
        *("storage_extra_annotations", "storage_extra_labels"),
    }
)
"""Traits that map names to texts; the values of variables may be objects too."""
_QUANTITIES = frozenset({"extra_resource_guarantees", "extra_resource_limits"})


class Overridable(Protocol):
    """What overrides are checked against."""

    @property
    def names(self) -> frozenset[str]:
        """The traits that a profile can override."""

    def problem(self, name: str, value: Any) -> str | None:
        """Tell what is wrong with a value for one of them, or None."""

    def wanted(self, name: str) -> str:
        """Tell what a value for one of them is like."""


def raw_overrides(
    carrier: Any, path: str = "", *, template: bool = False
) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Find every ``kubespawner_override``, also where the rest does not fit the schema.

    The names of options and choices are the operator's: any name may carry overrides.

    Yields
    ------
    tuple
        The path, the overrides, and whether ``{value}`` in them stands for free text.
    """
    overrides = _mapping_at(carrier, "kubespawner_override")
    if overrides:
        yield f"{path}kubespawner_override", overrides, template
    for name, option in _mapping_at(carrier, "profile_options").items():
        here = f"{path}profile_options.{name}."
        for choice_name, choice in _mapping_at(option, "choices").items():
            yield from raw_overrides(choice, f"{here}choices.{choice_name}.")
        unlisted = _mapping_at(option, "unlisted_choice")
        yield from raw_overrides(unlisted, f"{here}unlisted_choice.", template=True)


def _mapping_at(raw: Any, key: str) -> Mapping[str, Any]:
    value = raw.get(key) if isinstance(raw, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def override_problems(
    overrides: Mapping[str, Any],
    traits: Overridable,
    allowed_sensitive: frozenset[str],
    *,
    template: bool,
) -> Iterator[tuple[str, str, str]]:
    """Check overrides.

    Parameters
    ----------
    overrides
        The overrides as written.
    traits
        What they are checked against.
    allowed_sensitive
        The names of `SENSITIVE_OVERRIDES` that the operator lets profiles set.
    template
        Whether ``{value}`` in them stands for free text.

    Yields
    ------
    tuple
        The name of an override, what is wrong with it, and what to do about it.
    """
    for name, value in overrides.items():
        if not isinstance(name, str):
            message = f"must be the name of a trait, not {type(name).__name__}"
            yield str(name), message, "write the name of a trait of KubeSpawner, such as image"
            continue
        if _is_sensitive(name) and name not in allowed_sensitive:
            yield name, "may widen rights", f"to let it pass: allowed_sensitive_overrides: [{name}]"
        if _is_async(value):
            message = "an async callable: its coroutine would be taken for the value"
            yield name, message, "write def in place of async def"
        elif template and (problem := _template_problem(value)):
            yield name, problem, "write {value} for the text of the user, {{ and }} for braces"
        elif name not in traits.names:
            otherwise = "take it out; the reference of KubeSpawner has its traits"
            suggestion = did_you_mean(name, traits.names, otherwise)
            yield name, "is no trait that a profile can override", suggestion
        elif template and _has_placeholder(value):
            continue
        elif found := _value_problem(name, value, traits):
            yield name, *found
        elif isinstance(value, Mapping) and name in TEXTS | _QUANTITIES:
            for key, item in value.items():
                if found := _item_problem(name, key, item):
                    yield f"{name}.{key}", *found


def _value_problem(name: str, value: Any, traits: Overridable) -> tuple[str, str] | None:
    wanted = f"write {EXAMPLES.get(name) or traits.wanted(name)}"
    if any("\0" in text for text in _strings(value)):
        return "holds the character NUL, with which no container starts", "take it out"
    if _is_infinite(value):
        return f"holds {value!r}, which no number in Kubernetes can be", wanted
    try:
        amount = read_amount(name, value)
    except ValueError as error:
        return str(error), wanted
    if name in AMOUNTS and isinstance(amount, bool):
        return f"is no amount: {value!r}", wanted
    if name in AMOUNTS and isinstance(amount, int | float) and amount < 0:
        return f"is less than nothing: {value!r}", wanted
    problem = traits.problem(name, amount)
    return (problem, wanted) if problem else None


def _item_problem(name: str, key: Any, item: Any) -> tuple[str, str] | None:
    """Find what KubeSpawner takes and Kubernetes refuses at every start."""
    if not (isinstance(key, str) and key):
        return f"the key {key!r} is no text", "put it in quotes"
    if isinstance(item, bool) or (name in TEXTS and isinstance(item, int | float)):
        return f"is no text: {item!r}", f"write {key}: '{json.dumps(item)}'"
    if name in _QUANTITIES and isinstance(item, str | int | float):
        try:
            parse_quantity(item)
        except ValueError as error:
            return str(error), f"write {key}: '1'"
    return None


def _is_infinite(value: Any) -> bool:
    """Whether there is a number in it that JSON does not have."""
    if isinstance(value, Mapping):
        return any(map(_is_infinite, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_is_infinite, value))
    return isinstance(value, float) and not math.isfinite(value)


def _is_async(value: Any) -> bool:
    """Whether it is an async callable, or has one among the variables of an environment."""
    if isinstance(value, Mapping):
        return any(map(_is_async, value.values()))
    call = getattr(value, "__call__", None)  # noqa: B004 - an async __call__ is what is looked for
    return inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(call)


def _is_sensitive(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in SENSITIVE_OVERRIDES)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _strings(key)
            yield from _strings(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _strings(item)


def _has_placeholder(value: Any) -> bool:
    return any("{value}" in text for text in _strings(value))


def _template_problem(value: Any) -> str | None:
    """KubeSpawner formats these strings with ``str.format_map``: find what that would choke on."""
    for text in _strings(value):
        try:
            fields = list(string.Formatter().parse(text))
        except ValueError as error:
            return f"not a format string: {error}"
        for _, name, specification, _ in fields:
            if name is None:
                continue
            if name.startswith(("value.", "value[")) or "{" in (specification or ""):
                return f"{{{name}}} reaches into the text of a user: only {{value}} is allowed"
            if not name.isidentifier():
                return f"{{{name}}} is no field: only {{value}} is one"
    return None
