"""The place of findings that reading alone gives none: about Python, and about missing files."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ..profiles.finding import ConfigurationError, Finding
from ..yamlfile import read_document
from .pythonlines import line_about, texts


@dataclass(frozen=True)
class Placing:
    """Gives findings the place that they are about in a configuration.

    Parameters
    ----------
    path
        The ``jhext.yaml`` or ``jupyterhub_config.py`` that was read.
    """

    path: Path

    def place(self, finding: Finding) -> Finding:
        """Give a finding with file and line; of what is not found, the first line."""
        if finding.file and finding.line:
            return finding
        if finding.file and Path(finding.file) != self.path:
            file, line = self._naming(Path(finding.file))
            message = f"{finding.file} {finding.message}"
            return replace(finding, message=message, file=file, line=line)
        line = line_about(self._code, finding.where, finding.path)
        return replace(finding, file=str(self.path), line=line)

    def _naming(self, file: Path) -> tuple[str, int]:
        """Find the line that names a file, or a folder that it is in."""
        named = self._named.keys() & {file, *file.parents}
        nearest = max(named, key=lambda path: len(path.parts), default=None)
        return (str(self.path), 1) if nearest is None else self._named[nearest]

    @cached_property
    def _named(self) -> dict[Path, tuple[str, int]]:
        """All texts as if they were paths, and where they are written."""
        found: dict[Path, tuple[str, int]] = {}
        if self.path.suffix != ".py":
            return _texts_of(self.path)
        for text, line in texts(self._code):
            found.setdefault(Path(text), (str(self.path), line))
            if text.endswith((".yaml", ".yml")):
                found |= _texts_of(Path(text))
        return found

    @cached_property
    def _code(self) -> ast.Module:
        try:
            return ast.parse(self.path.read_bytes() if self.path.suffix == ".py" else "")
        except (OSError, SyntaxError, ValueError):
            return ast.Module([], [])


def _texts_of(path: Path) -> dict[Path, tuple[str, int]]:
    try:
        document = read_document(path)
    except ConfigurationError:
        return {}
    return {
        path.parent / text: (str(path), document.line(keys))
        for keys, text in _leaves((), document.value)
    }


def _leaves(keys: tuple[object, ...], value: object) -> Iterator[tuple[Sequence[object], str]]:
    if isinstance(value, str):
        yield keys, value
    elif isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from _leaves((*keys, key), inner)
