"""Groups in the shapes in which providers give them."""

from __future__ import annotations

from typing import Any

from jhext.identity.pointers import listed


def groups_of(value: Any) -> list[str]:
    """Read the groups that a provider gives: a list of names, one name, or such a list as JSON.

    Raises
    ------
    ValueError
        It is something else.
    """
    value = listed(value)
    names = list(value) if isinstance(value, list | tuple | set | frozenset) else [None]
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"is no list of names but {type(value).__name__}")
    return [name for name in names if name]
