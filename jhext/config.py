"""One call in ``jupyterhub_config.py`` that wires a hub."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kubespawner import KubeSpawner
from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue
from traitlets.log import get_logger
from traitlets.utils.importstring import import_item

from .cataloged import LIBRARY
from .crypt_keys import split
from .culler.wiring import add_culler
from .deadline import in_time
from .hub_config import apply_config, config_problems, configured
from .in_force import page, rows_of
from .included import parts_of
from .profiles.catalog import Policy
from .profiles.finding import ConfigurationError, Finding
from .profiles.lint import LintRules
from .profiles.sources import Sources, load
from .settings import HubSettings, Settings, load_settings
from .spawner import ProfileKubeSpawner
from .storage.merge import TAKE_OUT
from .storage.taken import taken
from .upstream import overridable_traits, trait_problem

SPAWNER_CLASS = "jhext.ProfileKubeSpawner"


def configure(c: Config, settings: str | Path | Mapping[str, Any]) -> Settings:
    """Wire a hub as the settings say.

    Calling it again is harmless. Traits that are set on ``c``, before or after, win over the
    settings; no hook is set, so that yours keep working. Services, roles, groups and template paths
    are added to those that are there.

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
        Files that cannot be read in half a minute count as wrong.
    """
    spawner_class = _spawner_class(c)
    loaded = in_time(lambda: read_settings(settings, c, spawner_class), _told(settings))
    _check(c, loaded, spawner_class)
    if spawner_class is ProfileKubeSpawner:
        c.JupyterHub.spawner_class = SPAWNER_CLASS
    c.ProfileKubeSpawner.settings = loaded
    apply_config(c, loaded, spawner_class)
    in_file = loaded.file or loaded.file_of("culler")
    written = settings.get("culler", {}) if isinstance(settings, Mapping) else {}
    add_culler(c, loaded.culler, in_file or written)
    _add_secrets(c, loaded.hub)
    get_logger().info("In force by now:\n%s", page(rows_of(c, loaded, spawner_class)))
    return loaded


def read_settings(
    source: str | Path | Mapping[str, Any], c: Config, spawner_class: type[ProfileKubeSpawner]
) -> Settings:
    """Read settings; where they are faulty, tell of traits and profiles too what is wrong.

    Raises
    ------
    ConfigurationError
        Something is wrong; everything that is wrong is told at once.
    """
    try:
        return load_settings(source)
    except ConfigurationError as error:
        found = list(error.findings)
    known = {finding.path for finding in found}
    if all(known):  # else there is a file that cannot be read
        beside = _faulty_profiles(source, sound(c, spawner_class), spawner_class)
        found += [finding for finding in beside if finding.path not in known]
    raise ConfigurationError([*faulty_traits(c, spawner_class), *found])


def _faulty_profiles(
    source: str | Path | Mapping[str, Any], c: Config, spawner_class: type[ProfileKubeSpawner]
) -> Iterator[Finding]:
    """Check the profiles of settings that are faulty elsewhere, and those beside them."""
    try:
        parts = parts_of(source, Settings.model_fields)
        hub: Any = {}
        for part in parts:
            hub = part.document.value.get("hub", hub)
        linted = {key: hub[key] for key in _LINTED_BY if key in hub}
        settings = Settings(hub=HubSettings(**linted))
        rules, policy = rules_of(c, settings, spawner_class)
    except (ConfigurationError, ValueError, TypeError):
        return  # what profiles are checked by is not known
    yield from load(sources_of(c, settings, spawner_class), rules, policy).catalog.errors
    for part in parts:
        if isinstance(profiles := part.document.value.get("profiles"), list):
            listed = () if part.file else (profiles,)
            yield from load(Sources(listed, part.file), rules, policy).catalog.errors


_LINTED_BY = (
    *("default_access", "admin_bypass"),
    *("allowed_sensitive_overrides", "extra_profile_keys"),
)
"""What in the section ``hub`` profiles are checked by."""


def _told(settings: str | Path | Mapping[str, Any]) -> str:
    return "the settings" if isinstance(settings, Mapping) else str(settings)


def _add_secrets(c: Config, hub: HubSettings) -> None:
    secret, keys = in_time(
        lambda: (
            hub.cookie_secret and hub.cookie_secret.resolve(),
            [key for found in hub.crypt_keys for key in split(found.resolve())],
        ),
        "the secrets of the section hub",
    )
    if secret and not configured(c, "JupyterHub", "cookie_secret"):
        c.JupyterHub.cookie_secret = secret
    if keys and not configured(c, "CryptKeeper", "keys"):
        c.CryptKeeper.keys = keys


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
    problem = f"{configured!r} is no subclass of {SPAWNER_CLASS}"
    where, suggestion = "c.JupyterHub.spawner_class", "let it be one, or leave it out"
    raise ConfigurationError([Finding("error", where, "", problem, suggestion=suggestion)])


def _imported(name: str) -> Any:
    if name.lower() == "jhext":
        return ProfileKubeSpawner
    try:
        return import_item(name)
    except ImportError:
        return None


def sources_of(c: Config, settings: Settings, spawner_class: type[ProfileKubeSpawner]) -> Sources:
    """Tell where the profiles of a configuration come from, less what callables return."""

    def trait(name: str) -> Any:
        return _trait(c, settings, spawner_class, name, [])

    return Sources.of(
        trait("profile_list"), settings, trait("profile_files"), trait("profile_mapping_files")
    )


def rules_of(
    c: Config, settings: Settings, spawner_class: type[ProfileKubeSpawner]
) -> tuple[LintRules, Policy]:
    """Tell by what a configuration has its profiles checked, and how their rules are read."""

    def trait(name: str, unset: Any) -> Any:
        return _trait(c, settings, spawner_class, name, unset)

    policy = Policy(trait("default_access", "deny"), trait("admin_bypass", False))
    rules = LintRules(
        traits=overridable_traits(spawner_class),
        default_access=policy.default_access,
        allowed_sensitive_overrides=frozenset(trait("allowed_sensitive_overrides", set())),
        extra_profile_keys=frozenset(trait("extra_profile_keys", set())),
    )
    return rules, policy


def _trait(
    c: Config, settings: Settings, spawner_class: type[ProfileKubeSpawner], name: str, unset: Any
) -> Any:
    value = settings.hub.traits.get(name, unset)
    for section in spawner_class.section_names():
        written = c.get(section, {}).get(name, value)
        # Asking the original for its value would make it deaf to what is appended later.
        lazy = isinstance(written, LazyConfigValue)
        value = copy.deepcopy(written).get_value(value) if lazy else written
    return value


def _check(c: Config, settings: Settings, spawner_class: type[ProfileKubeSpawner]) -> None:
    """Check the profiles that are known by now, with the traits that are known by now.

    What is set later, and what callables return, the spawner checks at the first use.
    """
    faulty = [*faulty_traits(c, spawner_class), *config_problems(c, settings, spawner_class)]
    faulty += _taken_places(c, settings, spawner_class)
    others = sound(c, spawner_class)
    sources = sources_of(others, settings, spawner_class)
    rules = rules_of(others, settings, spawner_class)
    try:
        in_time(lambda: LIBRARY.check(sources, *rules), "the profiles")
    except ConfigurationError as error:
        faulty += error.findings
    if faulty:
        raise ConfigurationError(faulty)


def _taken_places(
    c: Config, settings: Settings, spawner_class: type[ProfileKubeSpawner]
) -> Iterator[Finding]:
    """Find what would be mounted where KubeSpawner mounts something: no server could start."""
    name = "volume_mounts"
    written = settings.hub.config.get("KubeSpawner", {}).get(name, [])
    mounts = _trait(c, settings, spawner_class, name, written)
    for where, path in taken(settings.storage, mounts) if settings.storage else ():
        problem = f"something is mounted at {path!r} already, which is storage.{where}"
        yield Finding("error", f"c.KubeSpawner.{name}", "", problem, suggestion=TAKE_OUT)


def faulty_traits(c: Config, spawner_class: type[ProfileKubeSpawner]) -> Iterator[Finding]:
    """Check the traits that decide: in a running hub each spawner would fail because of one."""
    for section, name, problem in _faulty(c, spawner_class):
        suggestion = f"write {spawner_class.class_traits()[name].info()}"
        yield Finding("error", f"c.{section}.{name}", "", problem, suggestion=suggestion)


def sound(c: Config, spawner_class: type[ProfileKubeSpawner]) -> Config:
    """Give a configuration without the traits that are faulty, to check everything else by it."""
    faulty = [(section, name) for section, name, _ in _faulty(c, spawner_class)]
    return Config(
        {
            section: {
                name: value for name, value in traits.items() if (section, name) not in faulty
            }
            for section, traits in c.items()
        }
    )


def _faulty(c: Config, spawner_class: type[ProfileKubeSpawner]) -> Iterator[tuple[str, str, str]]:
    traits = spawner_class.class_traits()
    for section in spawner_class.section_names():
        for name, value in c.get(section, {}).items():
            decides = name in spawner_class.deciding_traits and not isinstance(
                value, LazyConfigValue
            )
            if decides and (problem := trait_problem(traits[name], value)):
                yield section, name, problem.rstrip(".")
