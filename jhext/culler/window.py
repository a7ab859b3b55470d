"""Times of the week in which servers may be stopped, such as ``Mon-Fri 20:00-06:00``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = "(?:" + "|".join(_DAYS) + ")"
_DAYS_PART = rf"{_DAY}(?:-{_DAY})?(?:,{_DAY}(?:-{_DAY})?)*"
_TIME = r"(?:[01]?\d|2[0-3]):[0-5]\d|24:00"
_WINDOW = re.compile(
    rf"(?P<days>{_DAYS_PART})?(?:^|\s+|$)(?:(?P<begin>{_TIME})-(?P<end>{_TIME}))?", re.ASCII | re.I
)


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time on some days of the week, on the clock on the wall.

    Parameters
    ----------
    days
        The days on which it begins, Monday being 0.
    begin, end
        When it begins and ends. An end that is not later is on the day after.
    """

    days: frozenset[int]
    begin: time
    end: time

    def holds(self, moment: datetime) -> bool:
        """Tell whether a moment lies in it.

        Parameters
        ----------
        moment
            The moment, in the time zone that the window is meant in.
        """
        today, clock = moment.weekday(), moment.time()
        if self.begin < self.end:
            return today in self.days and self.begin <= clock < self.end
        if clock >= self.begin:
            return today in self.days
        return clock < self.end and (today - 1) % 7 in self.days


def opens(window: Window, moment: datetime) -> datetime:
    """Tell from when on a window is open: a moment itself, or the first one after it.

    Parameters
    ----------
    window
        The window.
    moment
        The moment, in the time zone that the window is meant in.
    """
    if window.holds(moment):
        return moment
    days = (moment.date() + timedelta(days=day) for day in range(8))
    begins = (datetime.combine(day, window.begin, moment.tzinfo) for day in days)
    return next(begin for begin in begins if begin > moment and begin.weekday() in window.days)


def parse_window(text: str) -> Window:
    """Read a window: days, times, or both.

    Raises
    ------
    ValueError
        It is none.
    """
    match = _WINDOW.fullmatch(text.strip())
    if not match or not (match["days"] or match["begin"]):
        raise ValueError(f"is no window such as 'Mon-Fri 20:00-06:00', '22:00-6:00': {text!r}")
    days = frozenset(
        day for part in (match["days"] or "mon-sun").lower().split(",") for day in _span(part)
    )
    if match["begin"] is None:
        return Window(days, time(), time())
    return Window(days, _time(match["begin"]), _time(match["end"]))


def _span(part: str) -> list[int]:
    first, _, last = part.partition("-")
    begin = _DAYS.index(first)
    length = (_DAYS.index(last or first) - begin) % 7
    return [(begin + day) % 7 for day in range(length + 1)]


def _time(text: str) -> time:
    hour, minute = text.split(":")
    return time(int(hour) % 24, int(minute))
