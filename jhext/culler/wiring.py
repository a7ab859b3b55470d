"""The culler's part in ``configure()``: a service, a role for it, and handlers of the hub."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue
from traitlets.log import get_logger

from jhext.hub_api import handlers

from .settings import CullerSettings
from .source import ENVIRONMENT
from .work import needed_scopes

NAME = "jhext-culler"
"""The name of the service and of its role."""

_OTHERS = {"jupyterhub_idle_culler", "cull_idle_servers"}
"""Modules and programs that are other idle cullers."""


def add_culler(c: Config, settings: CullerSettings | None, source: str | Mapping[str, Any]) -> None:
    """Have the hub run the culler, as often as this is called once.

    Parameters
    ----------
    c
        The hub's configuration.
    settings
        The section, None where there is none: then nothing is changed.
    source
        The path of the settings, or the section as written, which holds no secrets.
    """
    if settings is None:
        return
    services = [service for service in _list(c, "services") if service["name"] != NAME]
    roles = [role for role in _list(c, "load_roles") if role["name"] != NAME]
    if not settings.keep_other:
        others = {service["name"] for service in services if is_other_culler(service)}
        services = [service for service in services if service["name"] not in others]
        roles = [left for role in roles if (left := _without(role, others)) is not None]
        for name in sorted(others):
            get_logger().warning(
                "The service %s is left out, since jhext culls. culler.keep_other keeps it.", name
            )
    command = [sys.executable, "-m", "jhext.culler"]
    service: dict[str, Any] = {"name": NAME, "command": command}
    if isinstance(source, str):
        command += ["--settings", str(Path(source).absolute())]
    else:
        service["environment"] = {ENVIRONMENT: json.dumps(source)}
    role = {"name": NAME, "services": [NAME], "scopes": sorted(needed_scopes(settings))}
    c.JupyterHub.services = [*services, service]
    c.JupyterHub.load_roles = [*roles, role]
    if settings.handlers:
        ours = handlers()
        paths = {path for path, _ in ours}
        before = [item for item in _list(c, "extra_handlers") if item[0] not in paths]
        c.JupyterHub.extra_handlers = [*before, *ours]


def _list(c: Config, trait: str) -> list[Any]:
    value = c.get("JupyterHub", {}).get(trait, [])
    # Asking the original for its value would make it deaf to what is appended later.
    return list(copy.deepcopy(value).get_value([]) if isinstance(value, LazyConfigValue) else value)


def is_other_culler(service: Mapping[str, Any]) -> bool:
    """Tell whether a service is another idle culler."""
    command = service.get("command") or ()
    return _runs_other(command.split() if isinstance(command, str) else [*map(str, command)])


def _runs_other(words: list[str]) -> bool:
    modules = [word for before, word in pairwise(words) if before == "-m"]
    # A script comes after its interpreter.
    programs = [word.rpartition("/")[2].removesuffix(".py") for word in words[:2]]
    if any(name.replace("-", "_") in _OTHERS for name in (*modules, *programs)):
        return True
    return any(_runs_other(word.split()) for word in words if " " in word)  # what a shell runs


def _without(role: dict[str, Any], services: set[str]) -> dict[str, Any] | None:
    """Take services from a role; None where nobody is left to have it."""
    held = role.get("services", [])
    if services.isdisjoint(held):
        return role
    left = {**role, "services": [name for name in held if name not in services]}
    return left if any(left.get(key) for key in ("services", "users", "groups")) else None
