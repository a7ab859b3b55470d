"""Login by LDAP: ldapauthenticator's, off the event loop, with groups, identity and refresh."""

from __future__ import annotations

import asyncio
import copy
import re
import time
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

from jupyterhub.utils import maybe_future
from ldap3.utils.dn import escape_rdn
from tornado import web

from jhext.identity.auth_state import KEY
from jhext.identity.cache import AskOnceCache
from jhext.identity.errors import IdentityRefused, IdentityUnavailable
from jhext.identity.ids import shown
from jhext.identity.ldap import filters
from jhext.identity.ldap.access import MAX_PASSWORD
from jhext.identity.ldap.directory import Directory
from jhext.identity.ldap.entry import Entry
from jhext.identity.ldap.errors import Cause, LoginRefused

from .freshness import VERIFIED_AT, age_of
from .ldap_account import Account, is_another, kept_identity, user_attributes
from .ldap_lookup import LookingLDAPAuthenticator
from .ldap_options import dn_key

T = TypeVar("T")

MAX_LOGIN = 255
"""How many characters a login name may have."""

TOLD = frozenset(
    {
        *(Cause.DISABLED, Cause.EXPIRED, Cause.HOURS),
        *(Cause.PASSWORD_EXPIRED, Cause.PASSWORD_CHANGE),
    }
)
"""What is told on the login page: directories say it only to whoever knows the password."""

UNAVAILABLE = "The directory does not answer just now. Please try again in a few minutes."
UNTRUSTED = (
    "The certificate of the LDAP server is not trusted. Name the authority that has signed it: "
    'c.LDAPAuthenticator.tls_kwargs = {"ca_certs_file": "/path/to/ca.pem"}. Or, where nobody can '
    "listen or answer on the way, go on without the check: "
    'c.LDAPAuthenticator.tls_kwargs = {"validate": ssl.CERT_NONE}.'
)


