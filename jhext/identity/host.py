"""Identities from the name service (NSS) of the machine that the hub runs on: SSSD, LDAP, files."""

from __future__ import annotations

import grp
import os
import pwd
from typing import Any

from .source import Answer, Person, Source, Workers


class HostSource(Source):
    """Asks the C library, as ``id`` and ``getent`` do.

    It does not say whether a person is unknown or the directory behind it does not answer: both
    are "not known" here.

    Parameters
    ----------
    name
        The name of the source.
    workers
        Where the answer, which may take its time, is waited for.
    """

    def __init__(self, name: str, workers: Workers) -> None:
        super().__init__(name)
        self._workers = workers

    async def lookup(self, person: Person) -> Answer | None:
        """Look a person up; see `Source.lookup`."""
        return await self._workers.run(_lookup, person.name)


def _lookup(name: str) -> Answer | None:
    try:
        account = pwd.getpwnam(name)
    except (KeyError, ValueError):  # ValueError: a NUL, or what the locale cannot encode
        return None
    return {
        "username": account.pw_name,
        "uid": account.pw_uid,
        "gid": account.pw_gid,
        "gecos": account.pw_gecos.partition(",")[0],
        "home": account.pw_dir,
        "shell": account.pw_shell,
        "groups": [_group(gid) for gid in os.getgrouplist(account.pw_name, account.pw_gid)],
    }


def _group(gid: int) -> dict[str, Any]:
    try:
        return {"name": grp.getgrgid(gid).gr_name, "gid": gid}
    except KeyError:
        # Files are read by number, so a group that lost its name still gives access to them.
        return {"name": f"gid{gid}", "gid": gid}
