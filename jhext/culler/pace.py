"""How fast a hub is asked to stop servers: as fast as it keeps answering everybody else."""

from __future__ import annotations

import asyncio

_SHORTEST, _LONGEST = 0.002, 0.25


class Pace:
    """Lets requests go one after the other, with a pause of half the time that an answer takes.

    So the hub gets to others in between. A stop itself is not waited for.
    """

    def __init__(self) -> None:
        self._next = 0.0
        self._gap = _SHORTEST

    async def turn(self) -> None:
        """Wait until it is this one's turn."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._next)
        self._next = at + self._gap
        await asyncio.sleep(at - now)

    def took(self, seconds: float) -> None:
        """Tell how long the hub took for something small."""
        self._gap = min(_LONGEST, max(_SHORTEST, seconds / 2))
