"""A configuration that was read: a ``jhext.yaml``, or a ``jupyterhub_config.py`` with one."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from ..config import faulty_traits, read_settings, rules_of, sound, sources_of
from ..hub_config import apply_config, config_problems
from ..profiles.access import Mapped, Person
from ..profiles.catalog import Catalog
from ..profiles.finding import ConfigurationError, Finding
from ..profiles.mapping import bind
from ..profiles.sources import Version, load
from ..references import has_reference
from ..refusal import Refusal
from ..section import SecretRef, Section
from ..settings import Settings, load_settings
from ..spawner import ProfileKubeSpawner

SPAWNER_CLASS = "jhext"

Shown = Catalog | Refusal | None
"""What somebody is shown: profiles; or a callable's refusal; or, where no profiles are configured
at all and ``default_access`` is ``allow``, nothing, and everybody starts the base configuration."""


@dataclass(frozen=True)
class Configuration:
    """What a hub would be configured with.

    Parameters
    ----------
    path
        The file.
    config
        JupyterHub's configuration.
    spawner_class
        The spawner that it names.
    """

    path: Path
    config: Config
    spawner_class: type[ProfileKubeSpawner]

    @cached_property
    def settings(self) -> Settings:
        """What ``jhext.configure`` read."""
        settings: Settings = self._configured("settings", Settings())
        return settings

    @cached_property
    def version(self) -> Version:
        """The profiles and what was found about them; without what a callable would return."""
        sources = sources_of(self.config, self.settings, self.spawner_class)
        return load(sources, *rules_of(self.config, self.settings, self.spawner_class))

    @property
    def catalog(self) -> Catalog:
        """The profiles.

        Raises
        ------
        ConfigurationError
            They are faulty, so that a hub would start nothing.
        """
        if errors := (*self.without_profiles(), *self.version.catalog.errors):
            raise ConfigurationError(errors)
        return self.version.catalog

    def shown(self, people: Sequence[Person]) -> list[Shown]:
        """Give the profiles that each of these people is shown.

        Raises
        ------
        ConfigurationError
            They are faulty, so that a hub would start nothing.
        """
        if callable(self._trait("profile_list", [])):
            from .simulate import shown  # noqa: PLC0415 - JupyterHub takes long to import

            return shown(self, people)
        if self.has_profiles:
            return [self.catalog] * len(people)
        if errors := tuple(self.without_profiles()):
            raise ConfigurationError(errors)
        return [None] * len(people)

    @property
    def has_profiles(self) -> bool:
        """Whether there is any source of profiles, be it one that yields none."""
        names = ("profile_list", "profile_files", "profile_mapping_files")
        return self.settings.has_profiles or any(self._trait(name, []) for name in names)

    def without_profiles(self) -> Iterator[Finding]:
        """Tell what is wrong with having no profiles."""
        if not self.has_profiles and self.version.catalog.policy.default_access == "deny":
            message = "no profiles are configured and default_access is deny: nothing can start"
            suggestion = "write profiles, or default_access: allow"
            yield Finding("error", "profiles", "", message, str(self.path), suggestion=suggestion)

    @property
    def mapped(self) -> Mapping[str, Mapped]:
        """What mapping files say about the profiles, by slug."""
        profiles = [(item.slug, item.display_name) for item in self.version.catalog.profiles]
        return bind(self.version.mappings, profiles)[0]

    @property
    def extra_user_options(self) -> frozenset[str]:
        """Keys of ``user_options`` that code of the operator reads."""
        return frozenset(self._trait("extra_user_options", set()))

    def sets(self, name: str) -> bool:
        """Whether a trait of the spawner is set."""
        return self._trait(name, None) is not None

    def trait(self, name: str) -> Any:
        """Give the value of a trait of the spawner, be it the default of its class."""
        return self._trait(name, self.spawner_class.class_traits()[name].default())

    def hub_trait(self, name: str, unset: Any) -> Any:
        """Give the value of a trait of JupyterHub, and `unset` where none is configured."""
        return _reified(self.config.get("JupyterHub", {}).get(name), unset)

    def _trait(self, name: str, unset: Any) -> Any:
        return self._configured(name, self.settings.traits.get(name, unset))

    def _configured(self, name: str, unset: Any) -> Any:
        for section in reversed(self.spawner_class.section_names()):
            if name in self.config.get(section, {}):
                return _reified(self.config[section][name], unset)
        return unset

    @property
    def groups(self) -> Mapping[str, frozenset[str]]:
        """The groups of ``c.JupyterHub.load_groups`` with their users."""
        loaded = self.hub_trait("load_groups", {})
        return {name: frozenset(_users(group)) for name, group in loaded.items()}

    @property
    def admins(self) -> frozenset[str]:
        """The users that the configuration of the authenticator makes admins."""
        sections = (self.config[name] for name in self.config if name.endswith("Authenticator"))
        named = (_reified(section.get("admin_users"), set()) for section in sections)
        return frozenset(user for users in named for user in users)

    def secrets(self) -> frozenset[str]:
        """Everything that the settings name as a secret, as far as it is there."""
        return frozenset(_secrets(self.settings))


def read_configuration(path: Path) -> Configuration:
    """Read a configuration: Python as JupyterHub does, everything else as a ``jhext.yaml``.

    Raises
    ------
    ConfigurationError
        It cannot be read, or JupyterHub would not start with it.
    """
    if path.suffix == ".py":
        # JupyterHub takes as long to import as everything else together.
        from .python import read_python  # noqa: PLC0415

        config, spawner_class = read_python(path)
        # What is set after jhext.configure it has not seen.
        if faulty := tuple(faulty_traits(config, spawner_class)):
            others = Configuration(path, sound(config, spawner_class), spawner_class)
            found = (*others.without_profiles(), *others.version.catalog.errors)
            raise ConfigurationError((*faulty, *found))
        return Configuration(path, config, spawner_class)
    config = Config()
    settings = read_settings(path, config, ProfileKubeSpawner)
    config.JupyterHub.spawner_class = SPAWNER_CLASS
    config.ProfileKubeSpawner.settings = settings
    public = _without_secrets(settings)
    if problems := list(config_problems(config, public, ProfileKubeSpawner)):
        raise ConfigurationError(problems)
    apply_config(config, public, ProfileKubeSpawner)
    return Configuration(path, config, ProfileKubeSpawner)


def _without_secrets(settings: Settings) -> Settings:
    """Leave out of `hub` what only a hub can read."""
    config = {
        section: {name: value for name, value in traits.items() if not has_reference(value)}
        for section, traits in settings.hub.config.items()
    }
    hub = settings.hub.model_copy(update={"config": config, "database": None})
    return settings.model_copy(update={"hub": hub})


def check_settings(settings: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Check settings that are in no file."""
    try:
        loaded = load_settings(settings)
    except ConfigurationError as error:
        return error.findings
    config = Config(ProfileKubeSpawner=Config(settings=loaded))
    return Configuration(Path(), config, ProfileKubeSpawner).version.catalog.findings


def _reified(written: Any, unset: Any) -> Any:
    """Give what is configured, also where that is ``c.Class.trait.append`` and the like."""
    if isinstance(written, LazyConfigValue):
        # Asking the original for its value would make it deaf to what is appended later.
        return copy.deepcopy(written).get_value(unset)
    return unset if written is None else written


def _users(group: Any) -> Iterator[str]:
    """JupyterHub takes a list of users, or a mapping that has one."""
    yield from group.get("users", ()) if isinstance(group, Mapping) else group


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, SecretRef):
        try:
            yield value.resolve()
        except ConfigurationError:
            return  # what is not there cannot be shown
    elif isinstance(value, Section):
        for _, inner in value:
            yield from _secrets(inner)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _secrets(inner)
    elif isinstance(value, list | tuple | frozenset):
        for inner in value:
            yield from _secrets(inner)
