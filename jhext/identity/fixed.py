"""The same values for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .source import Answer, Person, Source


class FixedSource(Source):
    """Gives the same values for everybody; at the end of the chain, to whom no source gave any.

    Parameters
    ----------
    name
        The name of the source.
    values
        The fields and their values.
    """

    def __init__(self, name: str, values: Mapping[str, Any]) -> None:
        super().__init__(name)
        self._values = dict(values)

    async def lookup(self, person: Person) -> Answer | None:
        """Give the values; see `Source.lookup`."""
        return self._values
