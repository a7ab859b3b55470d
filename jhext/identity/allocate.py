"""The registry: ids for people and groups to whom no directory gives one.

A number is given once and for ever. It stays with the person or the group when the hub restarts
and when the name changes, and nobody else ever gets it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from . import names
from .database import TABLES, Database
from .errors import BadValueError, IdentityUnavailable
from .source import Answer, Person, Workers

NAME = "allocated"
"""What identities name as the source of an id from here."""

_IDS = sa.Table(
    "jhext_allocated_ids",
    TABLES,
    sa.Column("kind", sa.String(8), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("holder", sa.String(600), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.UniqueConstraint("kind", "holder"),
)
# Whoever raises a counter holds its row until the end of the transaction: the others wait.
_COUNTERS = sa.Table(
    "jhext_id_counters",
    TABLES,
    sa.Column("kind", sa.String(8), primary_key=True),
    sa.Column("next", sa.BigInteger, nullable=False),
)


class Kind(StrEnum):
    """What a number is the id of."""

    USER = "user"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Allocated:
    """A number that is somebody's, or that nobody may get.

    Parameters
    ----------
    kind
        Whether it is a uid or a gid.
    number
        The uid or gid.
    holder
        Whose it is: ``source:subject`` of a person with a stable id, ``name:`` and the name of one
        without or of a group, ``reserved:`` and the number where it is nobody's.
    name
        The name at the time of the last look-up.
    """

    kind: Kind
    number: int
    holder: str
    name: str


@dataclass(frozen=True, slots=True)
class Ranges:
    """From which numbers is given, both ends included.

    Parameters
    ----------
    users
        The uids.
    groups
        The gids.
    """

    users: tuple[int, int]
    groups: tuple[int, int]

    def of(self, kind: Kind) -> tuple[int, int]:
        """Give the range of a kind."""
        return self.users if kind is Kind.USER else self.groups


class Registry:
    """Gives ids, and remembers them in an SQL database.

    Hubs that serve the same file system share one by giving the same database.

    Parameters
    ----------
    url
        The database, as SQLAlchemy writes it. It may hold a password and is never shown.
    ranges
        From which numbers is given.
    workers
        The threads in which the database is waited for.
    timeout
        Seconds for a connection, a lock, or a statement.

    Raises
    ------
    ValueError
        When the URL cannot be read, or the driver for it is not installed.
    """

    def __init__(self, url: str, ranges: Ranges, workers: Workers, timeout: int = 5) -> None:
        self._database = Database("registry of ids", url, timeout)
        self._ranges = ranges
        self._workers = workers

    async def uid(self, name: str, subject: str | None = None) -> int:
        """Give the uid of a person, the same one each time.

        Parameters
        ----------
        name
            The hub's name of the person.
        subject
            ``source:id``, with an id that stays when the name changes, where there is one. Who had
            a uid by name alone keeps it when a subject becomes known.

        Raises
        ------
        IdentityUnavailable
            When the database does not answer, or all numbers are given.
        """
        return await self._workers.run(self._uid, name, subject)

    async def gids(self, groups: Iterable[str]) -> dict[str, int]:
        """Give the gids of groups, the same ones each time.

        Raises
        ------
        IdentityUnavailable
            When the database does not answer, or all numbers are given.
        """
        return await self._workers.run(self._gids, sorted(set(groups)))

    async def entries(self) -> list[Allocated]:
        """List all that was ever given, by kind and number. Nothing is allocated by looking."""
        return await self._workers.run(self._list)

    async def add(self, entries: Sequence[Allocated]) -> list[Allocated]:
        """Take up numbers that were given elsewhere, all or none of them.

        Returns
        -------
        list of Allocated
            The entries here that stand against it; empty when all were taken up.

        Raises
        ------
        IdentityUnavailable
            When the database does not answer.
        """
        return await self._workers.run(self._add, entries)

    async def close(self) -> None:
        """Give back the connections."""
        await self._database.close()

    def _uid(self, name: str, subject: str | None) -> int:
        by_name = f"name:{name}"
        with self._database.asked():
            self._ensure()
            known = self._find(Kind.USER, [subject or by_name]).get(subject or by_name)
            if known is None and subject is not None:
                known = self._find(Kind.USER, [by_name]).get(by_name)
            number = known.number if known else self._give(Kind.USER, subject or by_name, name)
            if known and (known.name != name or known.holder != (subject or by_name)):
                self._database.execute(
                    sa.update(_IDS)
                    .where(_IDS.c.kind == Kind.USER, _IDS.c.number == number)
                    .values(holder=subject or by_name, name=name)
                )
            return number

    def _gids(self, groups: Sequence[str]) -> dict[str, int]:
        with self._database.asked():
            self._ensure()
            found = self._find(Kind.GROUP, [f"name:{group}" for group in groups])
            known = {holder: entry.number for holder, entry in found.items()}
            return {
                group: known.get(f"name:{group}") or self._give(Kind.GROUP, f"name:{group}", group)
                for group in groups
            }

    def _list(self) -> list[Allocated]:
        with self._database.asked():
            self._ensure()
            with self._database.engine.connect() as connection:
                rows = connection.execute(
                    sa.select(_IDS).order_by(_IDS.c.kind.desc(), _IDS.c.number)
                )
                return [_entry(row) for row in rows]

    def _add(self, entries: Sequence[Allocated]) -> list[Allocated]:
        with self._database.asked():
            self._ensure()
            with self._database.engine.begin() as connection:
                for kind in Kind:
                    self._wait_for_turn(connection, kind)
                rows = connection.execute(sa.select(_IDS)).all()
                numbers = {(row.kind, row.number): _entry(row) for row in rows}
                holders = {(row.kind, row.holder): _entry(row) for row in rows}
                against: dict[Allocated, None] = {}
                for entry in entries:
                    at = numbers.get((entry.kind, entry.number))
                    of = holders.get((entry.kind, entry.holder))
                    against |= {
                        other: None
                        for other in (at, of)
                        if other and (other.number, other.holder) != (entry.number, entry.holder)
                    }
                    if at is None and of is None:
                        numbers[entry.kind, entry.number] = entry
                        holders[entry.kind, entry.holder] = entry
                        if not against:
                            connection.execute(sa.insert(_IDS).values(**_columns(entry)))
                if against:
                    connection.rollback()
                return list(against)

    def _give(self, kind: Kind, holder: str, name: str) -> int:
        first, last = self._ranges.of(kind)
        with self._database.engine.begin() as connection:
            number = self._wait_for_turn(connection, kind)
            given = connection.execute(
                sa.select(_IDS).where(_IDS.c.kind == kind, _IDS.c.holder == holder)
            ).first()
            # A database that ignores case, as MySQL may, finds another one's: the insert fails.
            if given is not None and given.holder == holder:  # somebody was faster
                return int(given.number)
            if not first <= number <= last:  # the range was another one
                number = first
            taken = connection.execute(
                sa.select(_IDS.c.number)
                .where(_IDS.c.kind == kind, _IDS.c.number >= number)
                .order_by(_IDS.c.number)
            ).scalars()
            for other in taken:
                if other != number:
                    break
                number += 1
            if number > last:
                raise IdentityUnavailable(
                    f"registry of ids: all numbers of {kind}s from {first} to {last} are given",
                    transient=False,
                )
            connection.execute(
                sa.insert(_IDS).values(kind=kind, number=number, holder=holder, name=name)
            )
            connection.execute(
                sa.update(_COUNTERS).where(_COUNTERS.c.kind == kind).values(next=number + 1)
            )
            return number

    def _wait_for_turn(self, connection: sa.Connection, kind: Kind) -> int:
        """Lock the counter, and give the number after the last that it gave."""
        # Writing comes first: SQLite can't turn a transaction that has read into one that writes.
        connection.execute(
            sa.update(_COUNTERS).where(_COUNTERS.c.kind == kind).values(next=_COUNTERS.c.next)
        )
        counter = connection.execute(sa.select(_COUNTERS.c.next).where(_COUNTERS.c.kind == kind))
        return int(counter.scalar_one())

    def _find(self, kind: Kind, holders: Sequence[str]) -> dict[str, Allocated]:
        with self._database.engine.connect() as connection:
            rows = connection.execute(
                sa.select(_IDS).where(_IDS.c.kind == kind, _IDS.c.holder.in_(holders))
            )
            return {row.holder: _entry(row) for row in rows}

    def _ensure(self) -> None:
        self._database.ensure(_IDS)
        self._database.ensure(_COUNTERS)
        with self._database.engine.connect() as connection:
            present = set(connection.execute(sa.select(_COUNTERS.c.kind)).scalars())
        for kind in set(Kind) - present:
            first, _ = self._ranges.of(kind)
            with suppress(IntegrityError):  # another hub was faster
                self._database.execute(sa.insert(_COUNTERS).values(kind=kind, next=first))


async def complete(
    registry: Registry, person: Person, answers: Sequence[tuple[str, Answer]]
) -> list[tuple[str, Answer]]:
    """Add an answer with the ids that the others leave out.

    A person without a uid gets one, and so does each group with a usable name and without a gid.

    Raises
    ------
    IdentityUnavailable
        When the registry does not answer, or all numbers are given.
    """
    answer: dict[str, Any] = {}
    if not any(given.get("uid") not in (None, "", [], ()) for _, given in answers):
        subject = next(_subjects(answers), None)
        answer = {"uid": await registry.uid(person.name, subject), "subject": subject}
    if numberless := _numberless(answers):
        answer["groups"] = await registry.gids(numberless)
        answers = [(name, _with_gids(given)) for name, given in answers]
    return [*answers, (NAME, answer)] if answer else list(answers)


def _subjects(answers: Iterable[tuple[str, Answer]]) -> Iterator[str]:
    for source, given in answers:
        subject = given.get("subject")
        if isinstance(subject, str | int) and not isinstance(subject, bool) and subject != "":
            yield f"{source}:{subject}"


def _numberless(answers: Iterable[tuple[str, Answer]]) -> set[str]:
    """Give the usable names of groups of which no source knows the gid."""
    pairs = [pair for _, given in answers for pair in _pairs(given.get("groups"))]
    numbered = {name for name, gid in pairs if gid is not None and isinstance(name, str)}
    return {name for name, gid in pairs if gid is None and _is_usable(name)} - numbered


def _pairs(groups: Any) -> list[tuple[Any, Any]]:
    """Read groups; what is none is left to `combine`, which says what is wrong with it."""
    if isinstance(groups, Mapping):
        return list(groups.items())
    listed = groups if isinstance(groups, list | tuple) else ()
    return [(group.get("name"), group.get("gid")) for group in listed if isinstance(group, Mapping)]


def _is_usable(name: Any) -> bool:
    try:
        return bool(names.group_name(name))
    except BadValueError:
        return False


def _with_gids(given: Answer) -> Answer:
    """Leave out the groups without a gid, which stand in the answer that was added."""
    pairs = [(name, gid) for name, gid in _pairs(given.get("groups")) if gid is not None]
    if not pairs:
        return {**given, "groups": None}
    return {**given, "groups": [{"name": name, "gid": gid} for name, gid in pairs]}


def _entry(row: Any) -> Allocated:
    return Allocated(Kind(row.kind), row.number, row.holder, row.name)


def _columns(entry: Allocated) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "number": entry.number,
        "holder": entry.holder,
        "name": entry.name,
    }
