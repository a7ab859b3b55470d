"""Identities from a table that somebody keeps by hand: YAML or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jhext.profiles.finding import ConfigurationError
from jhext.yamlfile import read_yaml

from .files import Accounts, clear
from .source import FIELDS, Answer, Person, Source, Workers
from .watched import WatchedFile, text_of

NAME_COLUMN = "name"
"""The column of a CSV file that holds the hub's name of the person."""


def load_yaml(path: Path) -> Accounts:
    """Read a mapping of names to the fields of each person.

    Raises
    ------
    ValueError
        When it is not such a mapping, or has a key twice.
    """
    try:
        table = read_yaml(path)
    except ConfigurationError as error:
        raise ValueError(str(error)) from None
    if not isinstance(table, Mapping) or not all(isinstance(name, str) for name in table):
        raise ValueError("is not a mapping of names to people; names of digits need quotes")
    return {name: fields if isinstance(fields, Mapping) else None for name, fields in table.items()}


def load_csv(path: Path) -> Accounts:
    """Read a table with a row of headings: ``name`` and any fields.

    ``groups`` are written as ``lab=5001;staff=5002``.

    Raises
    ------
    ValueError
        When there is another heading, or no heading ``name``.
    """
    rows = csv.DictReader(io.StringIO(text_of(path), newline=""), strict=True)
    headings = rows.fieldnames or []
    if NAME_COLUMN not in headings:
        raise ValueError(f"has no column {NAME_COLUMN!r} in its first row")
    if wrong := [heading for heading in headings if heading not in {NAME_COLUMN, *FIELDS}]:
        raise ValueError(f"has columns of no meaning: {', '.join(wrong)}")
    accounts: dict[str, Answer | None] = {}
    try:
        for row in rows:
            name = row.pop(NAME_COLUMN)
            accounts[name] = None if name in accounts else _row(row)
    except csv.Error as error:
        raise ValueError(f"is not CSV: {error}") from None
    return accounts


def _row(row: Mapping[Any, Any]) -> Answer | None:
    if None in row or None in row.values():  # csv's words for too many and too few cells
        return None
    fields = dict(row)
    if "groups" in fields:
        pairs = [pair.partition("=") for pair in fields["groups"].split(";") if pair]
        fields["groups"] = [{"name": name, "gid": gid} for name, _, gid in pairs]
    return fields


class TableSource(Source):
    """Reads one file of people.

    Parameters
    ----------
    name
        The name of the source.
    path
        The file.
    load
        What reads it: `load_yaml` or `load_csv`.
    workers
        Where the file is read.
    """

    def __init__(
        self, name: str, path: Path, load: Callable[[Path], Accounts], workers: Workers
    ) -> None:
        super().__init__(name)
        self._file = WatchedFile(path, load)
        self._workers = workers

    async def lookup(self, person: Person) -> Answer | None:
        """Look a person up; see `Source.lookup`."""
        accounts = await self._workers.run(self._file.value)
        return clear(accounts, person.name, self.name) if person.name in accounts else None
