"""``hub.config``: traits of the hub's classes, checked by name and value, below what ``c`` says."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from traitlets import Bool, Container, Float, HasTraits, Int, TraitError, TraitType
from traitlets.config import Config, Configurable
from traitlets.config.loader import LazyConfigValue

from .deadline import in_time
from .profiles.finding import Finding, did_you_mean
from .profiles.names import parse_names
from .references import has_reference, resolved
from .section import SecretRef
from .settings import Settings
from .upstream import trait_problem

_HUB = "JupyterHub"
_ADDED = frozenset({"services", "load_roles", "load_groups", "template_paths"})
"""Lists and dicts of JupyterHub to which others add, too."""

Classes = Mapping[str, type[Configurable]]


def config_problems(
    c: Config, settings: Settings, spawner_class: type[Configurable]
) -> Iterator[Finding]:
    """Tell what is wrong with ``hub.config``; no value that is a secret is in it.

    Raises
    ------
    ConfigurationError
        A secret is not there.
    """
    if not settings.hub.config:
        return
    classes = _classes(c, settings, spawner_class)
    for section, traits in settings.hub.config.items():
        if (found := classes.get(section)) is None:
            suggestion = did_you_mean(section, classes, "name a class that the hub uses")
            yield _finding(settings, [section], "no class of the hub has this name", suggestion)
            continue
        known = _traits(found, classes)
        for name, value in traits.items():
            keys = [section, name]
            if (trait := known.get(name)) is None:
                yield _finding(
                    settings, keys, "no such trait", did_you_mean(name, known, "take it out")
                )
            elif keys == [_HUB, "spawner_class"]:
                yield _finding(
                    settings, keys, "is set by jhext", "set yours in jupyterhub_config.py"
                )
            elif problem := trait_problem(trait, value_for(trait, value)):
                problem = "does not fit" if has_reference(value) else problem
                yield _finding(settings, keys, problem, f"write {trait.info()}")


def apply_config(c: Config, settings: Settings, spawner_class: type[Configurable]) -> None:
    """Set what nobody has set on ``c``, and add to what others add to.

    Raises
    ------
    ConfigurationError
        A secret is not there.
    """
    hub = settings.hub
    if hub.public_url:
        _set_unset(c, _HUB, "public_url", hub.public_url)
        callback = f"{hub.public_url.rstrip('/')}/hub/oauth_callback"
        _set_unset(c, "OAuthenticator", "oauth_callback_url", callback)
    if hub.database is not None and not _is_set(c, [_HUB], "db_url"):
        c.JupyterHub.db_url = in_time(hub.database.url, "the password of the database")
    if not hub.config:
        return
    classes = _classes(c, settings, spawner_class)
    for section, traits in hub.config.items():
        family = [name for name, other in classes.items() if _related(classes[section], other)]
        known = _traits(classes[section], classes)
        for name, value in traits.items():
            made = value_for(known[name], value)
            if section == _HUB and name in _ADDED:
                c[section][name] = _added(configured(c, section, name), made)
            elif not _is_set(c, family, name):
                _set_unset(c, section, name, made)


def value_for(trait: TraitType[Any, Any], value: Any) -> Any:
    """Give the value of a trait, with the secrets and the names that it refers to.

    Raises
    ------
    ConfigurationError
        One is not there.
    """
    if not has_reference(value):
        return value
    found = in_time(lambda: resolved(value), "the secrets of hub.config")
    if isinstance(value, SecretRef) and isinstance(trait, Container):
        return parse_names(found.encode(), value.file or str(value.env))
    # A variable is a text; a number of bytes, such as 2G, is taken as it is.
    if isinstance(value, SecretRef) and isinstance(trait, Bool | Float | Int):
        return found if trait_problem(trait, found) is None else _parsed(trait, found)
    return found


def _parsed(trait: Bool[Any, Any] | Float[Any, Any] | Int[Any, Any], text: str) -> Any:
    try:
        return trait.from_string(text.strip())
    except ValueError:
        return text  # which then does not fit


def configured(c: Config, section: str, name: str) -> Any:
    """Give what is configured, ``c.Class.trait.append`` and the like too; None where nothing is."""
    value = c.get(section, {}).get(name)
    if isinstance(value, LazyConfigValue):
        # Asking the original for its value would make it deaf to what is appended later.
        lazy = copy.deepcopy(value)
        return lazy.get_value({} if lazy.to_dict().get("update") else [])
    return value


def _classes(c: Config, settings: Settings, spawner_class: type[Configurable]) -> Classes:
    """Give the classes that the hub is made of, with their parents, by name."""
    # JupyterHub takes as long to import as everything else together.
    from jupyterhub.app import JupyterHub  # noqa: PLC0415

    traits = JupyterHub.class_traits()
    made: list[type] = [*traits["classes"].default(), JupyterHub, spawner_class]
    for name in ("authenticator_class", "proxy_class"):
        trait = traits[name]
        written = configured(c, _HUB, name) or settings.hub.config.get(_HUB, {}).get(name)
        try:
            made.append(trait._validate(HasTraits(), written) if written else trait.default())
        except (TraitError, ImportError):
            continue  # which is told about the trait itself
    parents = [parent for found in made if isinstance(found, type) for parent in found.__mro__]
    return {
        parent.__name__: parent
        for parent in reversed(parents)
        if issubclass(parent, Configurable) and parent.class_traits(config=True)
    }


def _traits(found: type[Configurable], classes: Classes) -> dict[str, TraitType[Any, Any]]:
    """Give what the section of a class can set: traits of its subclasses, too."""
    below = [other for other in classes.values() if issubclass(other, found)]
    return {key: t for other in below for key, t in other.class_traits(config=True).items()}


def _related(one: type, other: type) -> bool:
    return issubclass(one, other) or issubclass(other, one)


def _is_set(c: Config, sections: Iterable[str], name: str) -> bool:
    written = [c[section][name] for section in sections if name in c.get(section, {})]
    return any(not isinstance(value, LazyConfigValue) for value in written)


def _set_unset(c: Config, section: str, name: str, value: Any) -> None:
    """Set a trait, below what is added to it."""
    written = c.get(section, {}).get(name)
    if isinstance(written, LazyConfigValue):
        c[section][name] = copy.deepcopy(written).get_value(value)
    elif written is None:
        c[section][name] = value


def _added(before: Any, more: Any) -> Any:
    """Add what is not there yet; of two things of one name the first stays."""
    if isinstance(more, Mapping):
        return {**more, **(before or {})}
    there = [_name(item) for item in before or ()]
    return [*(before or ()), *(item for item in more if _name(item) not in there)]


def _name(item: Any) -> Any:
    return item.get("name", item) if isinstance(item, Mapping) else item


def _finding(settings: Settings, keys: list[str], message: str, suggestion: str) -> Finding:
    path = ".".join(["hub", "config", *keys])
    return Finding("error", "", path, message, settings.file_of("hub"), suggestion=suggestion)
