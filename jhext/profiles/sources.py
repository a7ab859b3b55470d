"""Where profiles come from: lists in Python, files of profiles, mapping files."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..advice import advise
from ..included import Part
from ..settings import Settings
from ..storage.mounts import MountSettings
from ..storage.named import fill_in as fill_in_mounts
from ..storage.settings import StorageSettings
from ..yamlfile import Document, KeyPath, parse_yaml
from .build import as_list, build
from .catalog import Catalog, Policy
from .finding import ConfigurationError, Finding, did_you_mean
from .freeze import FrozenList, freeze
from .lint import LintRules
from .mapping import MappingFile, parse_mapping
from .names import fill_in, parse_names
from .reading import Reading, content_of
from .written import Place, Written

_SECTION = "profiles"
_RELOADED = frozenset({_SECTION, "culler"})
"""The sections of the settings that take effect when they change."""
_STORAGE = "storage"
_SUFFIXES = {".yaml", ".yml"}
_PAUSES = (0.0, 0.01, 0.02, 0.05, 0.1)
"""Seconds before each attempt to read files that change while they are read."""


@dataclass(frozen=True)
class Sources:
    """Where profiles come from, in the order in which they are shown.

    Parameters
    ----------
    listed
        Lists or dicts of profiles.
    settings_file
        The path of a ``jhext.yaml`` with a section ``profiles``.
    profile_files
        The paths of files with a section ``profiles`` and nothing else, or of folders of such
        files, which are read in the order of their names.
    mapping_files
        The paths of mapping files.
    """

    listed: tuple[Any, ...] = ()
    settings_file: str = ""
    profile_files: tuple[str, ...] = ()
    mapping_files: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        profile_list: Any,
        settings: Settings | None,
        profile_files: Iterable[str],
        mapping_files: Iterable[str],
    ) -> Sources:
        """Collect what a spawner is configured with.

        Parameters
        ----------
        profile_list
            The list, or what else is the trait of that name: only lists and dicts are sources.
        settings
            What ``jhext.configure`` read.
        profile_files, mapping_files
            The traits.
        """
        file = settings.file_of(_SECTION) if settings else ""
        lists = (profile_list, settings.profiles if settings and not file else None)
        listed = tuple(item for item in lists if item and isinstance(item, list | dict))
        return cls(listed, file, tuple(profile_files), tuple(mapping_files))


@dataclass(frozen=True)
class Version:
    """What the sources said at one moment.

    Parameters
    ----------
    catalog
        What it comes to. Its findings tell what is wrong, with files and lines.
    profiles
        The profiles as written.
    mappings
        The mapping files, line by line.
    other_sections
        What else stands in the settings file and waits for a restart, so that a change can be told.
    mounts
        What the settings file says in ``storage.mounts``; None where it has no section ``storage``.
    reading
        What was read for it.
    """

    catalog: Catalog
    profiles: FrozenList
    mappings: tuple[MappingFile, ...]
    other_sections: Mapping[str, Any]
    mounts: tuple[MountSettings, ...] | None
    reading: Reading


def load(sources: Sources, rules: LintRules, policy: Policy) -> Version:
    """Read the sources and check what they say. This waits for the disk.

    Whatever is wrong, files that are not there too, is among the findings of the catalogue.

    Parameters
    ----------
    sources
        Where the profiles come from.
    rules
        What they are checked by.
    policy
        How their access rules are read.
    """
    for pause in _PAUSES:
        time.sleep(pause)
        found = _Gathering(sources)
        if found.reading.holds:
            break
    else:
        message = "profiles change while they are read, so that no version of them is whole"
        suggestion = "let them change in one step, as a mounted ConfigMap does"
        found.findings.append(Finding("error", "", "", message, suggestion=suggestion))
    catalog = build(found.profiles, rules, policy, mappings=found.mappings, found=found.findings)
    return Version(
        catalog,
        FrozenList(found.profiles),
        tuple(found.mappings),
        found.other_sections,
        found.mounts,
        found.reading,
    )


class _Gathering:
    """What one reading has brought so far."""

    def __init__(self, sources: Sources) -> None:
        self.reading = Reading()
        self.profiles: list[Written] = []
        self.mappings: list[MappingFile] = []
        self.findings: list[Finding] = []
        self.other_sections: dict[str, Any] = {}
        self.mounts: tuple[MountSettings, ...] | None = None
        for source in sources.listed:
            with self._noting():
                for value in as_list(source):
                    self._add(freeze(value), {})
        if sources.settings_file:
            self._read_profiles(Path(sources.settings_file), frozenset(Settings.model_fields))
        for name in sources.profile_files:
            for path in self._files(Path(name)):
                self._read_profiles(path, frozenset({_SECTION}))
        for name in sources.mapping_files:
            with self._noting():
                self.mappings.append(parse_mapping(content_of(Path(name), self.reading), name))

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except ConfigurationError as error:
            self.findings += error.findings

    def _files(self, path: Path) -> list[Path]:
        if not path.is_dir():
            return [path]
        files = [
            file for file in map(Path, self.reading.folder(str(path))) if file.suffix in _SUFFIXES
        ]
        if not files:
            message = "the folder holds no *.yaml and no *.yml"
            suggestion = "put files of profiles there, or name another folder"
            self.findings.append(
                Finding("warning", "", "", message, str(path), suggestion=suggestion)
            )
        return files

    def _read_profiles(self, path: Path, sections: frozenset[str]) -> None:
        with self._noting():
            document = parse_yaml(content_of(path, self.reading), str(path))
            self.findings += _unknown(document, str(path), sections)
            values = _section(document, str(path))
            self.other_sections |= _waiting(document.value)
            self._read_mounts(document, str(path))
            places: list[dict[KeyPath, Place]] = [{} for _ in values]
            for keys, line in document.lines.items():
                if len(keys) > 1 and keys[0] == _SECTION:
                    places[keys[1]][keys[2:]] = Place(str(path), line)
            for value, where in zip(values, places, strict=True):
                self._add(freeze(value), where)

    def _read_mounts(self, document: Document, file: str) -> None:
        section, found = fill_in_mounts(Part(document, file), self._names)
        if section is None or found:
            self.findings += found
            return
        try:
            self.mounts = StorageSettings.model_validate(section).mounts
        except ValidationError as error:
            for item in error.errors():
                keys, text, suggestion = advise(item, StorageSettings)
                keys = (_STORAGE, *keys)
                path, line = ".".join(map(str, keys)), document.line(keys)
                self.findings.append(
                    Finding("error", "", path, text, file, line, suggestion=suggestion)
                )

    def _add(self, value: Any, places: Mapping[KeyPath, Place]) -> None:
        written = Written(value, len(self.profiles) + 1, places)
        filled, found = fill_in(written, self._names)
        self.profiles.append(filled)
        self.findings += found

    def _names(self, path: Path) -> list[str]:
        return parse_names(content_of(path, self.reading), str(path))


def _waiting(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Give what of the settings waits for a restart when it changes."""
    waiting = {key: value for key, value in sections.items() if key not in _RELOADED}
    if isinstance(storage := waiting.get(_STORAGE), Mapping):
        waiting[_STORAGE] = {key: value for key, value in storage.items() if key != "mounts"}
    return waiting


