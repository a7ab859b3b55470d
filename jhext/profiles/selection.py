"""What somebody chose, or why they may not have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import regex

from ..refusal import Reason, Refusal
from .access import Person
from .catalog import Catalog, Permitted, PermittedChoice, PermittedOption
from .model import UNLISTED_SUFFIX, Overrides, Profile

MAX_FREE_TEXT = 1024
"""Characters of free text that are taken: more than any image reference has."""

MAX_SECONDS = 0.1
"""How long a ``validation_regex`` may take: patterns with nested repeats can take for ever."""

NOTHING_PERMITTED = "There is no server you may start here. Please ask your administrator."
_NOT_YOURS = "The profile you asked for is not available to you. Please choose another one."


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen for one option: a choice, or free text.

    Parameters
    ----------
    key
        The option's key in ``user_options``.
    value
        The name of the choice, or the text.
    overrides
        What it changes about the spawner.
    free_text
        Whether ``value`` is free text, which stands for ``{value}`` in the overrides.
    rule
        The rule that permits it, empty where none is written.
    """

    key: str
    value: str
    overrides: Overrides
    free_text: bool = False
    rule: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Selection:
    """A profile and its options, authorized.

    Parameters
    ----------
    profile
        The profile that was granted.
    chosen
        One for each option, in the order in which they are applied.
    rule
        The rule that permits the profile, and those of what was chosen.
    """

    profile: Profile
    chosen: tuple[Chosen, ...]
    rule: str

    @property
    def choices(self) -> dict[str, str]:
        """What was chosen, as the ``user_options`` that say so."""
        return {
            item.key + (UNLISTED_SUFFIX if item.free_text else ""): item.value
            for item in self.chosen
        }

    @property
    def overrides(self) -> tuple[Overrides, ...]:
        """What it changes about the spawner, in the order in which that is applied."""
        return (self.profile.kubespawner_override, *(item.overrides for item in self.chosen))

    def starts_the_same(self, other: Selection | None) -> bool:
        """Tell whether another selection changes the same about a spawner, by whatever rule."""
        return other is not None and replace(other, rule=self.rule) == self


def select(
    catalog: Catalog,
    person: Person,
    user_options: Any,
    *,
    extra_options: frozenset[str] = frozenset(),
) -> Selection:
    """Decide what these options start.

    Parameters
    ----------
    catalog
        The profiles and their rules.
    person
        The owner of the server.
    user_options
        What was asked for, by whatever way it came: any JSON value.
    extra_options
        Keys that code of the operator reads; they are passed over here.

    Raises
    ------
    Refusal
        It may not be started. What the refusal says is the same for what does not exist and
        for what is hidden.
    """
    options = _mapping(user_options)
    permitted = _profile(catalog, person, options.get("profile"))
    chosen = tuple(_choose(permitted.options, options))
    if unknown := unknown_keys(permitted, options, extra_options):
        shown = ", ".join(sorted(_shorten(key) for key in unknown[:5]))
        message = f"The options hold something this profile does not have: {shown}."
        raise Refusal(Reason.OPTIONS, message)
    named = {("profile", permitted.profile.slug)}
    named = named.union(*[option.choices_by_key for option in permitted.options])
    for key, value in options.items():
        if key in extra_options:
            continue
        text = _string(value, key)
        if text and (key, text) not in named:
            _check_unnamed(key, text)
    rules = [permitted.decision.rule, *(f"{item.key}: {item.rule}" for item in chosen if item.rule)]
    return Selection(permitted.profile, chosen, "; ".join(rules))


def refuse_profile(user_options: Any) -> None:
    """Refuse options that name a profile where there are none.

    KubeSpawner answers them with a ValueError, which JupyterHub counts as its own failure.

    Raises
    ------
    Refusal
        They do, or they are no options.
    """
    if _mapping(user_options).get("profile"):
        raise Refusal(Reason.PROFILE, _NOT_YOURS, detail="no profiles are configured")


def default_of(permitted: Sequence[Permitted]) -> Permitted:
    """Give the default among the permitted profiles: the configured one, else the first."""
    return next((item for item in permitted if item.profile.default), permitted[0])


def _mapping(user_options: Any) -> Mapping[str, Any]:
    if user_options is None:
        return {}
    if not isinstance(user_options, Mapping):
        raise Refusal(Reason.OPTIONS, "The options must be an object of names and values.")
    return user_options


