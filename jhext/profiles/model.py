"""Profiles as operators write them: a strict superset of KubeSpawner's ``profile_list``.

Every model is frozen and refuses keys it does not know. Two kinds of key are let through without
a meaning of their own: those beginning with ``x-``, and those that the trait
``extra_profile_keys`` names because a custom form template reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import regex
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationInfo,
    model_validator,
)
from slugify import slugify

from jhext.identity.act_as import ActAs

from .access import Access
from .amounts import read_amounts
from .finding import FaultyError

PATH_SEPARATOR = "--"
"""What joins the keys of nested options, and marks free text, in ``user_options``."""

UNLISTED_SUFFIX = f"{PATH_SEPARATOR}unlisted-choice"
"""What KubeSpawner appends to an option's key for its free text."""

ACCESS_LIKE = re.compile(
    r"(allow|block|den[iy]|access|permit|restrict|visib)|^(users?|groups?|teams?|roles?)$", re.I
)
"""Keys that somebody meant as an access rule. They are never let through unread."""


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def _regex(value: str) -> str:
    try:
        regex.compile(value)
    except regex.error as error:
        suggestion = r"write it like '[a-z]+\.[0-9]+', with a \ before what stands for itself"
        raise FaultyError(f"not a regular expression: {error}", suggestion) from None
    return value


def _one_line(value: str) -> str:
    if found := _CONTROL.search(value):
        raise FaultyError(f"holds the control character {found[0]!a}", "take the character out")
    return value


def _several_lines(value: str) -> str:
    _one_line(value.replace("\n", "").replace("\t", ""))
    return value


def _joined(value: str) -> str:
    return _one_line(value.replace("\r\n", "\n").strip("\n").replace("\n", " "))


OneLine = Annotated[str, AfterValidator(_one_line)]
"""Text that names something: no page and no log can show a control."""

Label = Annotated[str, AfterValidator(_joined)]
"""Text that people see. A page shows the end of a line, as YAML's blocks have it, as a blank."""


Overrides = Annotated[dict[str, Any], AfterValidator(read_amounts)]
"""Names of KubeSpawner's traits and the values, or callables taking the spawner."""


class _Extensible(BaseModel):
    """A model that lets declared extra keys pass."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        arbitrary_types_allowed=True,
        json_schema_extra={"patternProperties": {"^x-": {}}},
    )

    @model_validator(mode="wrap")
    @classmethod
    def _drop_extra_keys(
        cls, value: Any, handler: ModelWrapValidatorHandler[_Extensible], info: ValidationInfo
    ) -> _Extensible:
        if isinstance(value, Mapping):
            extra = (info.context or {}).get("extra_keys", frozenset())
            value = {
                key: item
                for key, item in value.items()
                if not _is_extra(key, extra) or key in cls.model_fields
            }
        return handler(value)


def _is_extra(key: Any, declared: frozenset[str]) -> bool:
    if not isinstance(key, str):
        return False
    return key.startswith("x-") or (key in declared and not ACCESS_LIKE.search(key))


class UnlistedChoice(_Extensible, Access):
    """Free text in the place of a choice."""

    enabled: bool = Field(default=False, description="Whether free text is taken at all.")
    display_name: Label = Field(default="", description="The label of the text field.")
    display_name_in_choices: Label = Field(
        default="Other...", description="The entry in the list of choices that opens the field."
    )
    validation_regex: Annotated[str, AfterValidator(_regex)] | None = Field(
        default=None, description="A regular expression that the whole text must match."
    )
    validation_message: Label = Field(default="", description="What to say when it does not.")
    kubespawner_override: Overrides = Field(
        default_factory=dict, description="Overrides in which {value} stands for the text."
    )


class Choice(_Extensible, Access):
    """One of the values an option can take."""

    display_name: Label = Field(description="What the form shows.")
    default: bool = Field(default=False, description="Whether it is chosen beforehand.")
    kubespawner_override: Overrides = Field(
        default_factory=dict, description="Overrides for whoever takes this choice."
    )
    profile_options: dict[OneLine, Option] = Field(
        default_factory=dict, description="Options that exist while this choice is taken."
    )


class Option(_Extensible):
    """Something about a profile that a person can choose."""

    display_name: Label = Field(description="What the form shows.")
    choices: dict[OneLine, Choice] = Field(
        default_factory=dict, description="The choices by the key that user_options names."
    )
    unlisted_choice: UnlistedChoice = Field(
        default_factory=UnlistedChoice, description="Free text in the place of a choice."
    )
    optional: bool = Field(
        default=False,
        description="Drop the option for people to whom none of its choices is open; "
        "otherwise the profile is hidden from them, since its limits live in the choices.",
    )


class Profile(_Extensible, Access):
    """Something a person can start."""

    display_name: Label = Field(description="What the form shows.")
    slug: OneLine = Field(
        default="", description="The identifier; made from display_name where it is missing."
    )
    description: Annotated[str, AfterValidator(_several_lines)] = Field(
        default="", description="A sentence for the form, plain text."
    )
    default: bool = Field(default=False, description="Whether it is chosen beforehand.")
    kubespawner_override: Overrides = Field(
        default_factory=dict, description="KubeSpawner's traits and their values."
    )
    profile_options: dict[OneLine, Option] = Field(
        default_factory=dict, description="What a person can choose about it, by key."
    )
    act_as: ActAs | None = Field(
        default=None,
        description="The ids of a project, under which the server runs instead of the person's. "
        "It needs the section `identity`.",
        examples=[{"uid": 4200, "gid": 4200, "groups": {"exp42": 4200}}],
    )

    @model_validator(mode="before")
    @classmethod
    def _make_slug(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and "slug" not in value:
            return {**value, "slug": slug_of(value)}
        return value


def slug_of(value: Mapping[str, Any]) -> str:
    """Give the slug of a profile as written; empty where it has none."""
    slug = value.get("slug")
    if "slug" not in value and isinstance(name := value.get("display_name"), str):
        slug = slugify(name)
    return slug if isinstance(slug, str) else ""


def walk_options(
    options: Mapping[str, Option], path: str = "profile_options", prefix: str = ""
) -> Iterator[tuple[str, str, Option]]:
    """Go through all options, nested ones too.

    Yields
    ------
    tuple
        The path in the profile, the key in ``user_options``, and the option.
    """
    for name, option in options.items():
        here, key = f"{path}.{name}", prefix + name
        yield here, key, option
        for choice_name, choice in option.choices.items():
            yield from walk_options(
                choice.profile_options,
                f"{here}.choices.{choice_name}.profile_options",
                f"{key}{PATH_SEPARATOR}{choice_name}{PATH_SEPARATOR}",
            )