def _unknown(document: Document, file: str, sections: frozenset[str]) -> Iterator[Finding]:
    """Tell of sections that are none; what is wrong with the profiles is told as well."""
    otherwise = f"take it out; there can be {', '.join(sorted(sections))}"
    for key in document.value if isinstance(document.value, Mapping) else ():
        if key not in sections:
            suggestion = did_you_mean(str(key), sections, otherwise)
            yield _fault(document, file, "unknown section", suggestion, str(key))


def _section(document: Document, file: str) -> list[Any]:
    """Give the profiles of a file.

    Raises
    ------
    ConfigurationError
        It holds none.
    """
    value = document.value
    if not isinstance(value, Mapping):
        message = f"must be a mapping with a section {_SECTION}"
        suggestion = "write profiles: above the list"
        raise ConfigurationError([_fault(document, file, message, suggestion)])
    if not isinstance(profiles := value.get(_SECTION), list):
        message = "must be a list of profiles"
        suggestion = f"write lines that begin with - below {_SECTION}:"
        raise ConfigurationError([_fault(document, file, message, suggestion, _SECTION)])
    return profiles


def _fault(document: Document, file: str, message: str, suggestion: str, *path: str) -> Finding:
    line = max(1, document.line(path))
    return Finding("error", "", ".".join(path), message, file, line, suggestion=suggestion)
