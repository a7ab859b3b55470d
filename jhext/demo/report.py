"""One line for each thing that is tried, with a mark that says how it went."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text


class _Failed(Exception):  # noqa: N818 (it only leads out of a sequence)
    """A step went wrong, so the rest of its sequence is left out."""


@dataclass
class Step:
    """What is being tried."""

    text: str


@dataclass
class Report:
    """Tells of each step while it goes on, and counts."""

    console: Console
    passed: int = 0
    failed: int = 0

    @contextmanager
    def sequence(self) -> Iterator[None]:
        """Steps that build on one another: after one that failed, the others are left out."""
        try:
            yield
        except _Failed:
            pass

    @contextmanager
    def step(self, text: str) -> Iterator[Step]:
        """Try something; whatever it raises is the reason why it failed."""
        step = Step(text)
        start = time.monotonic()
        try:
            with self.console.status(Text(text)):
                yield step
        except Exception as error:  # noqa: BLE001
            reason = str(error) or type(error).__name__
            self._line(False, f"{step.text}: {reason}", start)
            raise _Failed from error
        self._line(True, step.text, start)

    def _line(self, good: bool, text: str, start: float) -> None: ...
