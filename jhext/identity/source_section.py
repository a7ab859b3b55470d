"""What the settings of all sources have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from jhext.section import Section
from jhext.units import parse_duration

from .source import Field as PersonField


def _seconds(value: str | float) -> float:
    return parse_duration(value).total_seconds()


Seconds = Annotated[
    float, BeforeValidator(_seconds), WithJsonSchema({"type": ["number", "string"]})
]


class SourceSection(Section):
    """What all sources have."""

    name: str = Field(
        default="",
        pattern=r"^[a-z0-9_-]*$",
        max_length=64,
        description="The name in logs and in the ledger, by default the type. Keep it: the ledger "
        "remembers which source a uid came from.",
        examples=["campus"],
    )
    provides: frozenset[PersonField] | None = Field(
        default=None,
        strict=False,
        description="The fields that count; by default all that the source has.",
        examples=[["uid", "gid", "groups"]],
    )
