"""A client of a directory: searches under the hub's own account, and checks of passwords."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jhext.identity.errors import IdentityUnavailable
from jhext.identity.ids import shown
from jhext.profiles.finding import ConfigurationError

from .access import Access
from .connection import Connection
from .messages import Found, Outcome, Search
from .pool import BusyError, Pool, Rota

SUCCESS = 0
_BUSY = frozenset({51, 52})  # busy, unavailable: RFC 4511, 4.1.9


class Client:
    """Asks one directory. Nothing of it blocks the event loop.

    Parameters
    ----------
    access
        How the directory is reached.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        rota = Rota(access.servers)
        self._lookups = Pool(access, rota, self._log_in if access.bind_dn else None)
        # On a connection that was somebody's, nothing but the next password is ever said.
        self._checks = Pool(access, rota)
        self.operations = 0
        """How many binds and searches there were; further pages are not counted."""

    @asynccontextmanager
    async def in_time(self) -> AsyncIterator[None]:
        """Bound the time for what is asked within.

        Raises
        ------
        IdentityUnavailable
            When it is over.
        """
        try:
            async with asyncio.timeout(self._access.deadline):
                yield
        except TimeoutError:
            raise IdentityUnavailable(
                f"no answer within {self._access.deadline} s", transient=False
            ) from None

    async def search(self, question: Search) -> tuple[list[Found], Outcome]:
        """Ask, and give what came with how it ended.

        Raises
        ------
        IdentityUnavailable
            When no server answers.
        """

        async def ask(connection: Connection) -> tuple[list[Found], Outcome]:
            self.operations += 1
            found, outcome = await connection.search(question)
            return found, _unless_busy(outcome)

        return await self._lookups.run(ask)

    async def all(self, question: Search) -> list[Found]:
        """Ask, and take nothing less than the whole answer.

        Raises
        ------
        IdentityUnavailable
            When there is none.
        """
        found, outcome = await self.search(question)
        complete(outcome, question)
        return found

    async def bind(self, name: str, password: str) -> Outcome:
        """Try a password, and say how that ended.

        Raises
        ------
        IdentityUnavailable
            When no server answers.
        """
        return await self._checks.run(lambda connection: self._bind(connection, name, password))

    def close(self) -> None:
        """Hang up. It may be asked again afterwards."""
        self._lookups.close()
        self._checks.close()

    async def _log_in(self, connection: Connection) -> None:
        """Make a new connection the hub's own."""
        read, name = self._access.bind_password, self._access.bind_dn
        try:
            password = await asyncio.to_thread(read) if read is not None else ""
        except ConfigurationError as error:
            raise IdentityUnavailable(str(error), transient=False) from None
        if not password:
            raise IdentityUnavailable(f"no password for {name}", transient=False)
        outcome = await self._bind(connection, name or "", password)
        if outcome.code != SUCCESS:
            raise unavailable(f"the hub's own login as {name}", outcome)

    async def _bind(self, connection: Connection, name: str, password: str) -> Outcome:
        self.operations += 1
        return _unless_busy(await connection.bind(name, password))


def complete(outcome: Outcome, question: Search) -> None:
    """Accept the outcome of a search only where all that there is has come.

    Raises
    ------
    IdentityUnavailable
        When it has not: limits of the server, a base that cannot be read, other servers' parts.
    """
    if outcome.code != SUCCESS:
        raise unavailable(f"the search below {question.base}", outcome)


def unavailable(what: str, outcome: Outcome) -> IdentityUnavailable:
    """Say that the directory did not do what it was asked for."""
    return IdentityUnavailable(
        f"{what}: result {outcome.code} {shown(outcome.message)}", transient=False
    )


def _unless_busy(outcome: Outcome) -> Outcome:
    if outcome.code in _BUSY:
        raise BusyError(f"result {outcome.code} {shown(outcome.message)}")
    return outcome
