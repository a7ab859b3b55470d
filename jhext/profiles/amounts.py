"""Overrides that are amounts, in spellings that KubeSpawner's traits do not take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..units import parse_duration, parse_memory, parse_quantity


def seconds(value: str | float) -> int:
    """Read a duration of whole seconds.

    Raises
    ------
    ValueError
        It is none.
    """
    exact = parse_duration(value).total_seconds()
    if exact != int(exact):
        raise ValueError(f"must be whole seconds: {value!r}")
    return int(exact)


def _cpu(value: str) -> float:
    return float(parse_quantity(value))


_READERS: Mapping[str, Callable[[str], float]] = {
    "mem_limit": parse_memory,
    "mem_guarantee": parse_memory,
    "cpu_limit": _cpu,
    "cpu_guarantee": _cpu,
    "start_timeout": seconds,
    "http_timeout": seconds,
}
AMOUNTS = frozenset(_READERS)
"""The overrides that they are."""
EXAMPLES: Mapping[str, str] = {
    "mem_limit": "bytes such as 4G or 512M",
    "mem_guarantee": "bytes such as 4G or 512M",
    "cpu_limit": "cores such as 2, 0.5 or 500m",
    "cpu_guarantee": "cores such as 2, 0.5 or 500m",
    "start_timeout": "whole seconds, or a duration such as 10m",
    "http_timeout": "whole seconds, or a duration such as 30s",
}
"""What they are like."""


def read_amount(name: str, value: Any) -> Any:
    """Read the value of an override if it is the text of an amount; give any other as it is.

    Raises
    ------
    ValueError
        It is the text of none.
    """
    reader = _READERS.get(name)
    return reader(value) if reader and isinstance(value, str) else value


def read_amounts(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Read all amounts among overrides.

    What cannot be read stays as it is: ``{value}``, in whose place free text will come, and what
    the lint refuses.
    """
    result = {}
    for name, value in overrides.items():
        try:
            result[name] = read_amount(name, value)
        except ValueError:
            result[name] = value
    return result
