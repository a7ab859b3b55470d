"""LDAP's messages as bytes (RFC 4511), in ldap3's encoding. Pure: nothing is sent here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from ldap3 import SIMPLE
from ldap3.operation.bind import bind_operation
from ldap3.operation.extended import extended_operation
from ldap3.operation.search import search_operation
from ldap3.protocol.rfc2696 import paged_search_control
from ldap3.protocol.rfc4511 import Controls, LDAPMessage, MessageID, ProtocolOp
from ldap3.utils.asn1 import decode_message_fast, decode_sequence, encode

from .inbox import GarbledError

_START_TLS = "1.3.6.1.4.1.1466.20037"
_PAGED_RESULTS = b"1.2.840.113556.1.4.319"
_NEVER_DEREFERENCE = 0
_LDAP_VERSION = 3


class Kind(IntEnum):
    """What a server answers with; its values are the tags of the protocol."""

    BIND = 1
    ENTRY = 4
    DONE = 5
    REFERENCE = 19
    EXTENDED = 24
    INTERMEDIATE = 25


class Scope(IntEnum):
    """How deep a search goes."""

    BASE = 0
    SUBTREE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A question.

    Parameters
    ----------
    base
        Where in the tree it begins.
    filter
        What is looked for, in the form of RFC 4515.
    attributes
        What is wanted of each entry.
    scope
        How deep it goes.
    size_limit
        How many entries the server may send; 0 for as many as there are.
    page_size
        How many entries it may send at a time; 0 for all at once.
    """

    base: str
    filter: str = "(objectClass=*)"
    attributes: Sequence[str] = ()
    scope: Scope = Scope.SUBTREE
    size_limit: int = 0
    page_size: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """An entry as it came: its DN, and the values of attributes under their names in lower case."""

    dn: str
    attributes: dict[str, tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ended.

    Parameters
    ----------
    code
        The result code of RFC 4511, 4.1.9.
    message
        The server's own text.
    cookie
        Where the next page begins; empty after the last one.
    """

    code: int
    message: str
    cookie: bytes = b""


@dataclass(frozen=True, slots=True)
class Message:
    """One message from a server."""

    number: int
    kind: Kind
    content: Found | Outcome | None


def bind(number: int, name: str, password: str) -> bytes:
    """Write a simple bind.

    The password goes as UTF-8, unprepared, as with SSSD and ldapsearch: ldap3 would apply SASLprep,
    which changes some passwords and refuses every character younger than 2002.
    """
    request = _built(bind_operation, _LDAP_VERSION, SIMPLE, name, password.encode())
    return _message(number, "bindRequest", request)


def start_tls(number: int) -> bytes:
    """Write the wish to encrypt what follows."""
    return _message(number, "extendedReq", _built(extended_operation, _START_TLS))


def search(number: int, question: Search, cookie: bytes = b"") -> bytes:
    """Write a search, or the wish for its next page."""
    request = _built(
        search_operation,
        question.base,
        question.filter,
        question.scope,
        _NEVER_DEREFERENCE,
        list(question.attributes) or ["1.1"],  # none at all
        question.size_limit,
        0,
        False,
        False,
        False,
    )
    controls = None
    if question.page_size:
        controls = Controls()
        controls[0] = paged_search_control(False, question.page_size, cookie)
    return _message(number, "searchRequest", request, controls)


def decode(data: bytes) -> Message:
    """Read a message.

    Raises
    ------
    GarbledError
        When it is none.
    """
    try:
        message = decode_message_fast(data)
        kind = Kind(message["protocolOp"])
        content: Found | Outcome | None = None
        if kind is Kind.ENTRY:
            content = _found(message["payload"])
        elif kind not in (Kind.REFERENCE, Kind.INTERMEDIATE):
            content = _outcome(message["payload"], message["controls"] or ())
        return Message(int(message["messageID"]), kind, content)
    except Exception as error:  # the decoder trusts its input and fails in many ways
        raise GarbledError(f"an answer that is no LDAP ({type(error).__name__})") from None


def _built(operation: Any, *arguments: Any) -> Any:
    """Build a request."""
    try:
        return operation(*arguments)
    except Exception as error:  # ldap3 and pyasn1 refuse with exceptions of their own
        raise GarbledError(f"a request that is no LDAP ({type(error).__name__})") from None


def _message(number: int, kind: str, request: Any, controls: Any = None) -> bytes:
    message = LDAPMessage()
    message["messageID"] = MessageID(number)
    message["protocolOp"] = ProtocolOp().setComponentByName(kind, request)
    if controls is not None:
        message["controls"] = controls
    return bytes(encode(message))


def _found(payload: Any) -> Found:
    attributes = {
        bytes(name).decode().lower(): tuple(bytes(value[3]) for value in values)
        for name, values in ((parts[3][0][3], parts[3][1][3]) for parts in payload[1][3])
    }
    return Found(bytes(payload[0][3]).decode(), attributes)


def _outcome(payload: Any, controls: Any) -> Outcome:
    return Outcome(
        int(payload[0][3]), bytes(payload[2][3]).decode(errors="replace"), _cookie(controls)
    )


def _cookie(controls: Any) -> bytes:
    for _, _, _, parts in controls:
        if bytes(parts[0][3]) == _PAGED_RESULTS:
            value = parts[-1][3]
            return bytes(decode_sequence(value, 0, len(value))[0][3][1][3])
    return b""
