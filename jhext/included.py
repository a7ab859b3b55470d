"""Sections that stand in other files: ``include`` names them, and each section is in one file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .profiles.finding import ConfigurationError, Finding
from .yamlfile import Document, read_document

INCLUDE = "include"


@dataclass(frozen=True)
class Part:
    """Sections, and the file that they stand in.

    Parameters
    ----------
    document
        What the file says; a mapping of sections.
    file
        Its path; empty for a dict.
    """

    document: Document
    file: str

    def finding(self, keys: Sequence[Any], message: str, suggestion: str) -> Finding:
        """Tell what is wrong with something in it."""
        where, path = "" if self.file else "settings", ".".join(map(str, keys))
        line = self.document.line(keys)
        return Finding("error", where, path, message, self.file, line, suggestion=suggestion)


def parts_of(source: str | Path | Mapping[str, Any], known: Iterable[str]) -> list[Part]:
    """Read settings and what they include.

    Parameters
    ----------
    source
        The path of a file, or a dict. What a file includes is relative to its folder.
    known
        The names of all sections.

    Raises
    ------
    ConfigurationError
        A file cannot be read, is no mapping, or has a section that another one has too.
    """
    is_dict = isinstance(source, Mapping)
    first = Part(Document(source, {}), "") if is_dict else _read(str(source))
    parts, findings = [_checked(first, known)], list[Finding]()
    for name in _names(first):
        part = _checked(_read(str(Path(first.file).parent / name)), known)
        if INCLUDE in part.document.value:
            suggestion = f"name all files in {first.file or 'the settings'}"
            findings.append(part.finding([INCLUDE], "is not followed here", suggestion))
        for section in part.document.value:
            for other in parts:
                if section in other.document.value and section != INCLUDE:
                    message = f"stands in {other.file or 'the settings'} too"
                    findings.append(part.finding([section], message, "write it in one of them"))
        parts.append(part)
    if findings:
        raise ConfigurationError(findings)
    return parts


def _read(file: str) -> Part:
    return Part(read_document(Path(file)), file)


def _checked(part: Part, known: Iterable[str]) -> Part:
    if not isinstance(part.document.value, Mapping):
        kind = type(part.document.value).__name__
        message = f"must be a mapping of sections, not {kind}"
        suggestion = f"sections are {', '.join(known)}"
        raise ConfigurationError(
            [Finding("error", "", "", message, part.file, 1, suggestion=suggestion)]
        )
    return part


def _names(part: Part) -> list[str]:
    """Give the files that are included; what is no list of names the schema refuses."""
    names = part.document.value.get(INCLUDE)
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
