"""Sources that are directories, as the settings describe them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial

from jhext.identity.sid import Slices
from jhext.identity.source import Field

from .access import Access, parse_server, verified_context
from .answer import ACTIVE_DIRECTORY, POSIX
from .directory import Directory
from .layout import Layout, Nesting
from .settings import ActiveDirectorySettings, DirectorySettings, LdapSettings
from .source import LdapSource

_LOG = logging.getLogger(__name__)


def ldap_source(name: str, settings: LdapSettings, deadline: float) -> LdapSource:
    """Make the source that an OpenLDAP is. Nothing is asked or opened yet."""
    fields = _fields(POSIX, settings)
    layout = Layout(
        user_base=settings.user_base,
        user_filter=settings.user_filter,
        login_attributes=(settings.login_attribute,),
        name_attribute=settings.login_attribute,
        attributes=_attributes(fields, settings),
        group_base=settings.group_base,
        group_filter=settings.group_filter,
        group_name_attribute=settings.group_attribute,
        member_attributes=settings.member_attributes,
        nesting=Nesting.WALK if settings.nested_groups else Nesting.NONE,
    )
    directory = Directory(access_of(settings, deadline), layout)
    return LdapSource(name, directory, fields, claims=settings.claims)


def active_directory_source(
    name: str, settings: ActiveDirectorySettings, deadline: float
) -> LdapSource:
    """Make the source that an Active Directory is. Nothing is asked or opened yet."""
    fields = _fields(ACTIVE_DIRECTORY, settings)
    layout = Layout.active_directory(
        user_base=settings.user_base,
        group_base=settings.group_base,
        attributes=_attributes(fields, settings),
        nesting=Nesting(settings.nested_groups),
    )
    directory = Directory(access_of(settings, deadline), layout)
    slices = Slices(*settings.sid_range) if settings.ids == "sid" else None
    return LdapSource(name, directory, fields, claims=settings.claims, slices=slices)


def access_of(settings: DirectorySettings, deadline: float) -> Access:
    """Give the way to a directory.

    Parameters
    ----------
    settings
        The settings of the source.
    deadline
        Seconds for one question.
    """
    secret = settings.bind_password
    if settings.allow_plaintext:
        _LOG.warning("allow_plaintext: passwords may go over the network unencrypted")
    return Access(
        servers=tuple(
            parse_server(url, allow_plaintext=settings.allow_plaintext) for url in settings.servers
        ),
        bind_dn=settings.bind_dn,
        bind_password=None if secret is None else secret.resolve,
        context=partial(verified_context, settings.ca_file),
        timeout=settings.timeout,
        deadline=deadline,
        connections=settings.connections,
    )


def _fields(
    usual: Mapping[Field, tuple[str, ...]], settings: DirectorySettings
) -> dict[Field, tuple[str, ...]]:
    return {**usual, **{field: (attribute,) for field, attribute in settings.fields.items()}}


def _attributes(
    fields: Mapping[Field, tuple[str, ...]], settings: DirectorySettings
) -> tuple[str, ...]:
    return (*(one for several in fields.values() for one in several), *settings.claims)
