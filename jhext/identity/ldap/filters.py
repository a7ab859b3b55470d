"""Search filters (RFC 4515), in which whatever comes from outside is a value and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from ldap3.utils.conv import escape_bytes

IN_CHAIN = "1.2.840.113556.1.4.1941"
"""Active Directory's rule for "this or something it is in" (LDAP_MATCHING_RULE_IN_CHAIN)."""


def equal(attribute: str, value: str | bytes) -> str:
    """Look for a value, every byte of it escaped: ldap3 would strip spaces at its ends.

    Raises
    ------
    UnicodeEncodeError
        When the value has halves of characters in it.
    """
    data = value.encode() if isinstance(value, str) else value
    return f"({attribute}={escape_bytes(data)})"


def in_chain(attribute: str, dn: str) -> str:
    """Look for what has a DN as value, or something that has it, at any depth."""
    return equal(f"{attribute}:{IN_CHAIN}:", dn)


def any_of(filters: Iterable[str]) -> str:
    """Look for what one filter at least finds."""
    return f"(|{''.join(filters)})"


def all_of(filters: Iterable[str]) -> str:
    """Look for what all filters find."""
    return f"(&{''.join(filters)})"
