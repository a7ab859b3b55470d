"""The section ``culler`` of the settings: how long each server may run.

Where jupyterhub-idle-culler has an option, it has the same name here.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    WithJsonSchema,
    model_validator,
)

from jhext.section import SecretRef, Section

from .durations import NEVER, Age, Limit, Seconds
from .in_pod import InPod
from .promql import check
from .window import Window, parse_window, zone_of


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
    zone_of(value)
    return value


_UNLIMITED: dict[str, JsonValue] = {"default": NEVER}  # JSON has no infinity
Windows = Annotated[
    tuple[Window, ...],
    BeforeValidator(_windows),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


Query = Annotated[str, AfterValidator(check)]


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
    warn_before: Seconds | None = Field(
        default=None,
        description="How long before a stop its user finds a notice of it. 0: none.",
        examples=["15m"],
    )
    busy_if: Query | None = Field(
        default=None,
        description="PromQL about the server, with `$pod`, `$namespace`, `$user` and `$server` for "
        "strings: while a sample is not 0, it is not stopped for idleness. An empty text: no such "
        "query.",
        examples=["avg_over_time(DCGM_FI_DEV_GPU_UTIL{pod=$pod}[10m]) > bool 5"],
    )
    wastes_if: Query | None = Field(
        default=None,
        description="PromQL as in `busy_if`: when all samples are not 0, the server is stopped "
        "though somebody uses it.",
        examples=["max_over_time(DCGM_FI_DEV_GPU_UTIL{pod=$pod}[2h]) < bool 1"],
    )
    wastes_after: Limit | None = Field(
        default=None,
        description="How old a server has to be before `wastes_if` is asked about it.",
        examples=["2h"],
    )
    in_pod: InPod | None = Field(
        default=None,
        description="What ends itself inside the pod, from the next start on.",
        examples=[{"kernel_idle_timeout": "30m"}],
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


class PrometheusSettings(Section):
    """Who knows how much servers compute."""

    url: str = Field(
        pattern=r"^https?://",
        description="Where its HTTP API is, less `/api/v1`.",
        examples=["http://prometheus.monitoring:9090"],
    )
    token: SecretRef | None = Field(
        default=None, description="What it asks for as a bearer token.", examples=[{"file": "/t"}]
    )
    ca_file: str | None = Field(
        default=None,
        description="The authority of its certificate, where it is none of the system's.",
    )
    timeout: Seconds = Field(default=10, gt=0, description="The time for one answer.")


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
        description="Rules by USER/NAME, which come first, or by the name of a named server, which "
        "everybody can give to a server of theirs.",
        examples=[{"alice/dashboard": {"never": True}, "bob/": {"timeout": "2d"}}],
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
    wastes_after: Limit = Field(
        default=7200.0,
        description="How old a server has to be before `wastes_if` is asked about it.",
        examples=["2h"],
    )
    prometheus: PrometheusSettings | None = Field(
        default=None, description="Who answers `busy_if` and `wastes_if`."
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

    @property
    def rules(self) -> list[Rule]:
        """All rules that are written, on every level."""
        levels = (self.profiles, self.groups, self.users, self.servers)
        return [self, *(rule for level in levels for rule in level.values())]

    @model_validator(mode="after")
    def _somebody_answers(self) -> CullerSettings:
        if self.prometheus is None and any(rule.busy_if or rule.wastes_if for rule in self.rules):
            raise ValueError("busy_if and wastes_if are questions for prometheus, which is not set")
        return self
