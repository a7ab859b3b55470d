"""How somebody is found in the directory, and what is found of them."""

from __future__ import annotations

from datetime import UTC, datetime

from ldap3.utils.conv import escape_filter_chars

from jhext.identity.errors import IdentityRefused, Reason
from jhext.identity.ids import shown
from jhext.identity.ldap import filters
from jhext.identity.ldap.answer import answer_of
from jhext.identity.ldap.directory import Directory
from jhext.identity.ldap.entry import DirectoryGroup, Entry
from jhext.identity.ldap.errors import Cause, LoginRefused
from jhext.identity.ldap.messages import Scope, Search
from jhext.identity.ldap.names import own_name
from jhext.identity.ldap.standing import standing
from jhext.identity.model import SCHEMA_VERSION

from .ldap_account import Account
from .ldap_options import dn_key
from .ldap_traits import DirectoryTraits

_DIRECT_MEMBERS = DirectoryTraits.group_search_filter.default_value


class LookingLDAPAuthenticator(DirectoryTraits):
    """What is asked of the directory about somebody, at a login and at a refresh alike."""

    async def _find(self, reader: Directory, login: str) -> Entry | None:
        """Find somebody by what they have typed."""
        wanted = self._lookup_filter(escape_filter_chars(login))
        return await (self._only(reader, wanted) if wanted else reader.find(login))

    def _lookup_filter(self, login: str) -> str | None:
        """Give the operator's own filter for what somebody has typed; None where there is none."""
        template = self.lookup_dn_search_filter
        if not self.lookup_dn or template in (None, "({login_attr}={login})"):
            return None
        return str(template.format(login_attr=self.user_attribute, login=login))

    async def _only(self, reader: Directory, wanted: str) -> Entry | None:
        """Find the one person whom a filter finds."""
        question = Search(base=self.user_search_base or "", filter=wanted, size_limit=2)
        found = await reader.search(question)
        if len(found) > 1:
            raise IdentityRefused(Reason.INVALID, f"{wanted} finds several entries")
        return await reader.read(found[0].dn) if found else None

    async def _check_name(self, reader: Directory, login: str, entry: Entry) -> None:
        """Refuse a name that is another entry's, too, or would be as the hub writes it."""
        name = entry.name if entry.name.isascii() else entry.name.lower()
        if name == entry.name and login.lower() == name.lower():
            return
        other = await self._only(reader, filters.equal(self._name_attribute, name))
        if other is None or other.dn != entry.dn:
            raise LoginRefused(Cause.AMBIGUOUS, f"{shown(name)} is not {shown(entry.dn)} alone")

    async def _account(self, reader: Directory, entry: Entry) -> Account:
        """Find out what matters about somebody, and whether the filters still find them.

        Raises
        ------
        LoginRefused
            They do not, or the account is not in use.
        """
        if cause := standing(entry, datetime.now(UTC)):
            raise LoginRefused(cause, f"the account is {cause}")
        if (wanted := self._lookup_filter("*")) is not None:  # whatever they have typed
            question = Search(base=entry.dn, filter=wanted, scope=Scope.BASE)
            if not await reader.search(question):
                raise LoginRefused(Cause.CREDENTIALS, f"{wanted} does not find them")
        if self.search_filter:
            username = entry.text(self.lookup_dn_user_dn_attribute or "") or entry.name
            wanted = self.search_filter.format(
                userattr=self.user_attribute, username=escape_filter_chars(username)
            )
            question = Search(base=self.user_search_base or "", filter=wanted, size_limit=2)
            if [other.dn for other in await reader.search(question)] != [entry.dn]:
                raise LoginRefused(Cause.CREDENTIALS, f"{wanted} does not find them alone")
        groups = await self._groups(reader, entry) if self._wants_groups else ()
        known = {dn_key(group.dn) or group.dn.lower() for group in groups}
        allowed = [
            dn
            for dn in self.allowed_groups or ()
            if (dn_key(dn) or dn.lower()) in known or await self._is_elsewhere(reader, dn, entry)
        ]
        identity = answer_of(entry, groups, self._fields, self.auth_state_attributes)
        return Account(entry, groups, tuple(allowed), {"version": SCHEMA_VERSION, **identity})

    async def _groups(self, reader: Directory, entry: Entry) -> tuple[DirectoryGroup, ...]:
        if self.group_search_filter == _DIRECT_MEMBERS:
            return await reader.groups_of(entry)
        name = self._layout.group_name_attribute
        question = Search(
            base=self.group_search_base,
            filter=self._group_filter(entry),
            attributes=(name, "gidNumber"),
            page_size=500,
        )
        groups = await reader.search(question)
        return tuple(
            DirectoryGroup(found, group.text("gidNumber"), group.dn)
            for group in groups
            if (found := own_name(group, name)) is not None
        )

    def _group_filter(self, entry: Entry) -> str:
        return str(
            self.group_search_filter.format(
                userdn=escape_filter_chars(entry.dn), uid=escape_filter_chars(entry.name)
            )
        )

    async def _is_elsewhere(self, reader: Directory, dn: str, entry: Entry) -> bool:
        """Tell whether somebody is in an allowed group that is not where groups are looked for."""
        if dn.lower().replace(" ", "").endswith(self.group_search_base.lower().replace(" ", "")):
            return False
        question = Search(base=dn, filter=self._group_filter(entry), scope=Scope.BASE)
        return bool(await reader.search(question))
