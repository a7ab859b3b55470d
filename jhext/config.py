"""One call in ``jupyterhub_config.py`` that wires a hub."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubespawner import KubeSpawner
from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue
from traitlets.utils.importstring import import_item

from .profiles.finding import ConfigurationError, Finding
from .profiles.library import as_list
from .profiles.lint import LintRules, lint
from .settings import Settings, load_settings
from .spawner import ProfileKubeSpawner
from .upstream import overridable_traits

SPAWNER_CLASS = "jhext.ProfileKubeSpawner"


def configure(c: Config, settings: str | Path | Mapping[str, Any]) -> Settings:
    """Wire a hub as the settings say.

    Calling it again is harmless. Traits that are set on ``c``, before or after, win over the
    settings; no hook is set, so that yours keep working.

    Parameters
    ----------
    c
        The configuration, as ``get_config()`` gives it.
    settings
        The path of a ``jhext.yaml``, or the same as a dict.

    Returns
    -------
    Settings
        What was read.

    Raises
    ------
    ConfigurationError
        Something is wrong; everything that is wrong is told at once, and the hub does not start.
    """
    loaded = load_settings(settings)
    spawner_class = _spawner_class(c)
    _lint(c, loaded, spawner_class)
    if spawner_class is ProfileKubeSpawner:
        c.JupyterHub.spawner_class = SPAWNER_CLASS
    c.ProfileKubeSpawner.settings = loaded
    if loaded.hub.cookie_secret is not None:
        c.JupyterHub.cookie_secret = loaded.hub.cookie_secret.resolve()
    if loaded.hub.crypt_keys:
        c.CryptKeeper.keys = [key.resolve() for key in loaded.hub.crypt_keys]
    return loaded


def _spawner_class(c: Config) -> type[ProfileKubeSpawner]:
    """Keep a subclass that the operator made; stand in for KubeSpawner and for nothing."""
    configured = c.get("JupyterHub", {}).get("spawner_class")
    # Reading a value that is not set leaves a LazyConfigValue.
    if configured is None or isinstance(configured, LazyConfigValue):
        return ProfileKubeSpawner
    found = _imported(configured) if isinstance(configured, str) else configured
    if found is KubeSpawner:
        return ProfileKubeSpawner
    if isinstance(found, type) and issubclass(found, ProfileKubeSpawner):
        return found
    problem = f"{configured!r} is no subclass of {SPAWNER_CLASS}; let it be one"
    raise ConfigurationError([Finding("error", "c.JupyterHub.spawner_class", "", problem)])


def _imported(name: str) -> Any:
    if name.lower() == "jhext":
        return ProfileKubeSpawner
    try:
        return import_item(name)
    except ImportError:
        return None


def _lint(c: Config, settings: Settings, spawner_class: type[ProfileKubeSpawner]) -> None:
    """Check the profiles that are known by now, with the traits that are known by now.

    What is set later, and what callables return, the spawner checks at the first use.
    """

    def trait(name: str, unset: Any) -> Any:
        value = settings.hub.traits.get(name, unset)
        for section in spawner_class.section_names():
            written = c.get(section, {}).get(name, value)
            # Asking the original for its value would make it deaf to what is appended later.
            lazy = isinstance(written, LazyConfigValue)
            value = copy.deepcopy(written).get_value(value) if lazy else written
        return value

    listed = trait("profile_list", [])
    raw = [*(as_list(listed) if isinstance(listed, list | dict) else []), *settings.profiles]
    rules = LintRules(
        traits=overridable_traits(spawner_class),
        default_access=trait("default_access", "deny"),
        allowed_sensitive_overrides=frozenset(trait("allowed_sensitive_overrides", set())),
        extra_profile_keys=frozenset(trait("extra_profile_keys", set())),
    )
    _, findings = lint(raw, rules)
    if errors := [finding for finding in findings if finding.level == "error"]:
        raise ConfigurationError(errors)
