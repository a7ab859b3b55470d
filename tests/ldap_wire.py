"""A stand-in for a directory server, for what no real one can be brought to do on demand.

It speaks LDAP (RFC 4511) on loopback, with the codecs of ldap3 and pyasn1: ranges of values and
the limit of 1,000 rows as Active Directory has them, any answer to a bind, garbage, silence, delay.
Everything else is tested with real servers.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Self

from ldap3.operation.bind import bind_response_operation
from ldap3.protocol import rfc4511
from ldap3.utils.asn1 import compute_ber_size
from pyasn1.codec.ber import encoder
from pyasn1.type.namedtype import NamedType, NamedTypes
from pyasn1.type.univ import Integer, OctetString, Sequence

# Tags of RFC 4511.
_KINDS = {0x60: "bind", 0x42: "unbind", 0x63: "search"}
_AND, _OR, _EQUAL, _PRESENT = 0xA0, 0xA1, 0xA3, 0x87
_CONSTRUCTED = 0x20
_SUBTREE = b"\2"
Tree = list[tuple[int, Any]]

PAGED = "1.2.840.113556.1.4.319"
SUCCESS, SIZE_LIMIT, INVALID_CREDENTIALS = 0, 4, 49
Attributes = dict[str, list[bytes]]


class Mood(Enum):
    """How the server meets whoever asks."""

    ANSWERS = "answers"
    GARBAGE = "garbage"
    """It sends bytes that are no LDAP."""
    SILENT = "silent"
    """It takes the connection and says nothing, ever."""


class Page(Sequence):
    """The value of the control for paged results (RFC 2696)."""

    componentType = NamedTypes(  # noqa: N815 - pyasn1's name
        NamedType("size", Integer()), NamedType("cookie", OctetString())
    )


@dataclass
class WireServer:
    """The server, open inside of ``async with``, in the event loop of a test.

    Attributes
    ----------
    entries
        DNs with their attributes.
    passwords
        The names that can be bound, in lower case, with their passwords.
    comments
        What a refused bind of a name is told, as Active Directory does with its sub-codes.
    delay
        Seconds before each answer.
    row_limit
        How many entries one answer holds at most; 0 for all.
    range_limit
        How many values of an attribute one answer holds at most; 0 for all.
    asked
        What it has been asked so far: ``bind``, ``search`` and so on.
    sent_passwords
        The passwords that have come in.
    """

    entries: Mapping[str, Attributes] = field(default_factory=dict)
    passwords: Mapping[str, str] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)
    mood: Mood = Mood.ANSWERS
    delay: float = 0
    row_limit: int = 0
    range_limit: int = 0
    port: int = 0
    asked: list[str] = field(default_factory=list)
    sent_passwords: list[bytes] = field(default_factory=list)
    _calls: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.current_task()
        assert call
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        with (
            contextlib.suppress(
                asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError
            ),
            contextlib.closing(writer),
        ):
            while True:
                ((_, request),) = _parsed(await _message(reader))
                if self.mood is Mood.SILENT:
                    await asyncio.Event().wait()
                if self.mood is Mood.GARBAGE:
                    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    await writer.drain()
                    return
                number, (tag, operation), *controls = request
                kind = _KINDS[tag]
                self.asked.append(kind)
                if kind == "unbind":
                    return
                await asyncio.sleep(self.delay)
                answers = (
                    [("bindResponse", self._bind(operation))]
                    if kind == "bind"
                    else self._search(operation, controls[0][1] if controls else [])
                )
                writer.writelines(_reply(number[1], *answer) for answer in answers)
                await writer.drain()

    def _bind(self, operation: Any) -> Any:
        _, (_, dn), (_, password) = operation
        name = dn.decode().lower()
        if not name:
            return bind_response_operation(SUCCESS)
        self.sent_passwords.append(password)
        if self.passwords.get(name, "").encode() == password and password:
            return bind_response_operation(SUCCESS)
        comment = self.comments.get(name, "")
        return bind_response_operation(INVALID_CREDENTIALS, diagnostic_message=comment)

    def _search(self, operation: Tree, controls: Tree) -> Iterator[tuple[str, Any, Any]]:
        (_, dn), (_, depth), _, (_, limit), _, _, condition, (_, names) = operation
        base = dn.decode().lower()
        found = [
            (dn, attributes)
            for dn, attributes in self.entries.items()
            if (dn.lower() == base or (depth == _SUBTREE and dn.lower().endswith("," + base)))
            and _matches(condition, _folded(attributes))
        ]
        start, size = 0, int.from_bytes(limit) or len(found)
        if controls:  # the only one that is ever sent: the wish for a page
            ((_, ((_, wanted), (_, cookie))),) = _parsed(controls[0][1][-1][1])
            start, size = int(cookie or b"0"), int.from_bytes(wanted)
        size = min(size, self.row_limit or size)
        asked = [name.decode() for _, name in names]
        for dn, attributes in found[start : start + size]:
            yield "searchResEntry", self._entry(dn, attributes, asked), None
        more = start + size < len(found)
        result = rfc4511.SearchResultDone()
        result["resultCode"] = SIZE_LIMIT if more and not controls else SUCCESS
        result["matchedDN"] = result["diagnosticMessage"] = ""
        page = None
        if controls:
            page = Page()
            page["size"], page["cookie"] = 0, str(start + size).encode() if more else b""
        yield "searchResDone", result, page

    def _entry(self, dn: str, attributes: Attributes, asked: list[str]) -> Any:
        result = rfc4511.SearchResultEntry()
        result["object"] = dn
        result["attributes"] = rfc4511.PartialAttributeList()
        wanted = dict(_wanted(name) for name in asked)
        for name, values in attributes.items():
            if name.lower() not in wanted and "*" not in wanted:
                continue
            attribute = rfc4511.PartialAttribute()
            attribute["type"], attribute["vals"] = name, rfc4511.Vals()
            start = wanted.get(name.lower(), 0)
            if self.range_limit and (start or len(values) > self.range_limit):
                end = start + self.range_limit
                last = "*" if end >= len(values) else end - 1
                attribute["type"] = f"{name};range={start}-{last}"
                values = values[start:end]
            attribute["vals"].extend(values)
            result["attributes"].append(attribute)
        return result


def _wanted(name: str) -> tuple[str, int]:
    """Read the name of an attribute, and at which of its values to begin."""
    match = re.fullmatch(r"([^;]+)(?:;range=(\d+)-(?:\d+|\*))?", name)
    assert match, name
    return match[1].lower(), int(match[2] or 0)


def _folded(attributes: Attributes) -> dict[str, set[bytes]]:
    """Give names and values as they are compared: in small letters."""
    return {name.lower(): {item.lower() for item in items} for name, items in attributes.items()}


def _matches(condition: tuple[int, Any], known: Mapping[str, set[bytes]]) -> bool:
    tag, value = condition
    if tag == _AND:
        return all(_matches(inner, known) for inner in value)
    if tag == _OR:
        return any(_matches(inner, known) for inner in value)
    if tag == _PRESENT:
        return value.decode().lower() in {"objectclass", *known}
    assert tag == _EQUAL, hex(tag)
    (_, name), (_, wanted) = value
    return wanted.lower() in known.get(name.decode().lower(), ())


def _reply(number: bytes, kind: str, operation: Any, page: Page | None = None) -> bytes:
    message = rfc4511.LDAPMessage()
    message["messageID"] = int.from_bytes(number)
    message["protocolOp"] = rfc4511.ProtocolOp().setComponentByName(kind, operation)
    if page is not None:
        control = rfc4511.Control()
        control["controlType"], control["controlValue"] = PAGED, encoder.encode(page)
        message["controls"] = rfc4511.Controls().setComponents(control)
    return bytes(encoder.encode(message))


def _parsed(data: bytes) -> Tree:
    """Read BER as tags and values; pyasn1 cannot decode the filters that ldap3 describes."""
    parts, at = [], 0
    while at < len(data):
        length, offset = compute_ber_size(data[at:])
        value = data[at + offset : at + offset + length]
        parts.append((data[at], _parsed(value) if data[at] & _CONSTRUCTED else value))
        at += offset + length
    return parts


async def _message(reader: asyncio.StreamReader) -> bytes:
    """Read one message: its tag, its length, and as much as that says."""
    head = await reader.readexactly(2)
    length = head[1]
    if length & 0x80:
        octets = await reader.readexactly(length & 0x7F)
        head, length = head + octets, int.from_bytes(octets)
    return head + await reader.readexactly(length)


def campus(people: int, groups: int) -> WireServer:
    """Make a server that knows ``user0`` and so on, each of them in all groups."""
    dns = [f"uid=user{number},ou=people,dc=example,dc=org" for number in range(people)]
    members = [dn.encode() for dn in dns]
    entries: dict[str, Attributes] = {}
    for number, dn in enumerate(dns):
        entries[dn] = {
            "objectClass": [b"posixAccount"],
            "uid": [b"user%d" % number],
            "uidNumber": [b"%d" % (20000 + number)],
            "gidNumber": [b"30000"],
        }
    for number in range(groups):
        entries[f"cn=group{number},ou=groups,dc=example,dc=org"] = {
            "objectClass": [b"groupOfNames"],
            "cn": [b"group%d" % number],
            "member": members,
        }
    passwords = {dn: f"{dn[4:].partition(',')[0]}-pw" for dn in dns}
    return WireServer(entries, passwords)


async def _serve(server: WireServer) -> None:
    """Serve, and tell for each line that comes in how much has been asked so far."""

    def count() -> None:
        sys.stdin.readline()
        print(len(server.asked), flush=True)

    async with server:
        print(server.port, flush=True)
        asyncio.get_running_loop().add_reader(sys.stdin, count)
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serve a directory until it is ended.")
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--groups", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0)
    options = parser.parse_args()
    served = campus(options.people, options.groups)
    served.delay = options.delay
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(served))
