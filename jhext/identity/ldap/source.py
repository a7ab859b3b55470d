"""Identities from a directory, looked up by the hub's own account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from jhext.identity.errors import IdentityRefused, Reason
from jhext.identity.ids import shown
from jhext.identity.sid import Slices
from jhext.identity.source import Answer, Field, Person, Source

from .answer import answer_by_sid, answer_of
from .directory import Directory
from .standing import standing


class LdapSource(Source):
    """Asks OpenLDAP or Active Directory.

    Parameters
    ----------
    name
        The name of the source.
    directory
        Whom to ask.
    fields
        The attributes of each field.
    claims
        The attributes that access rules may read.
    slices
        How SIDs become ids. None: the directory has ids of its own.
    """

    def __init__(
        self,
        name: str,
        directory: Directory,
        fields: Mapping[Field, tuple[str, ...]],
        *,
        claims: Iterable[str] = (),
        slices: Slices | None = None,
    ) -> None:
        super().__init__(name)
        self._directory = directory
        self._fields = dict(fields)
        self._claims = tuple(claims)
        self._slices = slices

    async def lookup(self, person: Person) -> Answer | None:
        """Ask about a person; see `Source.lookup`."""
        entry = await self._directory.find(person.name)
        if entry is None:
            return None
        if cause := standing(entry, datetime.now(UTC)):
            raise IdentityRefused(Reason.INVALID, f"the account of {shown(entry.dn)}: {cause}")
        groups = await self._directory.groups_of(entry)
        answer = answer_of(entry, groups, self._fields, self._claims)
        if self._slices is None:
            return answer
        return answer_by_sid(entry, groups, answer, self._slices)

    async def close(self) -> None:
        """Close the connections."""
        await self._directory.close()
