"""Manifests without the secrets in them."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

MASK = "********"
"""What stands in the place of a secret."""

_NAME = r"token|secret|passw(?:or)?d|credential|private|(?:api|access)[_-]?key"
_SECRET_NAME = re.compile(_NAME, re.I)
_ASSIGNED = re.compile(rf"((?:{_NAME})[\w.-]*=)[^\s'\"&;]+", re.I)
# What databases are named by may have a password with slashes and @, which SQLAlchemy takes as it
# is; and what stands before the @ of a web address alone is a token, and hardly ever a name.
_IN_URL = re.compile(r"""(?<=://)[^/@\s]*:[^\s"']+(?=@)|(?<=https://)[^/@\s:]+(?=@)""")
_MINIMUM = 4
"""Characters of a secret: to mask a shorter one everywhere would leave nothing readable."""


def mask(manifest: Any, secrets: Collection[str]) -> Any:
    """Mask secrets in a manifest.

    Masked are the values of environment variables and of words like ``--token=…`` whose names speak
    of secrets, passwords in URLs, and the given secrets wherever they stand. References to Secrets
    stay: they tell nothing.

    Parameters
    ----------
    manifest
        The manifest as JSON values.
    secrets
        Secrets that are known.
    """
    known = sorted((text for text in secrets if len(text) >= _MINIMUM), key=len, reverse=True)
    return _masked(manifest, known)


def _masked(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, dict):
        if _is_secret_variable(value):
            return {**value, "value": MASK}
        return {_text(key, secrets): _masked(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, secrets) for item in value]
    return _text(value, secrets) if isinstance(value, str) else value


def _is_secret_variable(value: dict[str, Any]) -> bool:
    return (
        value.keys() == {"name", "value"}
        and bool(value["value"])
        and bool(_SECRET_NAME.search(str(value["name"])))
    )


def _text(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return _ASSIGNED.sub(rf"\1{MASK}", _IN_URL.sub(MASK, text))
