"""The values of the chart, as its hub reads them: its own defaults, and others over them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

DEFAULTS = Path(__file__).parents[1] / "data" / "z2jh" / "values.yaml"


def merged(values: Any, more: Any) -> Any:
    """Lay values over others, as helm does."""
    if not isinstance(values, dict) or not isinstance(more, dict):
        return more
    return {**values, **{key: merged(values.get(key), item) for key, item in more.items()}}


def over_defaults(more: Any) -> Any:
    """Lay values over the chart's defaults."""
    return merged(yaml.safe_load(DEFAULTS.read_text()), more)


@cache
def values_beside(folder: Path) -> Any:
    """Read the values that the tests write beside the folder that a hub runs in."""
    return over_defaults(yaml.safe_load((folder.parent / "jhext.yaml").read_text()))


def get_config(key: str, default: Any = None) -> Any:
    """Find a value by its dotted path."""
    value = values_beside(Path.cwd())
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            return default
        value = value[part]
    return value


def set_config_if_not_none(section: Any, trait: str, key: str) -> None:
    """Set a trait that has a value."""
    if (value := get_config(key)) is not None:
        setattr(section, trait, value)
