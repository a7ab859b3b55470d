"""The chain of sources: who a person is, asked once, in time, or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from .allocate import Registry, complete
from .cache import AskOnceCache
from .errors import IdentityError, IdentityRefused, IdentityUnavailable, Reason
from .ledger import Holder, Ledger, UniqueUid
from .model import Identity
from .precedence import Rules, combine
from .source import Person, Source, Workers

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how often sources are asked.

    Parameters
    ----------
    deadline
        Seconds for the whole chain, waiting for a turn and for the ledger included.
    concurrency
        How many people may be looked up at the same time.
    ttl
        Seconds for which an identity is kept without asking again.
    serve_stale
        Seconds beyond the ``ttl`` for which a kept identity may stand in for a source that does
        not answer; 0 for never.
    """

    deadline: float = 15
    concurrency: int = 32
    ttl: float = 300
    serve_stale: float = 0


class Resolver:
    """Answers who a person is on the file system.

    Parameters
    ----------
    sources
        Whom to ask. All are asked at the same time; their order decides between their answers.
    rules
        What an identity must be like.
    limits
        How long and how often sources are asked.
    workers
        The threads that sources and ledger use; they end with the resolver.
    ledger
        Where it is kept which uid is whose, if that is kept.
    unique_uid
        What happens when a uid turns out to be somebody else's.
    registry
        Who gives ids to whom the sources give none, if anybody does.
    log
        Where notes about groups and values that were passed over go.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        rules: Rules,
        limits: Limits,
        *,
        workers: Workers,
        ledger: Ledger | None = None,
        unique_uid: UniqueUid = UniqueUid.REFUSE,
        registry: Registry | None = None,
        log: logging.Logger | logging.LoggerAdapter[logging.Logger] | None = None,
    ) -> None:
        self._sources = tuple(sources)
        self._rules = rules
        self._limits = limits
        self._workers = workers
        self._ledger = ledger
        self._unique_uid = unique_uid
        self._registry = registry
        self._log = log or logging.getLogger(__name__)
        self._cache: AskOnceCache[Identity] = AskOnceCache(limits.ttl, limits.serve_stale)
        self._turns = asyncio.Semaphore(limits.concurrency)

    async def resolve(self, person: Person) -> Identity:
        """Say who a person is, from the cache or by asking.

        Raises
        ------
        IdentityRefused
            When the answers make no acceptable identity.
        IdentityUnavailable
            When a source or the ledger does not answer in time.
        """
        key = self._key(person)
        try:
            return await self._cache.get(key, lambda: self._ask_in_time(person))
        except IdentityRefused:
            self._cache.forget(key)
            raise
        except IdentityUnavailable as error:
            identity = self._cache.leftover(key)
            if identity is None:
                raise
            self._log.warning("%s; the identity of %s is used", error, identity.resolved_at)
            return identity

    def forget(self, person: Person) -> None:
        """Ask again the next time."""
        self._cache.forget(self._key(person))

    async def close(self) -> None:
        """End what is under way and give back connections and threads."""
        self._cache.close()
        for source in self._sources:
            await source.close()
        if self._ledger is not None:
            await self._ledger.close()
        if self._registry is not None:
            await self._registry.close()
        self._workers.close()

    def _key(self, person: Person) -> Hashable:
        """Make the key that an identity is kept under.

        Who has other groups in the hub than before is asked about anew, as the sources may say so,
        too. The same holds for a changed state of the authenticator where a source reads it; a
        digest stands for it, since it may hold tokens.
        """
        if person.auth_state is None or not any(s.reads_auth_state for s in self._sources):
            return person.name, person.groups
        state = json.dumps(person.auth_state, default=repr)
        return person.name, person.groups, hashlib.sha256(state.encode()).digest()

    async def _ask_in_time(self, person: Person) -> Identity:
        try:
            async with asyncio.timeout(self._limits.deadline), self._turns:
                return await self._ask(person)
        except TimeoutError:
            raise IdentityUnavailable(
                f"no answer about {person.name!a} within {self._limits.deadline} s"
            ) from None

    async def _ask(self, person: Person) -> Identity:
        answers = await asyncio.gather(
            *(_ask_twice(source.name, partial(source.lookup, person)) for source in self._sources),
            return_exceptions=True,
        )
        known = []
        for source, answer in zip(self._sources, answers, strict=True):
            if isinstance(answer, BaseException):
                raise answer  # of several, the first in the order of the chain
            if answer is not None:
                known.append((source.name, answer))
        if self._registry is not None:
            # They are only given when all sources have said that they give none.
            given = partial(complete, self._registry, person, known)
            known = await _ask_twice("the registry of ids", given)
        combined = combine(person.name, known, self._rules, datetime.now(UTC))
        for note in combined.notes:
            self._log.warning("%s", note)
        await self._check_unique(combined.identity)
        return combined.identity

    async def _check_unique(self, identity: Identity) -> None:
        if self._ledger is None:
            return
        claimant = Holder(identity.sources["uid"], identity.subject, identity.username)
        claim = partial(self._ledger.claim, identity.uid, claimant)
        try:
            other = await _ask_twice("the ledger", claim)
        except IdentityUnavailable as error:
            if self._unique_uid is UniqueUid.REFUSE:
                raise
            self._log.warning("uid %d of %s is not checked: %s", identity.uid, claimant, error)
            return
        if other is None:
            return
        text = f"uid {identity.uid} of {claimant} belongs to {other}"
        if self._unique_uid is UniqueUid.REFUSE:
            raise IdentityRefused(
                Reason.TAKEN, f"{text}; `jhext ids forget {identity.uid}` releases it"
            )
        self._log.warning("%s", text)


async def _ask_twice(name: str, ask: Callable[[], Awaitable[T]]) -> T:
    """Ask, and once more where that may help."""
    try:
        return await _ask_once(name, ask)
    except IdentityUnavailable as error:
        if not error.transient:
            raise
    return await _ask_once(name, ask)


async def _ask_once(name: str, ask: Callable[[], Awaitable[T]]) -> T:
    """Ask; a mistake in whoever is asked means no answer, never some other answer."""
    try:
        return await ask()
    except IdentityError:
        raise
    except Exception as error:
        raise IdentityUnavailable(f"{name}: {type(error).__name__}", transient=False) from error
