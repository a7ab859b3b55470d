"""What all spawners of a hub share: made once for its settings, closed when the hub ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Closed(Protocol):
    """Something that has to be closed."""

    async def close(self) -> None:
        """Close it."""


V = TypeVar("V", bound=Closed)


class Shared(Generic[V]):
    """One thing for each settings and each event loop."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[V, asyncio.Task[None]]] = {}

    def of(self, settings: object, make: Callable[[], V]) -> V:
        """Give what was made for these settings, making it the first time.

        Parameters
        ----------
        settings
            The settings. They are kept as long, so that no others can have their place.
        make
            Makes it. What it raises is raised, and it is called again the next time.
        """
        kept = self._kept.get(id(settings))
        if kept is None or kept[1].get_loop() is not asyncio.get_running_loop():
            made = make()
            closing = asyncio.create_task(self._close_at_the_end(made, settings))
            kept = self._kept[id(settings)] = (made, closing)
        return kept[0]

    async def _close_at_the_end(self, made: V, settings: object) -> None:
        """Wait until the hub ends, which cancels all tasks then."""
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._kept.pop(id(settings), None)
            await made.close()
