"""What is said against the configuration of login by LDAP: options that have gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..profiles.finding import Finding

SECTION = "LDAPAuthenticator"

_NO_EFFECT = "has had no effect since ldapauthenticator 2.0, which escapes everything; leave it out"
_GONE = {
    ("use_ssl", True): 'is gone since ldapauthenticator 2.0: write tls_strategy = "on_connect"',
    ("use_ssl", False): (
        "is gone since ldapauthenticator 2.0: leave it out, and connections are encrypted with "
        'StartTLS; where that cannot be, write tls_strategy = "insecure"'
    ),
    ("escape_userdn", True): _NO_EFFECT,
    ("escape_userdn", False): _NO_EFFECT,
}


def retired_options(config: Mapping[str, Any], file: str) -> Iterator[Finding]:
    """Name the options of former versions, and what is written in their place today."""
    written = config.get(SECTION, {})
    for name in dict.fromkeys(name for name, _ in _GONE):
        if name in written:
            message = _GONE[name, bool(written[name])]
            yield Finding("warning", f"c.{SECTION}", name, message, file)
