"""What is wrong with a configuration, said so that it can be mended."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Parameters
    ----------
    level
        An ``error`` makes the configuration unusable, a ``warning`` does not.
    where
        The profile or the section it is about.
    path
        The keys that lead to it, joined by dots; empty for the whole of it.
    message
        What is wrong, and how to mend it where that is known.
    file
        The file that says so; empty where it was not read from one.
    line
        The line in the file, counted from 1; 0 where it is about the whole file or not known.
    """

    level: Literal["error", "warning"]
    where: str
    path: str
    message: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        parts = (self.level, place, self.where, self.path, self.message)
        return ": ".join(part for part in parts if part)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """End a message about an unknown word with the known one that is like it, if one is."""
    close = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


class ConfigurationError(Exception):
    """The configuration is faulty; all that is wrong is told at once.

    Parameters
    ----------
    findings
        What is wrong.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(str, self.findings)))
