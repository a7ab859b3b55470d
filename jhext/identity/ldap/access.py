"""The way to a directory: its servers, the hub's own account there, encryption, limits."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit

MAX_PASSWORD = 1024
"""How long a password may be, in bytes: nobody's is longer, and a directory would hash it all."""


class Tls(Enum):
    """When a connection is encrypted."""

    ON_CONNECT = "on_connect"
    """From its first byte: ldaps."""
    START_TLS = "start_tls"
    """Before anything else is said."""
    NONE = "none"
    """Never: passwords can be read on the way."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server of a directory.

    Parameters
    ----------
    host
        Its name, which its certificate has to be for.
    port
        Its TCP port.
    tls
        When connections to it are encrypted.
    """

    host: str
    port: int
    tls: Tls

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def parse_server(url: str, *, allow_plaintext: bool = False) -> Server:
    """Read the address of a server.

    Parameters
    ----------
    url
        ``ldaps://host`` or ``ldap://host``, with a port where it is not the usual one.
    allow_plaintext
        Whether ``ldap`` means no encryption; otherwise it means StartTLS.

    Raises
    ------
    ValueError
        When it is something else.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("ldaps", "ldap") or not parts.hostname:
        raise ValueError("is neither ldaps://host nor ldap://host")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("has more in it than a host and a port")
    if parts.scheme == "ldaps":
        return Server(parts.hostname, parts.port or 636, Tls.ON_CONNECT)
    tls = Tls.NONE if allow_plaintext else Tls.START_TLS
    return Server(parts.hostname, parts.port or 389, tls)


def verified_context(ca_file: str | None = None) -> ssl.SSLContext:
    """Make the TLS settings that accept only a server whose name is in a trusted certificate.

    Parameters
    ----------
    ca_file
        Certificates to trust in place of the system's.

    Raises
    ------
    OSError
        When the file cannot be read.
    ssl.SSLError
        When it holds no certificates.
    """
    return ssl.create_default_context(cafile=ca_file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a directory is reached.

    Parameters
    ----------
    servers
        Its servers, all with the same content; the first that answers is asked.
    bind_dn
        The name of the hub's own account for look-ups. None: they are anonymous.
    bind_password
        Reads the password of that account, for each new connection anew.
    context
        Makes the TLS settings. It is called in a thread, once.
    timeout
        Seconds for a connection, TLS and the hub's own bind included, and for each answer.
    deadline
        Seconds for one question, fail-over included.
    connections
        How many connections may be open for look-ups, and again for checks of passwords.
    max_bytes
        How long one message from a server may be, in bytes.
    """

    servers: tuple[Server, ...]
    bind_dn: str | None = None
    bind_password: Callable[[], str] | None = field(default=None, repr=False)
    context: Callable[[], ssl.SSLContext] = verified_context
    timeout: float = 5
    deadline: float = 12
    connections: int = 10
    max_bytes: int = 8_388_608

    def __post_init__(self) -> None:
        if not self.servers:
            raise ValueError("a directory needs a server")
