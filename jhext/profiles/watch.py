"""The sources of profiles, read again when they change."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .catalog import Policy
from .finding import Finding
from .lint import LintRules
from .metrics import reload_metrics
from .reading import Reading
from .sources import Sources, Version, load

DEADLINE = 10.0
"""Seconds that somebody waits for files to be read."""


@dataclass(frozen=True)
class Current:
    """What holds now.

    Parameters
    ----------
    version
        The last faultless version; None if there was none yet.
    problems
        What is wrong with what the sources say now; empty if they say that version.
    """

    version: Version | None
    problems: tuple[Finding, ...]


_LATE = Finding(
    "error",
    "",
    "",
    f"profiles could not be read in {DEADLINE:g} s",
    suggestion="look whether the file system with their files answers",
)


class Watch:
    """Some sources of profiles, looked at whenever somebody asks.

    The looking is done in a thread of its own. However many ask at a time, it looks once; and
    whoever asks gets what was there after they asked.

    Parameters
    ----------
    sources
        Where the profiles come from.
    rules
        What they are checked by.
    policy
        How their access rules are read.
    first
        A faultless version of the sources, if one is known.
    """

    def __init__(
        self, sources: Sources, rules: LintRules, policy: Policy, first: Version | None = None
    ) -> None:
        self._load: Callable[[], Version] = lambda: load(sources, rules, policy)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="jhext-profiles")
        self._looking: Future[None] | None = None
        self._late = False
        self._reading: Reading | None = None
        self._current = Current(None, ())
        self._messages: deque[tuple[int, str]] = deque()
        if first is not None:
            self._take(first)

    @property
    def settled(self) -> Version | None:
        """What holds for good, since no file has a part in it; None where one has."""
        return self._current.version if self._is_of_no_file else None

    @property
    def _is_of_no_file(self) -> bool:
        return self._reading is not None and self._reading.is_of_nothing

    async def current(self) -> Current:
        """Give what holds now."""
        if self._is_of_no_file:
            return self._current
        looking = asyncio.wrap_future(self._look())
        # After one who waited in vain, nobody waits until the disk answers again.
        done, _ = await asyncio.wait([looking], timeout=0 if self._late else DEADLINE)
        if done:
            looking.result()
            return self._current
        if not self._late:
            self._late = True
            self._messages.append((logging.ERROR, str(_LATE)))
            reload_metrics().record_late()
        return Current(self._current.version, (_LATE,))

    def messages(self) -> Iterator[tuple[int, str]]:
        """Give what is to be logged, each message once, with its level."""
        while self._messages:
            yield self._messages.popleft()

    def _look(self) -> Future[None]:
        # A look that has begun may have missed what the asker knows to have changed.
        if self._looking is None or self._looking.running() or self._looking.done():
            self._looking = self._worker.submit(self._refresh)
        return self._looking

    def _refresh(self) -> None:
        try:
            if not self._is_unchanged():
                self._read()
        finally:
            if self._late:
                self._late = False
                reload_metrics().successful.set(not self._current.problems)

    def _is_unchanged(self) -> bool:
        if self._reading is None:
            return False
        if self._reading.is_current:
            return True
        again = self._reading.again()
        if not (again.holds and again.says_what(self._reading)):
            return False
        self._reading = again
        return True

    def _read(self) -> None:
        try:
            version = self._load()
        except Exception as error:  # whatever it is, the version before is there
            self._give_up(error)
        else:
            self._take(version)

    def _give_up(self, error: Exception) -> None:
        message = f"reading the profiles failed: {type(error).__name__}"
        suggestion = "the traceback in the log tells where; please report it"
        problems = (Finding("error", "", "", message, suggestion=suggestion),)
        if problems != self._current.problems:
            reload_metrics().record(faultless=False)
            self._messages.append((logging.ERROR, "".join(traceback.format_exception(error))))
        self._current = Current(self._current.version, problems)
        self._reading = None

    def _take(self, version: Version) -> None:
        before, errors = self._current.version, version.catalog.errors
        self._current = Current(before, errors) if errors else Current(version, ())
        self._reading = version.reading
        if not version.reading.is_of_nothing:
            reload_metrics().record(faultless=not errors)
        self._messages += _messages(version, before)


def _messages(version: Version, before: Version | None) -> Iterator[tuple[int, str]]:
    # Without a version before there is nothing that anybody could start.
    level = logging.ERROR if before else logging.CRITICAL
    if before and version.catalog.errors:
        yield level, "The profiles changed and are faulty"
    elif before:
        yield logging.INFO, f"The profiles changed; their version is {version.catalog.version}"
        if changed := ", ".join(_changed(before.other_sections, version.other_sections)):
            yield logging.WARNING, f"What changed in the sections {changed} waits for a restart"
    for finding in version.catalog.findings:
        yield level if finding.level == "error" else logging.WARNING, str(finding)


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [name for name in {**before, **now} if before.get(name) != now.get(name)]
