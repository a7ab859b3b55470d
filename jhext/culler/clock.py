"""Whether times can be trusted: a clock that was put forward makes everybody look idle."""

from __future__ import annotations

JUMP = 60.0
"""Seconds by which a clock may differ from what has gone by; answers and leap seconds take some."""

SETTLING = 900.0
"""Seconds after a jump until nobody is stopped for it: whoever works is seen every 5 minutes."""


class Clock:
    """Compares the hub's clock with the time that has gone by."""

    def __init__(self) -> None:
        self._offset: float | None = None
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
