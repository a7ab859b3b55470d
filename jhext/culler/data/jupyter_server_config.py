"""Idle times of kernels, terminals and the server, as the hub tells them in the environment.

A file for images, such as ``/etc/jupyter/jupyter_server_config.py``. It needs nothing but Python;
what the environment does not say stays as it is.
"""

from __future__ import annotations

import os
from typing import Any

AT_LEAST_EVERY = 300


def set_times(section: Any, timeout_trait: str, timeout: int | None, interval: int | None) -> None:
    """Set a time and how often it is looked at: by default as often as the time asks for."""
    if timeout is not None:
        section[timeout_trait] = timeout
    if interval is not None or timeout:
        section.cull_interval = interval or max(1, min(AT_LEAST_EVERY, (timeout or 0) // 2))


def seconds(*names: str) -> int | None:
    """Give the first of these variables that holds a number; a fault must not stop the server."""
    values = (os.environ.get(name, "").strip() for name in names)
    return next((int(value) for value in values if value.isdecimal()), None)


c = get_config()  # type: ignore[name-defined]  # noqa: F821 - Jupyter defines it

kernels, terminals = c.MappingKernelManager, c.TerminalManager
# Images and profiles of older hubs use the second name.
timeout = seconds("CULL_KERNEL_IDLE_TIMEOUT", "JUPYTERNB_KERNEL_TIMEOUT")
set_times(kernels, "cull_idle_timeout", timeout, seconds("CULL_KERNEL_INTERVAL"))
for trait in ("connected", "busy"):
    if switch := os.environ.get(f"CULL_KERNEL_{trait.upper()}", "").strip().lower():
        kernels[f"cull_{trait}"] = switch in ("1", "true", "yes")

timeout = seconds("CULL_TERMINAL_INACTIVE_TIMEOUT")
set_times(terminals, "cull_inactive_timeout", timeout, seconds("CULL_TERMINAL_INTERVAL"))

if (timeout := seconds("NO_ACTIVITY_TIMEOUT")) is not None:
    c.ServerApp.shutdown_no_activity_timeout = timeout
