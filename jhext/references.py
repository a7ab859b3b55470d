"""Values of any shape in which secrets stand by reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .section import SecretRef

_KINDS = frozenset({"env", "file"})


def with_references(value: Any) -> Any:
    """Put a `SecretRef` in the place of each ``{env: NAME}`` and ``{file: PATH}``."""
    if isinstance(value, Mapping):
        (only, *more) = value or ("",)
        if not more and only in _KINDS and isinstance(value[only], str):
            return SecretRef(**{only: value[only]})
        return {key: with_references(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [with_references(item) for item in value]
    return value


def has_reference(value: Any) -> bool:
    """Tell whether there is a secret in a value."""
    if isinstance(value, Mapping):
        return any(map(has_reference, value.values()))
    if isinstance(value, list):
        return any(map(has_reference, value))
    return isinstance(value, SecretRef)


def resolved(value: Any) -> Any:
    """Put the secrets in the place of their references.

    Raises
    ------
    ConfigurationError
        One is not there.
    """
    if isinstance(value, SecretRef):
        return value.resolve()
    if isinstance(value, Mapping):
        return {key: resolved(item) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item) for item in value]
    return value
