"""A source of identities: somebody who can be asked about a person."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, get_args

Field = Literal[
    "username", "uid", "gid", "groups", "home", "shell", "gecos", "email", "claims", "subject"
]
"""What a source may say of a person."""

FIELDS: frozenset[Field] = frozenset(get_args(Field))

Answer = Mapping[str, Any]
"""Fields and their values as the source has them, unchecked."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a source is asked about.

    Parameters
    ----------
    name
        The hub's name of the person.
    auth_state
        What the authenticator keeps of the person, if there is anything. It may hold tokens, so it
        is in no repr.
    groups
        The person's groups in the hub.
    """

    name: str
    auth_state: Mapping[str, Any] | None = field(default=None, repr=False, hash=False)
    groups: frozenset[str] = frozenset()


class Source(ABC):
    """Somebody who can be asked about a person.

    Parameters
    ----------
    name
        The name by which the operator, the log and the ledger know the source.
    """

    reads_auth_state = False
    """Whether the answer depends on the authenticator's state besides the name."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    async def lookup(self, person: Person) -> Answer | None:
        """Say what is known of a person, or None where the person is not known.

        Raises
        ------
        IdentityUnavailable
            When the source cannot answer now.
        IdentityRefused
            When what it has about this person is contradictory.
        """

    async def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Give back connections. The source may be asked again afterwards."""


class Only(Source):
    """A source of which only some fields count.

    Parameters
    ----------
    source
        The source.
    fields
        What counts of its answers.
    """

    def __init__(self, source: Source, fields: Iterable[Field]) -> None:
        super().__init__(source.name)
        self.reads_auth_state = source.reads_auth_state
        self._source = source
        self._fields = frozenset(fields)

    async def lookup(self, person: Person) -> Answer | None:
        """Ask the source and keep what counts."""
        answer = await self._source.lookup(person)
        if answer is None:
            return None
        return {field: value for field, value in answer.items() if field in self._fields}

    async def close(self) -> None:
        """Close the source."""
        await self._source.close()


class Workers:
    """Threads of its own for whatever would make the event loop wait.

    Parameters
    ----------
    count
        How many threads there may be; they are started as they are needed.
    """

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="jhext-identity")

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function in a thread and wait for it without blocking the loop.

        Cancelling the wait does not end a call that has begun; one that has not never begins.
        """
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

    def close(self) -> None:
        """Take no more calls. Those that have begun end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)
