"""Asking those whom a hub asks: directories, the provider of logins; and its own database."""

from __future__ import annotations

import asyncio
import sqlite3
import ssl
from contextlib import closing
from pathlib import Path

import aiohttp

from ..identity.build import build_resolver
from ..identity.errors import IdentityRefused, IdentityUnavailable
from ..identity.settings import IdentitySettings
from ..identity.source import Person
from .model import Answer

NOBODY = "jhext-doctor"
"""Who is looked up where nobody is named: that there is no such person is an answer, too."""

_DEADLINE = 10.0
_DISCOVERY = "/.well-known/openid-configuration"


async def ask_directory(settings: IdentitySettings | None, user: str) -> Answer | None:
    """Look somebody up in the sources. Nothing is kept of it, and no uid is given to anybody.

    Parameters
    ----------
    settings
        The section ``identity``.
    user
        Whom to look up; empty for nobody.
    """
    if settings is None or not settings.sources:
        return None
    asked = f"{', '.join(source.name or source.type for source in settings.sources)}: "
    asked += user or "nobody"
    resolver = build_resolver(
        settings.model_copy(update={"allocate": None, "unique_uid": "off", "serve_stale": 0})
    )
    try:
        found = await resolver.resolve(Person(user or NOBODY))
    except IdentityUnavailable as error:
        return Answer(asked, str(error))
    except IdentityRefused as error:
        return Answer(asked, str(error)) if user else Answer(asked, answer="they answer")
    finally:
        await resolver.close()
    groups = ", ".join(group.name for group in found.groups)
    return Answer(asked, answer=f"uid {found.uid}, gid {found.gid}, groups {groups or 'none'}")


async def ask_provider(issuer: str, login_url: str, ca_file: str = "") -> Answer | None:
    """Read the discovery document of an issuer, or look whether a page for logins is there.

    Parameters
    ----------
    issuer, login_url
        Where they are; empty where that is not known.
    ca_file
        The authority of the certificate; empty for those that everybody knows.
    """
    url = f"{issuer.rstrip('/')}{_DISCOVERY}" if issuer else login_url
    if not url:
        return None
    timeout = aiohttp.ClientTimeout(total=_DEADLINE)
    try:
        trusted = ssl.create_default_context(cafile=ca_file) if ca_file else True
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(url, allow_redirects=bool(issuer), ssl=trusted) as answer,
        ):
            if answer.status >= (400 if issuer else 500):
                return Answer(url, f"answers {answer.status}")
            document = await answer.json(content_type=None) if issuer else {}
    except (OSError, ValueError, aiohttp.ClientError) as error:
        return Answer(url, f"{type(error).__name__}: {error}")
    if not issuer:
        return Answer(url, answer=f"answers {answer.status}")
    named = document.get("issuer") if isinstance(document, dict) else None
    if named != issuer:
        return Answer(url, f"is about the issuer {named!r}, not {issuer!r}")
    return Answer(url, answer="is about this issuer")


async def servers_are_indexed(database: str) -> bool | None:
    """Tell whether a hub's SQLite database has an index of the servers' owners.

    None where the file is not there, or is no hub's database.
    """
    if not database or not await asyncio.to_thread(Path(database).is_file):
        return None
    return await asyncio.to_thread(_indexed, database)


def _indexed(database: str) -> bool | None:
    try:
        uri = f"{Path(database).absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=1)) as connection:
            if not connection.execute("PRAGMA table_info(spawners)").fetchall():
                return None
            columns = [
                connection.execute(f'PRAGMA index_info("{name}")').fetchall()
                for _, name, *_ in connection.execute("PRAGMA index_list(spawners)").fetchall()
            ]
    except sqlite3.Error:
        return None
    return any(found and found[0][2] == "user_id" for found in columns)
