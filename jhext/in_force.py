"""What is in force of a configuration, without secrets, and what is not any more."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from traitlets.config import Config, Configurable
from traitlets.config.loader import LazyConfigValue

from .culler.wiring import NAME as CULLER
from .hub_api import handlers
from .hub_config import configured
from .offline.mask import mask
from .profiles.finding import Finding
from .section import SecretRef, Section
from .settings import Settings

_HUB = "JupyterHub"
_WIDTH = 90
_OF_HUB = (
    *("spawner_class", "authenticator_class", "db_url", "public_url", "base_url"),
    *("services", "load_roles", "load_groups", "template_paths", "extra_handlers"),
)
_HOOKS = (
    *("pre_spawn_hook", "auth_state_hook", "modify_pod_hook", "after_pod_created_hook"),
    *("post_stop_hook", "group_overrides", "options_from_form", "apply_user_options"),
)
_SHARED = ("services", "load_roles", "template_paths")
"""Lists to which several add, so that whoever assigns them takes from others."""


@dataclass(frozen=True)
class Row:
    """A line of the page.

    Parameters
    ----------
    name
        The setting or the trait.
    value
        What it is, shortened.
    where
        Who says so: a file, or ``c``.
    """

    name: str
    value: str
    where: str


def rows_of(c: Config, settings: Settings, spawner_class: type[Configurable]) -> list[Row]:
    """Tell what is in force, in the order of the sections."""
    made = list(_of_settings(c, settings, spawner_class))
    for name in _OF_HUB:
        if (value := configured(c, _HUB, name)) not in (None, [], {}):
            made.append(Row(f"JupyterHub.{name}", _short(value), "c"))
    sections = [*spawner_class.section_names()]
    for hook in _HOOKS:
        for section in sections:
            if value := c.get(section, {}).get(hook):
                made.append(Row(f"{section}.{hook}", _short(value), "c"))
    return made


def _of_settings(c: Config, settings: Settings, spawner_class: type[Configurable]) -> Iterator[Row]:
    for section, model in settings:
        where = settings.file_of(section) or "settings"
        if section not in settings.model_fields_set or model is None:
            continue
        if not isinstance(model, Section):
            yield Row(section, _short(model), where)
            continue
        for name in (name for name, _ in model if name in model.model_fields_set):
            above = [s for s in spawner_class.section_names() if name in c.get(s, {})]
            if section == "hub" and name in settings.hub.traits and above:
                value = c[above[-1]][name]
                yield Row(f"{section}.{name}", _short(value), f"c.{above[-1]}, above {where}")
            else:
                yield Row(f"{section}.{name}", _short(getattr(model, name)), where)


def _short(value: Any) -> str:
    text = mask(_text(value), ())
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _text(value: Any) -> str:
    """Name things; what is inside of them may be a secret, and would not fit on a page."""
    if isinstance(value, SecretRef):
        return f"{{env: {value.env}}}" if value.env else f"{{file: {value.file}}}"
    if isinstance(value, Section):
        return getattr(value, "name", "") or getattr(value, "type", "") or _keys(value)
    if isinstance(value, LazyConfigValue):
        return "is added to"
    if isinstance(value, Mapping):
        named = next((value[key] for key in ("name", "slug", "display_name") if key in value), "")
        return str(named) if named else ", ".join(map(str, value))
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], type):
        return str(value[0])  # a handler
    if isinstance(value, Collection) and not isinstance(value, str | bytes):
        items = [_text(item) for item in value]
        return ", ".join(sorted(items) if isinstance(value, set | frozenset) else items)
    if callable(value):
        return getattr(value, "__qualname__", type(value).__qualname__)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _keys(value: Section) -> str:
    return ", ".join(name for name, _ in value if name in value.model_fields_set)


def page(rows: Collection[Row]) -> str:
    """Write the rows one below the other, in columns."""
    widths = [max((len(getattr(row, key)) for row in rows), default=0) for key in ("name", "value")]
    return "\n".join(
        f"{row.name:<{widths[0]}}  {row.value:<{widths[1]}}  {row.where}".rstrip() for row in rows
    )


def lost(c: Config, settings: Settings) -> Iterator[Finding]:
    """Tell what ``configure`` has added to lists and is there no more: somebody assigned them."""
    wanted: dict[str, list[str]] = {name: [] for name in (*_SHARED, "extra_handlers")}
    written = settings.hub.config.get(_HUB, {})
    for name in _SHARED:
        wanted[name] += map(_text, written.get(name, ()))
    if settings.culler is not None:
        wanted["services"].append(CULLER)
        wanted["load_roles"].append(CULLER)
        if settings.culler.handlers:
            wanted["extra_handlers"] += [path for path, _ in handlers()]
    for name, items in wanted.items():
        there = configured(c, _HUB, name) or []
        found = set(map(_text, there))
        if gone := [item for item in items if item not in found]:
            message = f"was assigned after jhext.configure: {', '.join(gone)} is missing"
            suggestion = f"write c.JupyterHub.{name}.append(…), or call configure after it"
            yield Finding("error", f"c.JupyterHub.{name}", "", message, suggestion=suggestion)
