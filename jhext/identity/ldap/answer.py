"""An entry and its groups, as fields of an identity. Nothing is checked here."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from jhext.identity.errors import IdentityRefused, Reason
from jhext.identity.ids import shown
from jhext.identity.sid import Slices, parse
from jhext.identity.source import Answer, Field

from .active_directory import primary_group
from .entry import DirectoryGroup, Entry

POSIX: Mapping[Field, tuple[str, ...]] = {
    "uid": ("uidNumber",),
    "gid": ("gidNumber",),
    "home": ("homeDirectory",),
    "shell": ("loginShell",),
    "gecos": ("gecos", "displayName", "cn"),
    "email": ("mail",),
    "subject": ("entryUUID",),
}
"""The attributes of each field, of which the first that is there counts (RFC 2307)."""

ACTIVE_DIRECTORY: Mapping[Field, tuple[str, ...]] = {
    **POSIX,
    "home": ("unixHomeDirectory",),  # homeDirectory is a path of Windows
    "subject": ("objectGUID",),
}
"""The same in Active Directory."""

_DESCRIPTIVE: frozenset[Field] = frozenset({"gecos", "email"})


def answer_of(
    entry: Entry,
    groups: Iterable[DirectoryGroup],
    fields: Mapping[Field, tuple[str, ...]],
    claims: Iterable[str] = (),
) -> Answer:
    """Give the fields of a person.

    Parameters
    ----------
    entry
        The person.
    groups
        The person's groups; those without a number are left out.
    fields
        The attributes of each field.
    claims
        The attributes that access rules may read.

    Raises
    ------
    IdentityRefused
        When an attribute that decides something has several values.
    """
    known = entry.to_json()
    answer: dict[str, Any] = {field: _value(entry, field, fields[field]) for field in fields}
    answer["username"] = entry.name
    answer["groups"] = [{"name": g.name, "gid": g.gid} for g in groups if g.gid is not None]
    answer["claims"] = {name: known[name.lower()] for name in claims if name.lower() in known}
    return answer


def answer_by_sid(
    entry: Entry, groups: Iterable[DirectoryGroup], answer: Answer, slices: Slices
) -> Answer:
    """Replace all ids by those that SSSD gives to the SIDs.

    Raises
    ------
    IdentityRefused
        When the person has no SID that gives an id.
    """
    rid, sids = entry.text("primaryGroupID"), entry.raw("objectSid")
    try:
        own = parse(sids[0])
        uid = slices.id_of(own, own.domain)
        gid = slices.id_of(parse(primary_group(sids[0], rid or "")), own.domain)
    except (IndexError, OverflowError, ValueError) as error:
        raise IdentityRefused(Reason.INVALID, f"the SID of {shown(entry.dn)}: {error}") from None
    found = []
    for group in groups:
        try:
            number = slices.id_of(parse(group.sid or b""), own.domain)
        except ValueError:
            continue  # built-in groups, and domains whose slice is another's
        found.append({"name": group.name, "gid": number})
    return {**answer, "uid": uid, "gid": gid, "groups": found}


def _value(entry: Entry, field: Field, attributes: Iterable[str]) -> str | None:
    for attribute in attributes:
        if attribute.lower() == "objectguid":
            if raw := entry.raw(attribute):
                return str(uuid.UUID(bytes_le=raw[0]))
        elif field in _DESCRIPTIVE:
            # Values have no order: the same one every time is the one that sorts first.
            if values := entry.texts(attribute):
                return min(values)
        elif (value := entry.text(attribute)) is not None:
            return value
    return None
