"""Durations as the section ``culler`` is written with: seconds, ``1h30m``, ``never``."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from jhext.units import parse_duration

NEVER = "never"
_SCHEMA = WithJsonSchema({"type": ["number", "string"]})


def _limit(value: str | float) -> float:
    if value == NEVER or value == math.inf:
        return math.inf
    seconds = parse_duration(value).total_seconds()
    if not seconds:
        raise ValueError("is 0; write never, or how long")
    return seconds


def _age(value: str | float) -> float:
    # 0 is jupyterhub-idle-culler's word for never.
    return math.inf if value in (0, "0") and value is not False else _limit(value)


def _seconds(value: str | float) -> float:
    return parse_duration(value).total_seconds()


Limit = Annotated[float, BeforeValidator(_limit), _SCHEMA]
Age = Annotated[float, BeforeValidator(_age), _SCHEMA]
Seconds = Annotated[float, BeforeValidator(_seconds), _SCHEMA]
