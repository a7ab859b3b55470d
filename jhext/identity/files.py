"""Identities from ``passwd`` and ``group`` files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import IdentityRefused, Reason
from .ids import shown
from .source import Answer, Person, Source, Workers
from .watched import WatchedFile, text_of

Accounts = Mapping[str, Answer | None]
"""What is known of each name; None where the file is not clear about it."""

_PASSWD_FIELDS = 7
_GROUP_FIELDS = 4


@dataclass(frozen=True, slots=True)
class Memberships:
    """A group file: who is in which groups.

    Parameters
    ----------
    of
        The names and gids of the groups that a person is a member of.
    named
        The names of the groups with a gid.
    """

    of: Mapping[str, list[tuple[str, str]]]
    named: Mapping[str, list[str]]


def load_passwd(path: Path) -> Accounts:
    """Read a ``passwd`` file.

    A name that stands there twice, or in a line with too few or too many fields, is nobody's.
    """
    accounts: dict[str, Answer | None] = {}
    for fields in _lines(path):
        name = fields[0]
        if len(fields) != _PASSWD_FIELDS or name in accounts:
            accounts[name] = None
            continue
        _, _, uid, gid, gecos, home, shell = fields
        accounts[name] = {
            "username": name,
            "uid": uid,
            "gid": gid,
            "gecos": gecos.partition(",")[0],  # office and telephone follow the first comma
            "home": home,
            "shell": shell,
        }
    return accounts


def load_group(path: Path) -> Memberships:
    """Read a ``group`` file; lines with too few or too many fields are nobody's group."""
    of: dict[str, list[tuple[str, str]]] = defaultdict(list)
    named: dict[str, list[str]] = defaultdict(list)
    for fields in _lines(path):
        if len(fields) != _GROUP_FIELDS:
            continue
        name, _, gid, members = fields
        named[gid].append(name)
        for member in members.split(","):
            of[member].append((name, gid))
    return Memberships(dict(of), dict(named))


def _lines(path: Path) -> Iterator[list[str]]:
    # Only "\n" ends a line there; str.splitlines() knows ten more characters that do.
    for line in text_of(path).split("\n"):
        if line.strip() and not line.startswith("#"):
            yield line.split(":")


class FilesSource(Source):
    """Reads ``passwd`` and ``group`` files such as those of a login host.

    Parameters
    ----------
    name
        The name of the source.
    passwd
        The file with the accounts. Without it the source knows groups only.
    group
        The file with the groups.
    workers
        Where the files are read.
    """

    def __init__(
        self, name: str, passwd: Path | None, group: Path | None, workers: Workers
    ) -> None:
        super().__init__(name)
        self._passwd = WatchedFile(passwd, load_passwd) if passwd else None
        self._group = WatchedFile(group, load_group) if group else None
        self._workers = workers

    async def lookup(self, person: Person) -> Answer | None:
        """Look a person up; see `Source.lookup`."""
        return await self._workers.run(self._lookup, person.name)

    def _lookup(self, name: str) -> Answer | None:
        answer: dict[str, Any] = {}
        if self._passwd is not None:
            accounts = self._passwd.value()
            if name not in accounts:
                return None
            answer |= clear(accounts, name, self.name)
        if self._group is not None:
            memberships = self._group.value()
            primary = answer.get("gid", "")
            groups = [(named, primary) for named in memberships.named.get(primary, ())]
            groups += memberships.of.get(name, ())
            answer["groups"] = [{"name": named, "gid": gid} for named, gid in groups]
        return answer


def clear(accounts: Accounts, name: str, source: str) -> Answer:
    """Give what a file says of a person that it names.

    Raises
    ------
    IdentityRefused
        When it says two things, or something that cannot be read.
    """
    answer = accounts[name]
    if answer is None:
        raise IdentityRefused(
            Reason.INVALID, f"{source}: the entry of {shown(name)} is there twice or malformed"
        )
    return answer
