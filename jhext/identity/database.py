"""The SQL database in which ids are kept, with its errors in our own words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from .errors import IdentityUnavailable

TABLES = sa.MetaData()
"""The tables of the rooms that keep something there."""


class Database:
    """An SQL database that is waited for in threads.

    Parameters
    ----------
    what
        What is kept in it, for messages.
    url
        The database, as SQLAlchemy writes it. It may hold a password and is never shown.
    timeout
        Seconds for a connection, a lock, or a statement.

    Raises
    ------
    ValueError
        When the URL cannot be read, or the driver for it is not installed.
    """

    def __init__(self, what: str, url: str, timeout: int = 5) -> None:
        self._what = what
        try:
            address = sa.make_url(url)
            self.engine = sa.create_engine(
                address,
                pool_pre_ping=True,
                connect_args=_timeouts(address.get_backend_name(), timeout),
            )
        except ArgumentError:
            # SQLAlchemy's own text may repeat the URL with the password in it.
            raise ValueError(f"the URL of the {what}'s database cannot be read") from None
        except ImportError as error:
            raise ValueError(f"the driver for the {what}'s database is missing: {error}") from None
        self._made: set[str] = set()

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Say the errors of the database in our own words.

        Raises
        ------
        IdentityUnavailable
            When the database does not answer.
        """
        try:
            yield
        except DBAPIError as error:
            first_line = str(error.orig).partition("\n")[0]
            raise IdentityUnavailable(f"{self._what}: {first_line}") from error
        except SQLAlchemyError as error:
            raise IdentityUnavailable(f"{self._what}: {type(error).__name__}") from error

    def execute(self, statement: sa.Executable) -> None:
        """Change something, in a transaction of its own."""
        with self.engine.begin() as connection:
            connection.execute(statement)

    def ensure(self, table: sa.Table) -> None:
        """Make a table where there is none."""
        if table.name in self._made:
            return
        try:
            table.create(self.engine, checkfirst=True)
        except DBAPIError:
            # Another hub, or another thread of this one, may have made it between check and act.
            if not sa.inspect(self.engine).has_table(table.name):
                raise
        self._made.add(table.name)

    async def close(self) -> None:
        """Give back the connections."""
        # Not in the threads that wait for it, all of which may be waiting for a dead database.
        await asyncio.to_thread(self.engine.dispose)


def _timeouts(backend: str, seconds: int) -> dict[str, Any]:
    """Give the arguments by which a driver gives up, where its database has such."""
    if backend == "postgresql":
        return {"connect_timeout": seconds, "options": f"-c statement_timeout={seconds}s"}
    return {"sqlite": {"timeout": seconds}, "mysql": {"connect_timeout": seconds}}.get(backend, {})
