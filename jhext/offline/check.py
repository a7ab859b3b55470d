"""Everything that can be said against a configuration before a hub starts with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..in_force import lost
from ..profiles.finding import ConfigurationError, Finding
from ..profiles.mapping import MappingFile
from .configuration import Configuration, read_configuration
from .login import groups_of_nobody, retired_options, unread_claims
from .placing import Placing
from .reach import like_groups, never, overruled, unknown_groups
from .storage import unknown_claims, unknown_profiles


@dataclass(frozen=True)
class Report:
    """What a check found.

    Parameters
    ----------
    findings
        What is wrong, by file and line.
    mappings
        The mapping files as they were read.

    Raises
    ------
    ValueError
        A finding does not tell its file and line.
    """

    findings: tuple[Finding, ...]
    mappings: tuple[MappingFile, ...] = ()

    def __post_init__(self) -> None:
        for finding in self.findings:
            if not (finding.file and finding.line > 0):
                raise ValueError(f"nobody knows where to look for: {finding}")


def check(path: Path, known_groups: Collection[str] = ()) -> Report:
    """Check a ``jhext.yaml`` or a ``jupyterhub_config.py``.

    Parameters
    ----------
    path
        The file.
    known_groups
        Groups that there are besides those of ``load_groups``. Where neither gives any, the names
        of groups are not checked.
    """
    try:
        configuration = read_configuration(path)
    except ConfigurationError as error:
        return Report(_sorted(path, error.findings))
    version = configuration.version
    findings = [*configuration.without_profiles(), *version.catalog.findings]
    findings += _beyond_the_lint(configuration, known_groups)
    if path.suffix == ".py":
        findings += lost(configuration.config, configuration.settings)
    findings += retired_options(configuration.config, str(path))
    findings += [*groups_of_nobody(configuration), *unread_claims(configuration)]
    return Report(_sorted(path, findings), version.mappings)


def _beyond_the_lint(
    configuration: Configuration, known_groups: Collection[str]
) -> Iterator[Finding]:
    version = configuration.version
    written = {profile.slug: profile for profile in version.profiles}
    yield from overruled(version.catalog.profiles, configuration.mapped)
    settings = configuration.settings
    if not callable(configuration.trait("profile_list")):
        yield from unknown_profiles(settings, written)
    found = [*never(version.catalog.profiles, datetime.now(UTC), configuration.mapped)]
    found += unknown_claims(version.catalog.profiles, settings)
    if known := {*known_groups, *configuration.groups}:
        found += unknown_groups(version.catalog.profiles, known)
        yield from _unknown_groups_of_mappings(version.mappings, known)
    for profile, finding in found:
        yield written[profile.slug].locate(finding)


def _unknown_groups_of_mappings(
    mappings: Iterable[MappingFile], known: Collection[str]
) -> Iterator[Finding]:
    suggestions = like_groups(known)
    for file in mappings:
        for line in file.lines:
            if line.kind == "group" and line.name not in known:
                message = f"no known source gives the group {line.name!r}"
                yield line.finding(file.file, "warning", message, suggestions[line.name])


def _sorted(path: Path, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    unique = dict.fromkeys(map(Placing(path).place, findings))
    return tuple(sorted(unique, key=lambda finding: (finding.file, finding.line)))
