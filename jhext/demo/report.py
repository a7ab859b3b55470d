"""One line for each thing that is tried, with a mark that says how it went."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text


class _Failed(Exception):  # noqa: N818 (it only leads out of a sequence)
    """A step went wrong, so the rest of its sequence is left out."""


@dataclass
class Step:
    """What is being tried; the text may be added to while it goes on."""

    text: str


@dataclass
class Report:
    """Tells of each step, and counts; shows what came into the logs while one failed."""

    console: Console
    logs: Sequence[Path] = ()
    passed: int = 0
    failed: int = 0

    @contextmanager
    def sequence(self) -> Iterator[None]:
        """Take steps that build on one another: after one that failed, the others are left out."""
        with suppress(_Failed):
            yield

    @contextmanager
    def step(self, text: str) -> Iterator[Step]:
        """Try something; whatever it raises is the reason why it failed."""
        step = Step(text)
        start = time.monotonic()
        before = [_size(log) for log in self.logs]
        try:
            with self.console.status(Text(text)):
                yield step
        except Exception as error:
            self.failed += 1
            reason = str(error) or type(error).__name__
            self._tell("✗", "FAILED", "red", f"{step.text}: {reason}")
            for log, size in zip(self.logs, before, strict=True):
                self._quote(log, size)
            raise _Failed from error
        self.passed += 1
        seconds = time.monotonic() - start
        took = f" ({seconds:.1f} s)" if seconds >= 1 else ""  # the rest is noise
        self._tell("✓", "ok", "green", f"{step.text}{took}")

    def _tell(self, mark: str, word: str, color: str, text: str) -> None:
        plain = self.console.options.ascii_only
        line = Text.assemble((word if plain else mark, color), f" {text}")
        self.console.print(line, soft_wrap=True)

    def _quote(self, log: Path, start: int, lines: int = 20) -> None:
        """Show the last lines of what has been added to a log."""
        with log.open("rb") as file:
            file.seek(start)
            added = file.read().decode(errors="replace").splitlines()
        for line in added[-lines:]:
            self.console.print(Text(f"    {log.name}: {line}"), soft_wrap=True)


def _size(path: Path) -> int:
    return path.stat().st_size


def expect(condition: bool, otherwise: str) -> None:
    """
    Let a step fail unless the condition holds.

    Raises
    ------
    AssertionError
        It does not; the text says what was found instead.
    """
    if not condition:
        raise AssertionError(otherwise)
