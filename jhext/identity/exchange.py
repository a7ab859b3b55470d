"""Allocated ids in the forms in which other systems read and write them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from enum import StrEnum
from typing import Any

from . import names
from .allocate import Allocated, Kind
from .errors import BadValueError
from .ids import parse_id, shown
from .ldif import attribute, entries

_POSIX = (
    (Kind.USER, "posixaccount", "uid", "uidNumber"),
    (Kind.GROUP, "posixgroup", "cn", "gidNumber"),
)
"""The classes of RFC 2307, with the attributes that have the name and the id."""


class Form(StrEnum):
    """How allocated ids are written."""

    JSON = "json"
    """Everything, for another registry."""
    PASSWD = "passwd"  # noqa: S105 - the name of a file
    """The people, a line of ``/etc/passwd`` each; their groups are their own."""
    GROUP = "group"
    """The groups, a line of ``/etc/group`` each."""
    LDIF = "ldif"
    """People and groups, as entries of the classes of RFC 2307."""


def write(entries: Iterable[Allocated], form: Form, base: str = "") -> Iterator[str]:
    """Write ids, line by line.

    What is reserved, and whoever has a name that is none on Unix, is only in the JSON.

    Parameters
    ----------
    entries
        The ids.
    form
        The form.
    base
        The distinguished name below which LDIF has ``ou=people`` and ``ou=groups``.
    """
    if form is Form.JSON:
        yield json.dumps([asdict(entry) for entry in entries], indent=2, ensure_ascii=False)
        return
    for entry in entries:
        if not _is_usable(entry):
            continue
        if form is Form.LDIF:
            yield from _ldif(entry, base)
        elif form is Form.PASSWD and entry.kind is Kind.USER:
            yield f"{entry.name}:x:{entry.number}:{entry.number}::/home/{entry.name}:/bin/bash"
        elif form is Form.GROUP and entry.kind is Kind.GROUP:
            yield f"{entry.name}:x:{entry.number}:"


def read(text: str, form: Form) -> list[Allocated]:
    """Read ids.

    Raises
    ------
    ValueError
        When something of it cannot be read; the text says which line or element.
    """
    if form is Form.JSON:
        listed = json.loads(text)
        if not isinstance(listed, list):
            raise ValueError("is no list of ids, as `jhext ids export` writes it")
        return [_entry(f"element {n}", element) for n, element in enumerate(listed, 1)]
    if form is Form.LDIF:
        return [_entry(where, raw) for where, raw in _from_ldif(text)]
    kind = Kind.USER if form is Form.PASSWD else Kind.GROUP
    lines = [(f"line {n}", line.split(":")) for n, line in enumerate(text.splitlines(), 1) if line]
    result = []
    for where, fields in lines:
        name, number = fields[0], fields[2] if len(fields) > 2 else None
        raw = {"kind": kind, "number": number, "holder": f"name:{name}", "name": name}
        result.append(_entry(where, raw))
    return result


def _entry(where: str, raw: Any) -> Allocated:
    try:
        if not isinstance(raw, dict) or raw.keys() != {"kind", "number", "holder", "name"}:
            raise BadValueError("has not the keys kind, number, holder and name")
        kind, number = Kind(raw["kind"]), parse_id(raw["number"])
        holder, name = raw["holder"], raw["name"]
        if not isinstance(holder, str) or ":" not in holder or not isinstance(name, str):
            raise BadValueError(f"{shown(holder)} is no holder such as name:ann")
        if name and holder == f"name:{name}":
            (names.user_name if kind is Kind.USER else names.group_name)(name)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return Allocated(kind, number, holder, name)


def _is_usable(entry: Allocated) -> bool:
    try:
        (names.user_name if entry.kind is Kind.USER else names.group_name)(entry.name)
    except BadValueError:
        return False
    return True


def _ldif(entry: Allocated, base: str) -> Iterator[str]:
    from ldap3.utils.dn import escape_rdn  # noqa: PLC0415 - it is large, and only LDIF needs it

    if entry.kind is Kind.USER:
        yield attribute("dn", f"uid={escape_rdn(entry.name)},ou=people,{base}")
        yield "objectClass: account"
        yield "objectClass: posixAccount"
        yield attribute("uid", entry.name)
        yield attribute("cn", entry.name)
        yield f"uidNumber: {entry.number}"
        yield f"gidNumber: {entry.number}"
        yield attribute("homeDirectory", f"/home/{entry.name}")
    else:
        yield attribute("dn", f"cn={escape_rdn(entry.name)},ou=groups,{base}")
        yield "objectClass: posixGroup"
        yield attribute("cn", entry.name)
        yield f"gidNumber: {entry.number}"
    yield ""


def _from_ldif(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give what entries say of ids; others than accounts and groups say nothing."""
    for line, found in entries(text):
        classes = {value.lower() for value in found.get("objectclass", [])}
        for kind, of, name, number in _POSIX:
            if of not in classes:
                continue
            where = f"line {line}: {of}"
            names_, numbers = found.get(name.lower(), []), found.get(number.lower(), [])
            if len(names_) != 1 or len(numbers) != 1:
                raise ValueError(f"{where} has not one {name} and one {number}")
            holder = f"name:{names_[0]}"
            yield (
                where,
                {"kind": kind, "number": numbers[0], "holder": holder, "name": names_[0]},
            )
