"""What the traits of ldapauthenticator mean for jhext's client. Pure: nothing is opened here."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ldap3.core.exceptions import LDAPInvalidDnError
from ldap3.utils.dn import parse_dn
from ldapauthenticator.ldapauthenticator import TlsStrategy

from jhext.identity.ldap.access import Server, Tls

_TLS = {
    TlsStrategy.before_bind: Tls.START_TLS,
    TlsStrategy.on_connect: Tls.ON_CONNECT,
    TlsStrategy.insecure: Tls.NONE,
}
_ESCAPED = re.compile(rb"\\([0-9A-Fa-f]{2}|.)")
_TLS_OPTIONS = frozenset(
    {
        *("validate", "ca_certs_file", "ca_certs_path", "ca_certs_data", "ciphers", "version"),
        *("local_certificate_file", "local_private_key_file", "local_private_key_password"),
    }
)


def servers_of(
    addresses: str | Iterable[str], port: int, strategy: TlsStrategy
) -> tuple[Server, ...]:
    """Read the addresses of servers: names, or URLs, with a port where it is not the usual one.

    Parameters
    ----------
    addresses
        A list, or a text with spaces or commas between them.
    port
        The usual port.
    strategy
        When connections are encrypted; ``ldaps://`` means from their first byte in any case.

    Raises
    ------
    ValueError
        When one of them is neither.
    """
    if isinstance(addresses, str):
        addresses = addresses.replace(",", " ").split()
    return tuple(_server(address, port, _TLS[strategy]) for address in addresses)


def _server(address: str, port: int, tls: Tls) -> Server:
    parts = urlsplit(address if "://" in address else f"ldap://{address}")
    if parts.scheme not in ("ldap", "ldaps") or not parts.hostname or parts.path.strip("/"):
        raise ValueError(f"{address!r} is neither the name of a server nor ldap(s)://name")
    if parts.scheme == "ldaps":
        return Server(parts.hostname, parts.port or 636, Tls.ON_CONNECT)
    return Server(parts.hostname, parts.port or port, tls)


def tls_context(options: Mapping[str, Any]) -> Callable[[], ssl.SSLContext]:
    """Give what makes the TLS settings that ldap3's ``Tls`` would have, but verified.

    Parameters
    ----------
    options
        ``tls_kwargs`` of ldapauthenticator. Only ``"validate": ssl.CERT_NONE`` switches the check
        of the server's certificate off; a ``version`` limits TLS to 1.2 at the most, and none makes
        it older.

    Raises
    ------
    ValueError
        When there is an option that would have no effect.
    """
    if unknown := options.keys() - _TLS_OPTIONS:
        raise ValueError(f"tls_kwargs: {', '.join(sorted(unknown))}: not supported here")
    return partial(_context, dict(options))


def _context(options: Mapping[str, Any]) -> ssl.SSLContext:
    context = ssl.create_default_context(
        cafile=options.get("ca_certs_file"),
        capath=options.get("ca_certs_path"),
        cadata=options.get("ca_certs_data"),
    )
    if options.get("validate") == ssl.CERT_NONE:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.get("version") not in (None, ssl.PROTOCOL_TLS, ssl.PROTOCOL_TLS_CLIENT):
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if options.get("ciphers"):
        context.set_ciphers(options["ciphers"])
    if options.get("local_certificate_file"):
        context.load_cert_chain(
            options["local_certificate_file"],
            options.get("local_private_key_file"),
            options.get("local_private_key_password"),
        )
    return context


def dn_key(name: str) -> str | None:
    """Give what two spellings of a DN have in common, or None where the name is no DN."""
    try:
        parts = parse_dn(name, strip=True)
        plain = [
            (key, _ESCAPED.sub(_unescaped, value.encode()).decode(), end)
            for key, value, end in parts
        ]
    except (LDAPInvalidDnError, UnicodeError):
        return None
    return repr(plain).lower() if plain else None


def _unescaped(match: re.Match[bytes]) -> bytes:
    r"""Turn ``\,`` and ``\2c`` into the same."""
    return match[1] if len(match[1]) == 1 else bytes.fromhex(match[1].decode())


def domain_of(*dns: str | None) -> str | None:
    """Give the root of the first tree that is named: all ``dc=`` at the end of a DN."""
    for dn in filter(None, dns):
        parts = dn.split(",")
        first = len(parts)
        while first and parts[first - 1].strip().lower().startswith("dc="):
            first -= 1
        if first < len(parts):
            return ",".join(parts[first:]).strip()
    return None
