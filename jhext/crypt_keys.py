"""The keys that encrypt auth_state: several at a time, so that one can be replaced."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

SEPARATOR = ";"
"""What stands between keys in ``JUPYTERHUB_CRYPT_KEY``: the first encrypts, all decrypt."""

VARIABLE = "JUPYTERHUB_CRYPT_KEY"
_BYTES = 32


def split(text: str) -> list[str]:
    """Give the keys of a variable or a file."""
    return [
        key for part in text.splitlines() for key in map(str.strip, part.split(SEPARATOR)) if key
    ]


def rotated(keys: Sequence[str], keep: int) -> list[str]:
    """Put a new key before those in use, and leave out the oldest.

    Parameters
    ----------
    keys
        Those in use, the newest first.
    keep
        How many of them go on decrypting what they have encrypted.

    Raises
    ------
    ValueError
        Nothing would be left that decrypts what is stored.
    """
    if keys and keep < 1:
        raise ValueError("keep at least one key, or nobody's auth_state can be read any more")
    return [secrets.token_hex(_BYTES), *keys[:keep]]
