"""What is wrong with a configuration, said so that it can be mended."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
        What is wrong.
    file
        The file that says so; empty where it was not read from one.
    line
        The line in the file, counted from 1; 0 where it is about the whole file or not known.
    suggestion
        What to do about it.

    Raises
    ------
    ValueError
        There is no suggestion.
    """

    level: Literal["error", "warning"]
    where: str
    path: str
    message: str
    file: str = ""
    line: int = 0
    suggestion: str = field(kw_only=True)

    def __post_init__(self) -> None:
        if not self.suggestion.strip():
            raise ValueError(f"nothing is suggested about: {self.message}")

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        parts = (self.level, place, self.where, self.path, f"{self.message}; {self.suggestion}")
        return ": ".join(part for part in parts if part)


class FaultyError(ValueError):
    """A value is wrong, and it is known what to do about it.

    Parameters
    ----------
    message
        What is wrong.
    suggestion
        What to do.
    """

    def __init__(self, message: str, suggestion: str) -> None:
        super().__init__(f"{message}; {suggestion}")
        self.message = message
        self.suggestion = suggestion


class Suggestions:
    """Words that may have been meant. To look takes long, so only the first are looked for.

    Parameters
    ----------
    known
        The words that there are, and what to write for them.
    otherwise
        What to do where none of them is like it.
    """

    _MOST = 20

    def __init__(self, known: Mapping[str, str], otherwise: str) -> None:
        self._known = {word.casefold(): written for word, written in known.items()}
        self._otherwise = otherwise
        self._found: dict[str, str] = {}

    def __getitem__(self, unknown: str) -> str:
        word = unknown.casefold()
        if word not in self._known and word not in self._found and len(self._found) < self._MOST:
            self._found[word] = next(iter(difflib.get_close_matches(word, self._known, 1)), "")
        meant = self._known.get(self._found.get(word, word))
        return self._otherwise if meant is None else f"did you mean {meant!r}?"


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """Suggest the known word that is like an unknown one; otherwise something else."""
    return Suggestions({other: other for other in known}, otherwise)[word]


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