# Were the name the parent's, traitlets would apply what is appended to c.LDAPAuthenticator twice.
class IdentityLDAPAuthenticator(LookingLDAPAuthenticator):
    """ldapauthenticator's, with groups, identities and refresh; the event loop never waits.

    All its traits may be set in the section ``c.LDAPAuthenticator``.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._refreshes: AskOnceCache[bool | dict[str, Any]] = AskOnceCache(ttl=0)
        self._verified_at: dict[str, float] = {}

    async def authenticate(self, handler: Any, data: dict[str, str]) -> dict[str, Any] | None:
        """Say who this is, or None where the name or the password is wrong."""
        login, password = data["username"], data["password"]
        if problem := self._problem(login, password):
            self.log.warning("Login of %s refused, nothing was sent: %s", shown(login), problem)
            return None
        try:
            model = await self._in_time(self._log_in(login, password))
        except LoginRefused as refused:
            self.log.warning("Login of %s refused: %s: %s", shown(login), refused.cause, refused)
            if refused.cause in TOLD:
                raise web.HTTPError(403, refused.told) from None
            return None
        except IdentityRefused as refused:
            self.log.warning("Login of %s refused: %s", shown(login), refused)
            return None
        except IdentityUnavailable as error:
            self._tell_unavailable(error)
            raise web.HTTPError(503, UNAVAILABLE) from None
        await self._refuse_another_person(handler, model)
        return model

    async def get_authenticated_user(self, handler: Any, data: Any) -> Any:
        """Log somebody in, and note when: a login that was refused prolongs no grace."""
        model = await super().get_authenticated_user(handler, data)
        if model:
            self._verified_at[model["name"]] = time.time()
        return model

    async def _refuse_another_person(self, handler: Any, model: dict[str, Any]) -> None:
        name = self.normalize_username(model["name"])
        user = handler.find_user(name) if handler else None
        state = await user.get_auth_state() if user else None
        if is_another(kept_identity(model["auth_state"]), state):
            self.log.error(
                "%s is refused: the directory's entry of that name is another one than before. If "
                "it is the same person, or the files are to be the new one's, delete the user from "
                "the hub",
                name,
            )
            raise web.HTTPError(403, "Your name belongs to somebody else on this hub.")

    def _problem(self, login: str, password: str | None) -> str | None:
        """Say why a login is not worth asking about, or None."""
        if not re.match(self.valid_username_regex, login):
            return f"the name does not match {self.valid_username_regex}"
        if not 0 < len(login) <= MAX_LOGIN or not login.isprintable():
            return "the name is blank, too long or has unprintable characters"
        if not password or not password.strip():
            return "the password is blank"
        try:
            is_fine = "\0" not in password and len(password.encode()) <= MAX_PASSWORD
        except UnicodeEncodeError:
            is_fine = False
        return None if is_fine else "the password is too long, or no text"

    def _tell_unavailable(self, error: IdentityUnavailable) -> None:
        self.log.error("The directory does not answer: %s", error)
        if "certificate" in str(error):
            self.log.error(UNTRUSTED)

    async def _in_time(self, asking: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self.deadline):
                return await asking
        except TimeoutError:
            raise IdentityUnavailable(f"no answer within {self.deadline} s") from None

    async def _log_in(self, login: str, password: str) -> dict[str, Any]:
        found = None
        if self.lookup_dn:
            found = await self._find(self._directory, login)
            if found is None:
                raise LoginRefused(Cause.CREDENTIALS, "nobody has that name")
        bound = await self._bind(self._bind_names(login, found), password)
        if not self._wants_entry:
            if not login.isascii() or " " in login:
                # Nobody can say which spelling of the name is the directory's.
                raise LoginRefused(Cause.CREDENTIALS, "such names need lookup_dn_search_user")
            async with self._reader(bound, password) as reader:
                await self._check_alone(reader, login, bound)
            return {"name": login, "auth_state": {"ldap_groups": [], "user_attributes": {}}}
        async with self._reader(bound, password) as reader:
            entry = await self._entry_of(reader, login, found, bound, password)
            if found is None:
                await self._check_alone(reader, login, entry.dn)
            await self._check_name(reader, login, entry)
            account = await self._account(reader, entry)
        return self._model(account)

    def _bind_names(self, login: str, found: Entry | None) -> list[str]:
        """Give the names under which the password is tried."""
        name: str | None = login
        if found is not None:
            if not self.bind_dn_template:
                return [found.dn]
            name = found.text(self.lookup_dn_user_dn_attribute or self._name_attribute)
        if name is None:
            raise LoginRefused(Cause.CREDENTIALS, f"no {self.lookup_dn_user_dn_attribute}")
        # Only the operator's text is a template; what was typed is never taken for one.
        return [
            template.format(username=escape_rdn(name) if "=" in template else name)
            for template in self.bind_dn_template
        ]

    async def _bind(self, names: Iterable[str], password: str) -> str:
        """Give the first of these names that has the password."""
        refused = LoginRefused(Cause.CREDENTIALS, "there is no name to bind")
        for name in names:
            try:
                await self._directory.authenticate(name, password)
            except LoginRefused as error:
                refused = refused if refused.cause in TOLD else error
            else:
                return name
        raise refused

    @asynccontextmanager
    async def _reader(self, bound: str, password: str) -> AsyncIterator[Directory]:
        """Read with the hub's account, or, where it has none, with the person's own rights."""
        if self._has_account:
            yield self._directory
            return
        access = replace(self._access, bind_dn=bound, bind_password=lambda: password, connections=1)
        reader = Directory(access, self._layout, self.log)
        try:
            yield reader
        finally:
            await reader.close()

    async def _entry_of(
        self, reader: Directory, login: str, found: Entry | None, bound: str, password: str
    ) -> Entry:
        """Give the entry whose password it was, and no other one."""
        key = dn_key(bound)
        if key is not None:
            entry = found if found and dn_key(found.dn) == key else await reader.read(bound)
        else:
            entry = found or await self._find(reader, login)
            if entry is not None:
                await self._directory.authenticate(entry.dn, password)
        if entry is None:
            why = "cannot be read" if key else "is nobody's name, see user_attribute"
            raise LoginRefused(Cause.CREDENTIALS, f"{shown(bound)} {why}")
        return entry

    async def _check_alone(self, reader: Directory, login: str, dn: str) -> None:
        """Refuse a name that another template makes somebody else's."""
        for name in self._bind_names(login, None):
            other = await reader.read(name) if dn_key(name) not in (None, dn_key(dn)) else None
            if other is not None:
                raise LoginRefused(Cause.AMBIGUOUS, f"there is {shown(other.dn)}, too")

    def _model(self, account: Account) -> dict[str, Any]:
        name = account.entry.name
        model: dict[str, Any] = {
            "name": name,
            "auth_state": {
                "ldap_groups": list(account.allowed_groups),
                "user_attributes": user_attributes(account.entry, self.auth_state_attributes),
                KEY: account.identity,
                VERIFIED_AT: time.time(),
            },
        }
        if self.manage_groups:
            model["groups"] = account.group_names
        if self.admin_groups:
            model["admin"] = self.normalize_username(name) in self.admin_users or any(
                group.name in self.admin_groups or dn_key(group.dn) in self._admin_dns
                for group in account.groups
            )
        return model

    @cached_property
    def _admin_dns(self) -> set[str | None]:
        return {dn_key(group) for group in self.admin_groups} - {None}

    async def check_allowed(self, username: str, auth_model: dict[str, Any] | None) -> bool:
        """Allow whom ldapauthenticator allows, and members of `admin_groups`."""
        if auth_model and self.admin_groups and auth_model.get("admin"):
            return True
        return bool(await super().check_allowed(username, auth_model))

    async def close(self) -> None:
        """Hang up. It may be asked again afterwards."""
        await self._directory.close()

    async def refresh_user(self, user: Any, handler: Any = None) -> bool | dict[str, Any]:
        """Say what the directory knows now; False where the person may not go on."""
        if not self._has_account:
            return True  # nobody may ask but the person, whose password is not kept
        model = await self._refreshes.get(user.name, lambda: self._refresh(user))
        self.confirm(user.name, bool(model))
        return copy.deepcopy(model)  # others get the same one, and hooks change theirs

    async def _refresh(self, user: Any) -> bool | dict[str, Any]:
        state = await user.get_auth_state()
        try:
            model = await self._in_time(self._look_again(user.name, state or {}))
        except (LoginRefused, IdentityRefused) as refused:
            self.log.warning("%s has to log in again: %s", user.name, refused)
            return False
        except IdentityUnavailable as error:
            self._tell_unavailable(error)
            now = time.time()
            known = self._verified_at.get(user.name)
            age = age_of(state, now) if known is None else now - known
            # No outage undoes a refusal, nor does a password that let nobody in.
            return age < self.outage_grace and user.name not in self._not_confirmed
        self._verified_at[user.name] = time.time()
        return model

    async def look(self, login: str) -> Account | None:
        """Look somebody up under the hub's own account; without one, see who answers at all.

        Raises
        ------
        IdentityRefused, LoginRefused, IdentityUnavailable
            There is nobody, or no answer.
        """
        if not self._has_account:
            await self._directory.reach()
            return None
        if (entry := await self._find(self._directory, login)) is None:
            raise LoginRefused(Cause.CREDENTIALS, f"{shown(login)} is nobody")
        return await self._account(self._directory, entry)

    async def _look_again(self, username: str, state: dict[str, Any]) -> dict[str, Any]:
        reader, name = self._directory, kept_identity(state).get("username") or username
        if self.user_search_base or self._binds_others:
            entry = await self._only(reader, filters.equal(self._name_attribute, name))
        else:
            found = [await reader.read(dn) for dn in self._bind_names(name, None)]
            known = [entry for entry in found if entry is not None]
            entry = known[0] if len(known) == 1 else None
        if entry is None:
            raise LoginRefused(Cause.CREDENTIALS, "the account is no longer there")
        account = await self._account(reader, entry)
        if is_another(account.identity, state):
            raise LoginRefused(Cause.CREDENTIALS, "the name is another person's now")
        model = self._model(account)
        model["name"] = self.normalize_username(model["name"])
        if model["name"] != username:
            raise LoginRefused(Cause.CREDENTIALS, f"the account is {shown(entry.name)} now")
        allowed = await maybe_future(self.check_blocked_users(username, model)) and (
            self.allow_all or await self.check_allowed(username, model)
        )
        if not allowed:
            raise LoginRefused(Cause.CREDENTIALS, "the account is no longer allowed")
        return model


LDAPAuthenticator = IdentityLDAPAuthenticator
