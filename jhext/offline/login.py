"""What is said against the configuration of login by LDAP: options that have gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..profiles.finding import Finding

SECTION = "LDAPAuthenticator"

_NO_EFFECT = ("has had no effect since ldapauthenticator 2.0, which escapes all", "leave it out")
_IS_GONE = "is gone since ldapauthenticator 2.0"
_GONE = {
    ("use_ssl", True): (_IS_GONE, 'write tls_strategy = "on_connect"'),
    ("use_ssl", False): (
        _IS_GONE,
        "leave it out, and connections are encrypted with StartTLS; where that cannot be, "
        'write tls_strategy = "insecure"',
    ),
    ("escape_userdn", True): _NO_EFFECT,
    ("escape_userdn", False): _NO_EFFECT,
}


def retired_options(config: Mapping[str, Any], file: str) -> Iterator[Finding]:
    """Name the options of former versions, and what is written in their place today."""
    written = config.get(SECTION, {})
    for name in dict.fromkeys(name for name, _ in _GONE):
        if name in written:
            message, suggestion = _GONE[name, bool(written[name])]
            where = f"c.{SECTION}"
            yield Finding("warning", where, name, message, file, suggestion=suggestion)
