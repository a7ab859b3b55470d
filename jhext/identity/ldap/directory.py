"""A directory, asked about people."""

from __future__ import annotations

import logging
from dataclasses import replace

from jhext.identity.errors import IdentityRefused, IdentityUnavailable, Reason
from jhext.identity.ids import shown

from . import filters, nested, standing
from .access import MAX_PASSWORD, Access
from .active_directory import Slice, slice_of
from .client import SUCCESS, Client, complete, unavailable
from .entry import DirectoryGroup, Entry
from .errors import Cause, LoginRefused
from .layout import Layout
from .messages import Found, Scope, Search
from .names import own_name
from .refusals import cause_of

_Log = logging.Logger | logging.LoggerAdapter[logging.Logger]

_SIZE_LIMIT, _NO_SUCH_OBJECT = 4, 32  # RFC 4511, 4.1.9
_TREES = ("defaultNamingContext", "namingContexts")  # the first is Active Directory's
_PARTS = 64  # of one attribute; Active Directory sends 1,500 values in each


class Directory:
    """Answers who somebody is, whether a password is theirs, and which groups they are in.

    Nothing of it blocks the event loop. It may be used by many tasks of one loop at a time.

    Parameters
    ----------
    access
        How it is reached.
    layout
        Where people and groups are in it.
    log
        Where it is noted what was passed over.
    """

    def __init__(self, access: Access, layout: Layout, log: _Log | None = None) -> None:
        self._layout = layout
        self._log = log or logging.getLogger(__name__)
        self._client = Client(access)
        self._root = ""

    @property
    def operations(self) -> int:
        """How many binds and searches there were; further pages are not counted."""
        return self._client.operations

    async def find(self, login: str) -> Entry | None:
        """Find the person with a login name, or None.

        What the directory's rules call equal is not enough: but for upper and lower case the entry
        has to have the name as it was typed. Otherwise accents could make two people of one.

        Raises
        ------
        IdentityRefused
            When it could be several people, or the entry has no name that could be theirs alone.
        IdentityUnavailable
            When the directory does not answer.
        """
        layout = self._layout
        try:
            wanted = filters.any_of(filters.equal(key, login) for key in layout.login_attributes)
        except UnicodeEncodeError:
            return None
        async with self._client.in_time():
            question = Search(
                base=await self._base(layout.user_base),
                filter=filters.all_of([layout.user_filter, wanted]),
                attributes=self._wanted(),
                size_limit=2,
            )
            found, outcome = await self._client.search(question)
            if len(found) > 1:
                raise IdentityRefused(Reason.INVALID, f"{shown(login)} could be several entries")
            complete(outcome, question)
            if not found:
                return None
            entry = await self._complete(found[0])
        known = {text for key in layout.login_attributes for text in entry.texts(key)}
        if login.lower() not in {text.lower() for text in known}:
            self._log.warning("%s is only similar to %s", shown(login), shown(entry.dn))
            return None
        return entry

    async def read(self, dn: str) -> Entry | None:
        """Give the person with a DN, or None.

        Raises
        ------
        IdentityRefused
            When the entry has no name that could be theirs alone.
        IdentityUnavailable
            When the directory does not answer.
        """
        question = Search(
            base=dn,
            filter=self._layout.user_filter,
            attributes=self._wanted(),
            scope=Scope.BASE,
        )
        async with self._client.in_time():
            found, outcome = await self._client.search(question)
            if outcome.code == _NO_SUCH_OBJECT:
                return None
            complete(outcome, question)
            return await self._complete(found[0]) if found else None

    async def search(self, question: Search) -> list[Entry]:
        """Ask another question. The entries have no names, and a base that is not there has none.

        Raises
        ------
        IdentityRefused
            When nobody says where to look.
        IdentityUnavailable
            When the directory does not answer, or not with everything.
        """
        async with self._client.in_time():
            question = replace(question, base=await self._base(question.base))
            found, outcome = await self._client.search(question)
        as_wished = outcome.code == _SIZE_LIMIT and 0 < question.size_limit <= len(found)
        if outcome.code != _NO_SUCH_OBJECT and not as_wished:
            complete(outcome, question)
        return [Entry(entry.dn, entry.attributes) for entry in found]

    async def reach(self) -> None:
        """See whether a server answers, encrypted as it should be.

        Raises
        ------
        IdentityUnavailable
            When none does.
        """
        async with self._client.in_time():
            await self._client.search(Search(base="", scope=Scope.BASE))

    async def authenticate(self, name: str, password: str) -> None:
        """Check a password, on a connection on which nothing else is asked.

        Parameters
        ----------
        name
            The DN of the person, or another name that the directory binds.
        password
            What was typed. One that is blank, too long or has a NUL in it is never sent.

        Raises
        ------
        LoginRefused
            When it is not theirs, or the account may not log in.
        IdentityUnavailable
            When the directory does not answer.
        """
        try:
            length = len(password.encode())
        except UnicodeEncodeError:
            length = 0
        # A bind with a name and no password succeeds and proves nothing (RFC 4513, 5.1.2).
        if not name or not password.strip() or "\0" in password or not 0 < length <= MAX_PASSWORD:
            raise LoginRefused(Cause.CREDENTIALS, "blank, too long or no text: not sent")
        async with self._client.in_time():
            outcome = await self._client.bind(name, password)
        if outcome.code == SUCCESS:
            return
        cause = cause_of(outcome)
        if cause is None:
            raise unavailable("a login", outcome)
        raise LoginRefused(cause, f"{cause}: result {outcome.code} {outcome.message[:300]!a}")

    async def groups_of(self, entry: Entry) -> tuple[DirectoryGroup, ...]:
        """List the groups of a person, sorted by name; nested and primary ones are among them.

        Raises
        ------
        IdentityRefused
            When nobody says where to look.
        IdentityUnavailable
            When the directory does not answer, or not with all of them.
        """
        if self._layout.group_base is None:
            return ()
        groups = []
        async with self._client.in_time():
            layout = replace(self._layout, group_base=await self._base(self._layout.group_base))
            for found in await nested.groups_of(layout, entry, self._client.all):
                group = Entry(found.dn, found.attributes)
                name = own_name(group, self._layout.group_name_attribute)
                if name is None:
                    self._log.warning("group %s left out: no name of its own", shown(found.dn))
                    continue
                gids, sids = group.texts("gidNumber"), group.raw("objectSid")
                gid = gids[0] if len(gids) == 1 else None
                groups.append(DirectoryGroup(name, gid, found.dn, sids[0] if sids else None))
        return tuple(sorted(groups, key=lambda group: (group.name, group.dn)))

    async def close(self) -> None:
        """Close the connections. It may be asked again afterwards."""
        self._client.close()

    async def _base(self, configured: str) -> str:
        """Give where to look: where nobody says it, in the only tree, or the domain of a server."""
        if not (configured or self._root):
            wanted = Search(base="", attributes=_TREES, scope=Scope.BASE)
            roots = await self._client.all(wanted)
            named = [root.attributes.get(key.lower(), ()) for root in roots for key in _TREES]
            self._root = next((trees[0].decode() for trees in named if len(trees) == 1), "")
            if not self._root:
                text = "the directory does not say where people and groups are: name the bases"
                raise IdentityRefused(Reason.INVALID, text)
        return configured or self._root

    def _wanted(self) -> tuple[str, ...]:
        layout = self._layout
        own = (layout.name_attribute, *layout.login_attributes)
        groups = (*nested.ATTRIBUTES, *nested.said(layout))
        asked = (*own, *groups, *standing.ATTRIBUTES, *layout.attributes)
        return tuple(dict.fromkeys(asked))

    async def _complete(self, found: Found) -> Entry:
        """Fetch what Active Directory sends in parts, and give the entry its name."""
        attributes = dict(found.attributes)
        for key in found.attributes:
            if (part := slice_of(key)) is not None:
                attributes[part.name] = await self._joined(found.dn, part, attributes.pop(key))
        name = own_name(Entry(found.dn, attributes), self._layout.name_attribute)
        if name is None:
            raise IdentityRefused(
                Reason.INVALID,
                f"{shown(found.dn)} has no {self._layout.name_attribute}, or several",
            )
        return Entry(found.dn, attributes, name)

    async def _joined(self, dn: str, part: Slice, values: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Give all values of an attribute of which a first part has come."""
        for _ in range(_PARTS):
            if part.last is None:
                return values
            question = Search(base=dn, attributes=[part.following], scope=Scope.BASE)
            found = await self._client.all(question)
            parts = [
                (slice_of(key), more) for entry in found for key, more in entry.attributes.items()
            ]
            following = [(p, more) for p, more in parts if p is not None and p.name == part.name]
            if len(following) != 1:
                break
            part, more = following[0]
            values += more
        raise IdentityUnavailable(f"{shown(dn)}: {part.name} came in part only", transient=False)
