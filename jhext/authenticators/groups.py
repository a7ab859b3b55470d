"""Groups in the shapes in which providers give them."""

from __future__ import annotations

import json
from typing import Any


def groups_of(value: Any) -> list[str]:
    """Read the groups that a provider gives: a list of names, one name, or such a list as JSON.

    Raises
    ------
    ValueError
        It is something else.
    """
    if isinstance(value, str):
        text = value.strip()
        value = json.loads(text) if text.startswith("[") else [text] if text else []
    listed = list(value) if isinstance(value, list | tuple | set | frozenset) else [None]
    if not all(isinstance(name, str) for name in listed):
        raise ValueError(f"is no list of names but {type(value).__name__}")
    return [name for name in listed if name]