def _profile(catalog: Catalog, person: Person, slug: Any) -> Permitted:
    if slug is None or slug == "":
        if permitted := catalog.permitted(person):
            return default_of(permitted)
        raise Refusal(Reason.NONE_PERMITTED, NOTHING_PERMITTED)
    if not isinstance(slug, str):
        raise Refusal(Reason.OPTIONS, "The profile must be named by a string.")
    outcome = catalog.find(slug, person)
    if isinstance(outcome, Permitted):
        return outcome
    if not catalog.permitted(person):
        rule = outcome.rule if outcome else ""
        raise Refusal(Reason.NONE_PERMITTED, NOTHING_PERMITTED, rule=rule)
    if outcome is None:
        raise Refusal(Reason.PROFILE, _NOT_YOURS, detail="no such profile", rule="")
    raise Refusal(Reason.PROFILE, _NOT_YOURS, detail=outcome.reason, rule=outcome.rule)


def _choose(
    options: Sequence[PermittedOption], user_options: Mapping[str, Any]
) -> Iterator[Chosen]:
    for option in options:
        name = option.option.display_name
        text = _string(user_options.get(option.key + UNLISTED_SUFFIX), name)
        value = _string(user_options.get(option.key), name)
        choice = _choice(option, value)
        if text:
            yield check_free_text(option, text)
        elif choice is not None:
            overrides = choice.choice.kubespawner_override
            yield Chosen(option.key, choice.name, overrides, rule=choice.rule)
            yield from _choose(choice.options, user_options)
        else:
            raise Refusal(Reason.OPTIONS, f"{name}: please give a value.")


def _choice(option: PermittedOption, value: str) -> PermittedChoice | None:
    if not value:
        return option.default
    for choice in option.choices:
        if choice.name == value:
            return choice
    raise _closed(option, option.key, value, option.denied.get(value, ""))


def _string(value: Any, name: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refusal(Reason.OPTIONS, f"{name}: the value must be a string.")
    return value


def check_free_text(option: PermittedOption, text: str) -> Chosen:
    """Check free text, which is formatted into overrides and may become an image name.

    Raises
    ------
    Refusal
        It is not acceptable.
    """
    name, unlisted = option.option.display_name, option.option.unlisted_choice
    if not option.unlisted:
        raise _closed(option, option.key + UNLISTED_SUFFIX, text, option.unlisted_rule)
    _check_plain(text, name)
    pattern = unlisted.validation_regex
    if pattern and not _matches(pattern, text):
        hint = unlisted.validation_message or "the value does not have the form that is asked for."
        raise Refusal(Reason.OPTIONS, f"{name}: {hint}")
    overrides = unlisted.kubespawner_override
    return Chosen(option.key, text, overrides, free_text=True, rule=option.unlisted_rule)


def _closed(option: PermittedOption, key: str, value: str, rule: str) -> Refusal:
    message = f"{option.option.display_name}: that choice is not available to you."
    return Refusal(Reason.CHOICE, message, detail=f"{key}={_shorten(value)}", rule=rule)


def _check_unnamed(key: str, text: str) -> None:
    """Take only free text for what names no choice, also where it does not count this time."""
    if not key.endswith(UNLISTED_SUFFIX):
        message = f"{key}: that choice is not available to you."
        raise Refusal(Reason.CHOICE, message, detail=_shorten(text))
    _check_plain(text, key)


def _check_plain(text: str, name: str) -> None:
    if len(text) > MAX_FREE_TEXT:
        raise Refusal(Reason.OPTIONS, f"{name}: more than {MAX_FREE_TEXT} characters.")
    if not text.isprintable():
        raise Refusal(Reason.OPTIONS, f"{name}: control characters are not allowed.")
    if "{" in text or "}" in text:
        # KubeSpawner formats the value once more together with names of the user.
        raise Refusal(Reason.OPTIONS, f"{name}: curly braces are not allowed.")


def _matches(pattern: str, text: str) -> bool:
    """Match the whole text. What takes long does not match: it would hold up the whole hub."""
    try:
        return regex.fullmatch(pattern, text, timeout=MAX_SECONDS) is not None
    except TimeoutError:
        return False


def unknown_keys(
    permitted: Permitted, user_options: Mapping[str, Any], extra_options: frozenset[str]
) -> list[str]:
    """Give the keys that mean nothing for this profile, nor for code of the operator."""
    known = {"profile"}.union(extra_options, *[option.keys for option in permitted.options])
    return [key for key in user_options if key not in known]


def _shorten(key: Any) -> str:
    text = str(key)
    return repr(text if len(text) <= 40 else text[:39] + "…")
