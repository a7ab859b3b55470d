"""The schema of a profile as operators may write it."""

from __future__ import annotations

from pydantic import Field

from .model import Label, OneLine, Option, Profile
from .shorthand import Shorthand


class WrittenProfile(Shorthand, Profile):
    """A profile with everything that may stand in it, before any of it is written out.

    This is for those who write it and for their editors; the checks are those of `lint`.
    """

    display_name: Label = Field(
        default="", description="What the form shows; only an abstract profile has none."
    )
    extends: str | None = Field(
        default=None,
        description="The slug of a profile that this one begins with.",
        examples=["base"],
    )
    profile_options: dict[OneLine, Option | None] = Field(  # type: ignore[assignment]
        default={},
        description="What a person can choose about it, by key; null leaves out what the profile "
        "that is extended has.",
    )
    abstract: bool = Field(
        default=False, description="Whether it is only there for others to extend."
    )
