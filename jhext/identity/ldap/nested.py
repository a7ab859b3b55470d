"""The groups of a person, the groups of these groups, and so on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from jhext.identity.errors import IdentityUnavailable

from . import filters
from .active_directory import primary_group
from .entry import Entry
from .layout import Layout, Nesting
from .messages import Found, Scope, Search

Ask = Callable[[Search], Awaitable[list[Found]]]

ATTRIBUTES = ("gidNumber", "objectSid", "primaryGroupID")
"""What has to be asked for of people."""
MEMBER_OF = "memberOf"
"""The attribute of people and groups that says which groups they are in."""
MAX_DEPTH = 32
"""How many levels of groups are followed; a circle ends by itself, as each group counts once."""
MAX_GROUPS = 5000
"""How many groups a person may be in."""
PAGE_SIZE = 500
"""How many groups are sent at a time; Active Directory sends no more than 1,000."""

_TERMS = 60  # values in one filter: it is encoded in the event loop, in some milliseconds
_DOMAIN = bytes((1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0))  # the beginning of S-1-5-21-…, with a RID


def said(layout: Layout) -> list[str]:
    """Give what people and groups have to be asked for where they say their groups themselves."""
    return [key for key in layout.member_attributes if key.lower() == MEMBER_OF.lower()]


async def groups_of(layout: Layout, entry: Entry, ask: Ask) -> list[Found]:
    """List the groups of a person.

    Parameters
    ----------
    layout
        Where groups are, and how the groups of groups are found.
    entry
        The person.
    ask
        Asks the directory, for all or nothing.

    Raises
    ------
    IdentityUnavailable
        When it does not answer, may not say, or there are too many.
    """
    # Only Active Directory has SIDs. Another server answers IN_CHAIN with success and nothing.
    sids = entry.raw("objectSid")
    if layout.nesting is Nesting.TOKEN_GROUPS and sids:
        return await _token_groups(layout, entry, ask)
    if layout.nesting is Nesting.IN_CHAIN and sids:
        return await _in_chain(layout, entry, ask)
    direct = _naming(layout, entry.dn, entry.attributes, entry.name)
    found = await _search(layout, [*direct, *_primary(entry)], ask)
    if layout.nesting is Nesting.NONE:
        return found
    return await _walk(layout, found, ask)


def _naming(
    layout: Layout, dn: str, says: Mapping[str, Sequence[bytes]], name: str | None = None
) -> list[str]:
    """Look for the groups of one: those that name it, and those that it names itself."""
    wanted = []
    for key in layout.member_attributes:
        if key.lower() == MEMBER_OF.lower():
            wanted += [filters.equal("entryDN", group) for group in says.get(key.lower(), ())]
        elif key.lower() != "memberuid":
            wanted.append(filters.equal(key, dn))
        elif name is not None:
            wanted.append(filters.equal(key, name))
    return wanted


def _primary(entry: Entry) -> list[str]:
    """Look for the primary group, which has no list of its members: by its number."""
    wanted = []
    if gid := entry.text("gidNumber"):
        wanted.append(filters.equal("gidNumber", gid))
    rid, sids = entry.text("primaryGroupID"), entry.raw("objectSid")
    if rid and sids:
        wanted.append(filters.equal("objectSid", primary_group(sids[0], rid)))
    return wanted


async def _walk(layout: Layout, found: list[Found], ask: Ask) -> list[Found]:
    known = {group.dn.lower(): group for group in found}
    fresh = list(known.values())
    for _ in range(MAX_DEPTH):
        wanted = [one for group in fresh for one in _naming(layout, group.dn, group.attributes)]
        if not wanted:
            return list(known.values())
        fresh = []
        for group in await _search(layout, wanted, ask):
            if group.dn.lower() not in known:
                known[group.dn.lower()] = group
                fresh.append(group)
        if len(known) > MAX_GROUPS:
            break
    raise IdentityUnavailable("more groups of groups than are followed", transient=False)


async def _token_groups(layout: Layout, entry: Entry, ask: Ask) -> list[Found]:
    """Ask for the SIDs that a logon gives the person, then for the groups that have them."""
    own = await ask(Search(base=entry.dn, attributes=["tokenGroups"], scope=Scope.BASE))
    sids = own[0].attributes.get("tokengroups", ()) if own else ()
    if not sids:  # everybody has a primary group, so this is not an answer
        raise IdentityUnavailable(
            "tokenGroups cannot be read: let the hub's account read it, or use in_chain",
            transient=False,
        )
    wanted = [filters.equal("objectSid", sid) for sid in sids if sid.startswith(_DOMAIN)]
    return await _search(layout, [*wanted, *_primary(entry)], ask)


async def _in_chain(layout: Layout, entry: Entry, ask: Ask) -> list[Found]:
    """Have the server follow the groups; the primary group is not a part of such a chain."""
    primary = await _search(layout, _primary(entry), ask)
    members = [entry.dn, *(group.dn for group in primary)]
    found = await _search(layout, [filters.in_chain("member", dn) for dn in members], ask)
    return list({group.dn.lower(): group for group in (*primary, *found)}.values())


async def _search(layout: Layout, wanted: Sequence[str], ask: Ask) -> list[Found]:
    """Find groups by any of several filters, each group once."""
    found: dict[str, Found] = {}
    for part in _parts(wanted):
        question = Search(
            base=layout.group_base or "",
            filter=filters.all_of([layout.group_filter, filters.any_of(part)]),
            attributes=[layout.group_name_attribute, "gidNumber", "objectSid", *said(layout)],
            page_size=PAGE_SIZE,
        )
        found |= {group.dn.lower(): group for group in await ask(question)}
    return list(found.values())


def _parts(wanted: Sequence[str]) -> Iterable[Sequence[str]]:
    return (wanted[first : first + _TERMS] for first in range(0, len(wanted), _TERMS))
