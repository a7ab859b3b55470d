"""The ledger: which uid was first given to whom, so that nobody inherits another one's files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from .database import TABLES, Database
from .errors import IdentityUnavailable
from .source import Workers

_TABLE = sa.Table(
    "jhext_uids",
    TABLES,
    sa.Column("uid", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("source", sa.String(255), nullable=False),
    sa.Column("subject", sa.String(255)),
    sa.Column("username", sa.String(255), nullable=False),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)


class UniqueUid(StrEnum):
    """What happens when a uid turns out to be somebody else's."""

    REFUSE = "refuse"
    """No pod. Nor is there one while the ledger does not answer."""
    WARN = "warn"
    """A line in the log."""
    OFF = "off"
    """Nothing is kept and nothing is compared."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose a uid is.

    Parameters
    ----------
    source
        The name of the source that gave the uid.
    subject
        The id of the person there that stays when the name changes, if the source has one.
    username
        The name of the person on Unix.
    """

    source: str
    subject: str | None
    username: str


def same_person(known: Holder, claimant: Holder) -> bool:
    """Say whether somebody who claims a uid is the one who has it.

    The stable id decides where it is known. Where none was known so far, the name does; but a
    name alone is not enough once an id is known, since names are given to new people.
    """
    if known.source != claimant.source:
        return False
    if known.subject is None:
        return known.username == claimant.username
    return known.subject == claimant.subject


class Ledger:
    """Keeps, in an SQL database, which uid is whose.

    Several hubs that serve the same file system share one by giving the same database.

    Parameters
    ----------
    url
        The database, as SQLAlchemy writes it. It may hold a password and is never shown.
    workers
        The threads in which the database is waited for.
    timeout
        Seconds for a connection, a lock, or a statement.

    Raises
    ------
    ValueError
        When the URL cannot be read, or the driver for it is not installed.
    """

    def __init__(self, url: str, workers: Workers, timeout: int = 5) -> None:
        self._database = Database("ledger", url, timeout)
        self._workers = workers

    async def claim(self, uid: int, claimant: Holder) -> Holder | None:
        """Note that a uid is somebody's, unless it is another one's already.

        Returns
        -------
        Holder | None
            The other one, or None when the uid is now the claimant's.

        Raises
        ------
        IdentityUnavailable
            When the database does not answer.
        """
        return await self._workers.run(self._claim, uid, claimant)

    async def forget(self, uid: int) -> Holder | None:
        """Release a uid, so that the next one who claims it has it, and say whose it was.

        Raises
        ------
        IdentityUnavailable
            When the database does not answer, or no ledger was ever kept in it.
        """
        return await self._workers.run(self._forget, uid)

    async def close(self) -> None:
        """Give back the connections."""
        await self._database.close()

    def _claim(self, uid: int, claimant: Holder) -> Holder | None:
        with self._database.asked():
            self._database.ensure(_TABLE)
            known = self._read(uid)
            if known is None:
                try:
                    self._database.execute(sa.insert(_TABLE).values(uid=uid, **_columns(claimant)))
                except IntegrityError:  # somebody was faster
                    known = self._read(uid)
                else:
                    return None
            if known is None:
                raise IdentityUnavailable(f"ledger: uid {uid} was released at the same moment")
            if not same_person(known, claimant):
                return known
            if known != claimant:
                self._database.execute(
                    sa.update(_TABLE)
                    .where(_TABLE.c.uid == uid, _TABLE.c.username == known.username)
                    .values(**_columns(claimant))
                )
            return None

    def _forget(self, uid: int) -> Holder | None:
        with self._database.asked():
            known = self._read(uid)
            self._database.execute(sa.delete(_TABLE).where(_TABLE.c.uid == uid))
            return known

    def _read(self, uid: int) -> Holder | None:
        with self._database.engine.connect() as connection:
            row = connection.execute(sa.select(_TABLE).where(_TABLE.c.uid == uid)).first()
        return None if row is None else Holder(row.source, row.subject, row.username)


def _columns(holder: Holder) -> dict[str, Any]:
    return {"source": holder.source, "subject": holder.subject, "username": holder.username}
