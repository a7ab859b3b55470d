"""What ends itself inside a pod: idle kernels and terminals, and a server without either."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pydantic import Field

from jhext.section import Section

from .durations import Limit

_KERNEL = frozenset({"CULL_KERNEL_IDLE_TIMEOUT", "JUPYTERNB_KERNEL_TIMEOUT"})
"""The names of one time; images read either, or the first before the second."""


class InPod(Section):
    """Idle times that the server in the pod keeps itself.

    They reach it as environment variables, which ``jupyter_server_config.py`` of `jhext.culler`
    reads there.
    """

    kernel_idle_timeout: Limit | None = Field(
        default=None,
        description="A kernel is shut down when it did nothing for so long; `never`: not.",
        examples=["30m"],
    )
    kernel_connected: bool | None = Field(
        default=None, description="Whether also while a browser shows it."
    )
    kernel_busy: bool | None = Field(
        default=None,
        description="Whether also while it computes, and has said nothing for so long.",
    )
    terminal_inactive_timeout: Limit | None = Field(
        default=None,
        description="A terminal is closed when nothing was typed or shown for so long.",
        examples=["1h"],
    )
    no_activity_timeout: Limit | None = Field(
        default=None,
        description="The server ends when it had no kernel, no terminal and no request for so "
        "long. Jupyter looks once a minute.",
        examples=["2h"],
    )
    interval: Limit | None = Field(
        default=None,
        description="How often kernels and terminals are looked at; by default as often as their "
        "time asks for, but at least every 5 minutes.",
    )


def variables(times: InPod) -> Mapping[str, str]:
    """Give the environment variables that tell these times to a server.

    The names are those that Nublado uses. ``JUPYTERNB_KERNEL_TIMEOUT`` is for images that read
    that one.

    Parameters
    ----------
    times
        The times; what is None is not told.
    """
    kernel = _seconds(times.kernel_idle_timeout)
    told = {
        "CULL_KERNEL_IDLE_TIMEOUT": kernel,
        "JUPYTERNB_KERNEL_TIMEOUT": kernel,
        "CULL_KERNEL_CONNECTED": _switch(times.kernel_connected),
        "CULL_KERNEL_BUSY": _switch(times.kernel_busy),
        "CULL_KERNEL_INTERVAL": _seconds(times.interval),
        "CULL_TERMINAL_INACTIVE_TIMEOUT": _seconds(times.terminal_inactive_timeout),
        "CULL_TERMINAL_INTERVAL": _seconds(times.interval),
        "NO_ACTIVITY_TIMEOUT": _seconds(times.no_activity_timeout),
    }
    return {name: value for name, value in told.items() if value is not None}


def told_beside(times: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of a server: variables that are its own stay, by whichever name.

    Parameters
    ----------
    times
        What `variables` gives.
    own
        What the configuration or the profile says.
    """
    known = _KERNEL if _KERNEL & own.keys() else frozenset[str]()
    return {**{name: it for name, it in times.items() if name not in known}, **own}


def _seconds(limit: float | None) -> str | None:
    # Jupyter takes whole seconds, and 0 for never.
    return None if limit is None else str(0 if limit == math.inf else math.ceil(limit))


def _switch(value: bool | None) -> str | None:
    return None if value is None else str(value).lower()
