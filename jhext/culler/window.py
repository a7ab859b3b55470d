"""Times of the week in which servers may be stopped, such as ``Mon-Fri 20:00-06:00``."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = "(?:" + "|".join(_DAYS) + ")"
_DAYS_PART = rf"{_DAY}(?:-{_DAY})?(?:,{_DAY}(?:-{_DAY})?)*"
_TIME = r"(?:[01]?\d|2[0-3]):[0-5]\d"
_WINDOW = re.compile(
    rf"(?P<days>{_DAYS_PART})?(?:^|\s+|$)(?:(?P<begin>{_TIME})-(?P<end>{_TIME}|24:00))?",
    re.ASCII | re.I,
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
    zone = moment.tzinfo or UTC
    # A window of one day of the week does not open where clocks skip it.
    for ahead in range(2 * len(_DAYS) + 1):
        day = moment.date() + timedelta(days=ahead)
        begin = datetime.combine(day, window.begin, zone)
        later = [it.astimezone(UTC) for it in (begin, begin.replace(fold=1), *_jumps(day, zone))]
        there = (it.astimezone(zone) for it in sorted(later) if it > moment.astimezone(UTC))
        if found := next((it for it in there if window.holds(it)), None):
            return found
    raise AssertionError


@lru_cache(maxsize=256)
def _jumps(day: date, zone: tzinfo) -> tuple[datetime, ...]:
    """Give when clocks are put forward or back on a day: a window may open in the middle then."""
    first, last = (
        datetime.combine(it, time(), zone).astimezone(UTC) for it in (day, day + timedelta(days=1))
    )
    before = first.astimezone(zone).utcoffset()

    def is_after(minute: int) -> bool:
        return (first + timedelta(minutes=minute)).astimezone(zone).utcoffset() != before

    minutes = (last - first) // timedelta(minutes=1)
    if not is_after(minutes):
        return ()
    return (first + timedelta(minutes=bisect_left(range(minutes), True, key=is_after)),)


def zone_of(name: str) -> tzinfo:
    """Give a time zone; UTC also where nothing tells of any, as in small images.

    Raises
    ------
    ValueError
        There is none of that name.
    """
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        missing = "" if available_timezones() else "; none is known here, install tzdata"
        raise ValueError(f"is no time zone such as Europe/Berlin: {name!r}{missing}") from None


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
