"""Where the culler's own section of the settings is, read again when it changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from jhext.advice import advise
from jhext.included import INCLUDE
from jhext.profiles.finding import ConfigurationError, Finding
from jhext.profiles.reading import Reading, content_of
from jhext.yamlfile import Document, parse_yaml

from .settings import CullerSettings

SECTION = "culler"
ENVIRONMENT = "JHEXT_CULLER"
"""The variable that holds the section where the settings are a dict."""


class Source(Protocol):
    """Something that holds the section."""

    def changed(self) -> bool:
        """Tell whether it may say something else than when it was last read."""

    def read(self) -> CullerSettings:
        """Read the section.

        Raises
        ------
        ConfigurationError
            It is faulty or not there.
        """


@dataclass(frozen=True)
class Given:
    """A section that was handed over and stays as it is."""

    text: str

    def changed(self) -> bool:
        """Say that it has not changed."""
        return False

    def read(self) -> CullerSettings:
        """Read the section.

        Raises
        ------
        ConfigurationError
            It is faulty.
        """
        return section_of(Document({SECTION: json.loads(self.text)}, {}), ENVIRONMENT)


class File:
    """The section in a ``jhext.yaml``, or in a file that it includes.

    No other section is looked at, nor are their secrets.
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._reading: Reading | None = None

    @property
    def path(self) -> Path:
        """Where the file is."""
        return Path(self._path)

    def changed(self) -> bool:
        """Tell whether the file is another one than was read last."""
        return self._reading is None or not self._reading.is_current

    def read(self) -> CullerSettings:
        """Read the section.

        Raises
        ------
        ConfigurationError
            It is faulty or not there.
        """
        self._reading = reading = Reading()

        def document(file: str) -> Document:
            return parse_yaml(content_of(Path(file), reading), file)

        first = document(self._path)
        value = first.value if isinstance(first.value, Mapping) else {}
        names = value.get(INCLUDE) if SECTION not in value else None
        for name in names if isinstance(names, list) else ():
            file = str(Path(self._path).parent / str(name))
            included = document(file)
            if isinstance(included.value, Mapping) and SECTION in included.value:
                return section_of(included, file)
        return section_of(first, self._path)


def section_of(document: Document, file: str) -> CullerSettings:
    """Check the section of a document.

    Raises
    ------
    ConfigurationError
        It is faulty or not there.
    """
    value: Any = document.value.get(SECTION) if isinstance(document.value, Mapping) else None
    try:
        return CullerSettings.model_validate(value)
    except ValidationError as error:
        raise ConfigurationError(
            _finding(document, file, item) for item in error.errors()
        ) from None


def _finding(document: Document, file: str, error: Any) -> Finding:
    keys, message, suggestion = advise(error, CullerSettings)
    keys = (SECTION, *keys)
    path, line = ".".join(map(str, keys)), document.line(keys)
    return Finding("error", "", path, message, file, line, suggestion=suggestion)
