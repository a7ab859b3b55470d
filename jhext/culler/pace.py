"""How fast a hub is asked to stop servers: as fast as it keeps answering everybody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_LONGEST = 0.25


class Pace:
    """Lets small requests go one at a time, with a pause of half the time that one takes.

    A hub does one thing at a time: it answers the next small request when it has done what it has
    to for the stop before. So no two stops keep it busy in a row. What a stop waits for, it does
    not keep the hub busy with, and many wait side by side.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until it is this one's turn, which lasts as long as the request."""
        async with self._lock:
            clock = asyncio.get_running_loop().time
            began = clock()
            yield
            await asyncio.sleep(min(_LONGEST, (clock() - began) / 2))
