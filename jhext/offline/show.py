"""What is in force of a configuration that was read, its profiles by their names too."""

from __future__ import annotations

from ..in_force import Row, lost, rows_of
from ..profiles.finding import Finding
from .configuration import Configuration


def show(configuration: Configuration) -> tuple[list[Row], list[Finding]]:
    """Give what is in force, and what ``configure`` has added and is there no more."""
    c, settings = configuration.config, configuration.settings
    rows = rows_of(c, settings, configuration.spawner_class)
    profiles = ", ".join(profile.slug for profile in configuration.version.catalog.profiles)
    if profiles:
        rows = [row for row in rows if row.name != "profiles"]
        where = settings.file_of("profiles") or str(configuration.path)
        rows.insert(0, Row("profiles", profiles, where))
    is_wired = configuration.path.suffix == ".py"
    return rows, list(lost(c, settings)) if is_wired else []
