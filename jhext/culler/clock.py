"""Whether times can be trusted: by a clock put forward, or a hub away, everybody looks idle."""

from __future__ import annotations

import math

JUMP = 60.0
"""Seconds by which a clock may differ from what has gone by; answers and leap seconds take some."""

SETTLING = 900.0
"""Seconds after a jump until nobody is stopped for it: whoever works is seen every 5 minutes."""

HEARD = 360.0
"""Seconds in which a hub that was away hears of all servers in use: each tells it every 5 minutes,
give or take a tenth, and JupyterHub asks its proxy as often."""


class Clock:
    """Compares the hub's clock with the time that has gone by."""

    def __init__(self) -> None:
        self._offset: float | None = None
        self._read_at = self._back_at = -math.inf
        self._was_away = 0.0
        self._is_away = False
        self._settled_at = 0.0
        self.jumped_by = 0.0

    def set(self, wall: float, monotonic: float) -> bool:
        """Take a reading of the hub's clock; tell whether it has jumped.

        Parameters
        ----------
        wall
            What the hub's clock says, in seconds since 1970.
        monotonic
            What a clock says that nobody can change.
        """
        if self._is_away:
            self._is_away = False
            self._back_at, self._was_away = monotonic, monotonic - self._read_at
        self._read_at = monotonic
        offset, before = wall - monotonic, self._offset
        self._offset = offset
        if before is None or abs(offset - before) <= JUMP:
            return False
        self.jumped_by = offset - before
        self._settled_at = monotonic + SETTLING
        return True

    def now(self, monotonic: float) -> float:
        """Tell what the hub's clock says, after the first reading."""
        return (self._offset or 0.0) + monotonic

    def is_settled(self, monotonic: float) -> bool:
        """Tell whether times from before the last jump no longer matter."""
        return monotonic >= self._settled_at

    def lose(self) -> None:
        """Note that the hub does not answer, or may not have been there before."""
        self._is_away = True

    def has_heard(self, seen: float, timeout: float, monotonic: float) -> bool:
        """Tell whether the hub has been there for long enough to know that a server is idle.

        Parameters
        ----------
        seen
            When it was started or used last, as far as the hub knows, on the hub's clock.
        timeout
            After how many seconds it is idle.
        monotonic
            As in `set`.
        """
        return (
            timeout > self._was_away + HEARD
            or monotonic - self._back_at >= min(timeout, HEARD)
            or seen >= self.now(self._back_at)
        )
