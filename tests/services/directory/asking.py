"""Directories as the settings describe them, pointed at the servers of the tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from jhext.identity.build import build_resolver
from jhext.identity.ldap.access import Access, parse_server, verified_context
from jhext.identity.ldap.directory import Directory
from jhext.identity.ldap.entry import Entry
from jhext.identity.ldap.layout import Layout
from jhext.identity.resolve import Resolver
from jhext.identity.settings import IdentitySettings
from tests.directories import samba, slapd
from tests.directories.samba import Samba
from tests.directories.slapd import Slapd

OPENLDAP = Layout(
    user_base=f"ou=people,{slapd.BASE}",
    group_base=f"ou=groups,{slapd.BASE}",
    attributes=("uidNumber", "memberOf"),
)
DOMAIN = Layout.active_directory(user_base=samba.BASE, group_base=samba.BASE)


@asynccontextmanager
async def directory(
    server: Slapd | Samba, layout: Layout | None = None, **more: Any
) -> AsyncIterator[Directory]:
    """Open a directory as the hub's own account; `more` changes how it is reached."""
    access = replace(access_of(server), **more)
    asked = Directory(access, layout or (OPENLDAP if isinstance(server, Slapd) else DOMAIN))
    try:
        yield asked
    finally:
        await asked.close()


def access_of(server: Slapd | Samba) -> Access:
    module = slapd if isinstance(server, Slapd) else samba
    return Access(
        servers=(parse_server(server.tls_url),),
        bind_dn=module.HUB,
        bind_password=lambda: module.HUB_PASSWORD,
        context=lambda: verified_context(str(server.ca_file)),
    )


async def person(asked: Directory, login: str) -> Entry:
    """Find somebody who is there."""
    entry = await asked.find(login)
    assert entry is not None
    return entry


@asynccontextmanager
async def resolver(server: Slapd | Samba, folder: Path, **more: Any) -> AsyncIterator[Resolver]:
    """Make a resolver that asks the server, and remembers nothing."""
    module = slapd if isinstance(server, Slapd) else samba
    secret = folder / "password"
    secret.write_text(module.HUB_PASSWORD)
    source = {
        "type": "ldap" if isinstance(server, Slapd) else "active_directory",
        "servers": [server.tls_url],
        "ca_file": str(server.ca_file),
        "bind_dn": module.HUB,
        "bind_password": {"file": str(secret)},
        "user_base": module.BASE,
        "group_base": module.BASE,
        **more,
    }
    made = build_resolver(
        IdentitySettings.model_validate({"sources": [source], "unique_uid": "off", "ttl": 0})
    )
    try:
        yield made
    finally:
        await made.close()
