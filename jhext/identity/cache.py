"""A cache that asks once: entries with an age, and one look-up in flight per key."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[V]):
    value: V
    stored_at: float


class AskOnceCache(Generic[V]):
    """Remembers answers for a while; whoever asks during a look-up waits for that one.

    Parameters
    ----------
    ttl
        Seconds for which an answer is given without asking again.
    stale
        Seconds after that for which it may still be had from `leftover`.
    size
        How many answers are kept. The one that was not used for longest goes first.
    clock
        Seconds that only go forward.
    """

    def __init__(
        self,
        ttl: float,
        stale: float = 0,
        size: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ttl = ttl
        self._stale = stale
        self._size = size
        self._clock = clock
        self._entries: OrderedDict[Hashable, _Entry[V]] = OrderedDict()
        self._flights: dict[Hashable, asyncio.Task[V]] = {}

    async def get(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Give the answer for a key, asking for it where none is fresh.

        A failure is raised to all who wait for it and is not remembered. A waiter that is
        cancelled leaves the look-up to the others.
        """
        value = self._younger_than(key, self._ttl)
        if value is not None:
            return value
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(ask())
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(flight)

    def leftover(self, key: Hashable) -> V | None:
        """Give the last answer even if it is not fresh, within the time set by ``stale``."""
        return self._younger_than(key, self._ttl + self._stale) if self._stale else None

    def forget(self, key: Hashable) -> None:
        """Ask again the next time; a look-up that is under way is not remembered."""
        self._entries.pop(key, None)
        self._flights.pop(key, None)

    def close(self) -> None:
        """End the look-ups that are under way."""
        for flight in list(self._flights.values()):
            flight.cancel()

    def _younger_than(self, key: Hashable, age: float) -> V | None:
        entry = self._entries.get(key)
        if entry is None or self._clock() - entry.stored_at >= age:
            return None
        self._entries.move_to_end(key)
        return entry.value

    def _landed(self, key: Hashable, flight: asyncio.Task[V]) -> None:
        failed = flight.cancelled() or flight.exception() is not None
        if self._flights.get(key) is not flight:
            return
        del self._flights[key]
        if failed:
            return
        self._entries[key] = _Entry(flight.result(), self._clock())
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)
