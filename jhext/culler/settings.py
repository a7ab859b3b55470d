"""The section ``culler`` of the settings: how long each server may run.

Where jupyterhub-idle-culler has an option, it has the same name here.
"""

from __future__ import annotations

import math
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    WithJsonSchema,
    model_validator,
)

from jhext.section import Section
from jhext.units import parse_duration

from .window import Window, parse_window

NEVER = "never"
_DURATION_SCHEMA = WithJsonSchema({"type": ["number", "string"]})


def _limit(value: str | float) -> float:
    if value == NEVER or value == math.inf:
        return math.inf
    seconds = parse_duration(value).total_seconds()
    if not seconds:
        raise ValueError("is 0; write never, or how long")
    return seconds


def _age(value: str | float) -> float:
    # 0 is jupyterhub-idle-culler's word for never.
    return math.inf if value in (0, "0") else _limit(value)


def _seconds(value: str | float) -> float:
    return parse_duration(value).total_seconds()


def _windows(value: Any) -> tuple[Window, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not texts:
        raise ValueError("must be a window such as 'Mon-Fri 20:00-06:00', a list, or always")
    if list(texts) == ["always"]:
        return ()
    for text in texts:
        if not isinstance(text, str | Window):
            raise ValueError(f"must hold windows, not {type(text).__name__}")  # noqa: TRY004
    return tuple(text if isinstance(text, Window) else parse_window(text) for text in texts)


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (OSError, ValueError, KeyError):
        raise ValueError(f"is no time zone such as Europe/Berlin: {value!r}") from None
    return value


_UNLIMITED: dict[str, JsonValue] = {"default": NEVER}  # JSON has no infinity
Limit = Annotated[float, BeforeValidator(_limit), _DURATION_SCHEMA]
Age = Annotated[float, BeforeValidator(_age), _DURATION_SCHEMA]
Seconds = Annotated[float, BeforeValidator(_seconds), _DURATION_SCHEMA]
Windows = Annotated[
    tuple[Window, ...],
    BeforeValidator(_windows),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class Rule(Section):
    """How long some servers may run. What it leaves out, less specific rules say."""

    timeout: Limit | None = Field(
        default=None,
        description="A server is stopped when nobody used it for so long; `never`: not for that.",
        examples=["1h"],
    )
    max_age: Age | None = Field(
        default=None,
        description="A server is stopped so long after its start, used or not; `never` or 0: not.",
        examples=["3d"],
    )
    never: bool = Field(default=False, description="Short for both being `never`.")
    only: Windows | None = Field(
        default=None,
        description="When servers may be stopped at all: days, times or both, on the clocks of "
        "`time_zone`; several in a list; `always`. It does not hold for revoked rights.",
        examples=["Mon-Fri 20:00-06:00"],
    )
    remove_named_servers: bool | None = Field(
        default=None, description="Whether a named server is also removed when it is stopped."
    )
    extend_to: Seconds | None = Field(
        default=None,
        description="The age up to which people may put off the stop of their server. 0: not.",
        examples=["24h"],
    )

    @model_validator(mode="before")
    @classmethod
    def _never(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("never") is True:
            if written := [key for key in ("timeout", "max_age") if key in value]:
                raise ValueError(f"never and {' and '.join(written)} contradict each other")
            return {**value, "timeout": NEVER, "max_age": NEVER}
        return value


class PersonRule(Rule):
    """How long the servers of some people may run, and whether they are kept themselves."""

    cull_users: bool | None = Field(
        default=None,
        description="Whether people without a server, of whom nothing was seen for `timeout`, are "
        "deleted from the hub.",
    )


class CullerSettings(Rule):
    """The section ``culler``. It is read again when it changes."""

    timeout: Limit = Field(
        default=3600.0,
        description="A server is stopped when nobody used it for so long; `never`: not for that.",
        examples=["1h"],
    )
    max_age: Age = Field(
        default=math.inf,
        json_schema_extra=_UNLIMITED,
        description="A server is stopped so long after its start, used or not; `never` or 0: not.",
        examples=["7d"],
    )
    profiles: dict[str, Rule] = Field(
        default_factory=dict,
        description="Rules by the slug of the profile that was granted.",
        examples=[{"gpu": {"timeout": "20m", "max_age": "12h"}}],
    )
    groups: dict[str, PersonRule] = Field(
        default_factory=dict,
        description="Rules by group. Of several, the first one written that says something.",
        examples=[{"staff": {"timeout": "8h"}}],
    )
    users: dict[str, PersonRule] = Field(
        default_factory=dict,
        description="Rules by user name.",
        examples=[{"alice": {"never": True}}],
    )
    servers: dict[str, Rule] = Field(
        default_factory=dict,
        description="Rules by the name of a named server, or by USER/NAME, which comes first.",
        examples=[{"dashboard": {"never": True}, "bob/": {"timeout": "2d"}}],
    )
    cull_default_servers: bool = Field(
        default=True, description="Whether servers without a name are stopped for idleness or age."
    )
    cull_named_servers: bool = Field(
        default=True, description="Whether named servers are stopped for idleness or age."
    )
    cull_users: bool = Field(
        default=False,
        description="Whether people without a server, of whom nothing was seen for `timeout`, are "
        "deleted from the hub.",
    )
    cull_admin_users: bool = Field(default=True, description="Whether admins are, too.")
    revoked_after: Limit = Field(
        default=math.inf,
        json_schema_extra=_UNLIMITED,
        description="A server is stopped so long after its owner lost the right to its profile; "
        "`never`: not for that.",
        examples=["10m"],
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        default="UTC", description="Whose clocks `only` goes by.", examples=["Europe/Berlin"]
    )
    cull_every: Limit | None = Field(
        default=None,
        description="The time between two passes; by default half of the shortest limit, from a "
        "second to ten minutes.",
        examples=["5m"],
    )
    concurrency: int = Field(
        default=50, ge=1, le=1000, description="How many servers are stopped at the same time."
    )
    api_page_size: int = Field(
        default=200, ge=1, le=10_000, description="How many people the hub is asked for at a time."
    )
    request_timeout: Seconds = Field(
        default=60, gt=0, description="The time for one answer of the hub."
    )
    metrics_port: int | None = Field(
        default=None, ge=1, le=65535, description="Where Prometheus finds metrics; else nowhere."
    )
    metrics_ip: str = Field(default="127.0.0.1", description="The address of that port.")
    ssl_enabled: bool = Field(
        default=False,
        description="Whether to speak to the hub with certificates of JupyterHub's internal_ssl.",
    )
    internal_certs_location: str = Field(
        default="internal-ssl", description="The folder where they are."
    )
    handlers: bool = Field(
        default=True,
        description="Whether the hub gets handlers that make the culler cheaper and notice revoked "
        "rights. JupyterHub warns at its start that extra_handlers is deprecated.",
    )
    keep_other: bool = Field(
        default=False,
        description="Whether a configured service jupyterhub-idle-culler stays beside this one.",
    )
