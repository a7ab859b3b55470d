"""The traits of LDAP login, and what they mean: how a directory is reached, and its layout."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from ldapauthenticator import LDAPAuthenticator
from traitlets import CaselessStrEnum, Float, Int, List, Set, TraitError, Unicode, Union, default

from jhext.identity.ldap.access import Access, Tls
from jhext.identity.ldap.answer import ACTIVE_DIRECTORY, POSIX
from jhext.identity.ldap.directory import Directory
from jhext.identity.ldap.layout import Layout, Nesting
from jhext.identity.source import Field

from .freshness import FreshGroups
from .ldap_options import dn_key, domain_of, servers_of, tls_context

_ANY_ENTRY = "(objectClass=*)"


class DirectoryTraits(FreshGroups, LDAPAuthenticator):  # type: ignore[misc]
    """ldapauthenticator's configuration, and what jhext adds to it."""

    server_address = Union(
        [Unicode(), List(Unicode())],
        help="""
        Servers of the directory, all with the same content: a list, or names with spaces between.

        The first one that answers is asked. ``ldaps://name:port`` may be written too.
        """,
    ).tag(config=True)

    directory_kind = CaselessStrEnum(
        ["posix", "active_directory"],
        help="""
        How people and groups are kept; by default, what `user_attribute` tells.
        """,
    ).tag(config=True)

    @default("directory_kind")
    def _default_directory_kind(self) -> str:
        names = ("samaccountname", "userprincipalname")
        # Nobody else takes alice@example.org or EXAMPLE\\alice for the name of an account.
        is_ad = self._binds_others or (self.user_attribute or "").lower() in names
        return "active_directory" if is_ad else "posix"

    group_search_base = Unicode(
        help="""
        The DN below which groups are; by default, the domain that people are in, or the
        directory's only tree.

        Names of groups below it are the names of groups in the hub.
        """,
    ).tag(config=True)

    @default("group_search_base")
    def _default_group_search_base(self) -> str:
        allowed = self.allowed_groups or ()
        return domain_of(self.user_search_base, *self.bind_dn_template, *allowed) or ""

    nested_groups = CaselessStrEnum(
        [*Nesting],
        help="""
        How groups in groups are found: ``walk``, ``token_groups``, ``in_chain`` or ``none``.

        By default, ``token_groups`` in Active Directory and ``walk`` elsewhere.
        """,
    ).tag(config=True)

    @default("nested_groups")
    def _default_nested_groups(self) -> str:
        return Nesting.TOKEN_GROUPS if self._is_active_directory else Nesting.WALK

    admin_groups = Set(
        Unicode(),
        help="""
        Groups whose members are admins of the hub, by name or DN.

        Who is in none of them, and not in `admin_users`, is no admin from the next login on.
        """,
    ).tag(config=True)

    timeout = Float(
        5, min=0.1, help="Seconds for a connection to a server, and for each answer."
    ).tag(config=True)

    deadline = Float(
        12, min=0.1, help="Seconds for a login, or for a refresh, fail-over included."
    ).tag(config=True)

    pool_size = Int(
        10, min=1, help="How many connections for look-ups, and for passwords, there may be."
    ).tag(config=True)

    subject_attribute = Unicode(
        help="""
        The attribute that somebody keeps when the name changes; empty: not checked.

        A name that has gone to another person is refused: the hub's user of that name, and the
        files, are the former one's. Needs `enable_auth_state`. By default ``objectGUID`` in Active
        Directory and ``entryUUID`` elsewhere.
        """,
    ).tag(config=True)

    @default("subject_attribute")
    def _default_subject_attribute(self) -> str:
        return "objectGUID" if self._is_active_directory else "entryUUID"

    @default("refresh_pre_spawn")
    def _default_refresh_pre_spawn(self) -> bool:
        return True  # or a right that has ended would still start a server

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        try:
            self._access = Access(
                servers=servers_of(self.server_address, self.server_port, self.tls_strategy),
                bind_dn=self.lookup_dn_search_user or None,
                bind_password=lambda: self.lookup_dn_search_password or "",
                context=tls_context(self.tls_kwargs),
                timeout=self.timeout,
                deadline=self.deadline,
                connections=self.pool_size,
            )
        except ValueError as error:
            raise TraitError(f"LDAPAuthenticator: {error}") from None
        plain = any(server.tls is Tls.NONE for server in self._access.servers)
        if plain or self.tls_kwargs.get("validate") == ssl.CERT_NONE:
            self.log.warning(
                "Who the LDAP servers are is not checked: whoever is on the way can read passwords"
            )

    @property
    def _is_active_directory(self) -> bool:
        return bool(self.directory_kind == "active_directory")

    @property
    def _name_attribute(self) -> str:
        """The attribute that is the hub's name of a person, in the directory's own spelling."""
        if self.lookup_dn and self.use_lookup_dn_username:
            return str(self.lookup_dn_user_dn_attribute)
        if self.user_attribute:
            return str(self.user_attribute)
        named = re.match(r"\s*([^=,]+)=\{username\}", next(iter(self.bind_dn_template), ""))
        return named[1] if named else "sAMAccountName" if self._is_active_directory else "uid"

    @cached_property
    def _layout(self) -> Layout:
        named = {name for names in self._fields.values() for name in names}
        own = filter(None, [self.lookup_dn_user_dn_attribute])
        base, groups = self.user_search_base or "", self.group_search_base
        if self._is_active_directory:
            layout = Layout.active_directory(user_base=base, group_base=groups)
        else:
            layout = Layout(user_base=base, group_base=groups)
        return replace(
            layout,
            user_filter=_ANY_ENTRY,
            login_attributes=(self.user_attribute or self._name_attribute,),
            name_attribute=self._name_attribute,
            attributes=(*sorted(named), *own, *self.auth_state_attributes),
            nesting=Nesting(self.nested_groups),
        )

    @cached_property
    def _fields(self) -> Mapping[Field, tuple[str, ...]]:
        """The attributes of each field of an identity."""
        usual = ACTIVE_DIRECTORY if self._is_active_directory else POSIX
        return {**usual, "subject": tuple(filter(None, [self.subject_attribute]))}

    @cached_property
    def _directory(self) -> Directory:
        return Directory(self._access, self._layout, self.log)

    @property
    def _has_account(self) -> bool:
        """Whether the hub has an account of its own in the directory."""
        return self._access.bind_dn is not None

    @property
    def _wants_groups(self) -> bool:
        return bool(
            self.manage_groups or self.admin_groups or self.allowed_groups or self.enable_auth_state
        )

    @property
    def _binds_others(self) -> bool:
        """Whether passwords are tried under names that are no DNs: several are of one account."""
        return any(dn_key(template) is None for template in self.bind_dn_template)

    @property
    def _wants_entry(self) -> bool:
        """Whether more has to be known of somebody than that the password is right."""
        more = self.search_filter or self.auth_state_attributes or self._has_account
        return bool(self.lookup_dn or self._wants_groups or self._binds_others or more)
