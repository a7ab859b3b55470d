"""Everything there is to start, as one person finds it, with the rule behind each answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..profiles.access import Decision, Person, decide
from ..profiles.catalog import OPEN, Catalog
from ..profiles.model import PATH_SEPARATOR, Option
from .configuration import Shown

FREE_TEXT = "(free text)"
"""Stands for an ``unlisted_choice`` where choices are named."""

_SAID_BY_THE_REASON = {"", "no rule", "default_access", "profile_options"}
_NO_CHOICE = Decision(False, "profile_options", "an option has no choice that is open")


@dataclass(frozen=True)
class ChoiceView:
    """A choice, or free text, and what was decided about it."""

    name: str
    display_name: str
    decision: Decision
    options: tuple[OptionView, ...] = ()


@dataclass(frozen=True)
class OptionView:
    """An option with all that can be chosen."""

    key: str
    display_name: str
    optional: bool
    choices: tuple[ChoiceView, ...]

    @property
    def is_open(self) -> bool:
        """Whether anything can be chosen."""
        return any(choice.decision.allowed for choice in self.choices)


@dataclass(frozen=True)
class ProfileView:
    """A profile, and what was decided about it."""

    slug: str
    display_name: str
    decision: Decision
    options: tuple[OptionView, ...]


def view(catalog: Shown, person: Person) -> tuple[ProfileView, ...]:
    """Tell about every profile, in the order of the catalogue; about none where there is none."""
    if not isinstance(catalog, Catalog):
        return ()
    return tuple(
        ProfileView(
            profile.slug,
            profile.display_name,
            decision,
            _options(catalog, person, profile.profile_options),
        )
        for profile, decision in catalog.decisions(person)
    )


def decided(profiles: Iterable[ProfileView]) -> dict[str, Decision]:
    """List everything there is, each with the decision about it.

    Profiles are named by their slugs, choices as in ``gpu: size=large``. What is below something
    that cannot be had has its decision.
    """
    found: dict[str, Decision] = {}
    for profile in profiles:
        found[profile.slug] = profile.decision
        found.update(_decided_below(profile.slug, profile.options, profile.decision))
    return found


def because(decision: Decision) -> str:
    """Say in one line what decided, and why."""
    if decision.rule in _SAID_BY_THE_REASON:
        return decision.reason
    return decision.rule if decision.allowed else f"{decision.rule} ({decision.reason})"


def item_name(slug: str, key: str, choice: str) -> str:
    """Name a choice of a profile's option."""
    return f"{slug}: {key}={choice}"


def _decided_below(
    slug: str, options: Iterable[OptionView], above: Decision
) -> Iterator[tuple[str, Decision]]:
    for option in options:
        for choice in option.choices:
            decision = choice.decision if above.allowed else above
            yield item_name(slug, option.key, choice.name), decision
            yield from _decided_below(slug, choice.options, decision)


def _options(
    catalog: Catalog, person: Person, options: Mapping[str, Option], prefix: str = ""
) -> tuple[OptionView, ...]:
    return tuple(
        OptionView(
            prefix + name,
            option.display_name,
            option.optional,
            tuple(_choices(catalog, person, option, prefix + name)),
        )
        for name, option in options.items()
    )


def _choices(catalog: Catalog, person: Person, option: Option, key: str) -> Iterator[ChoiceView]:
    bypass = catalog.policy.admin_bypass
    for name, choice in option.choices.items():
        prefix = f"{key}{PATH_SEPARATOR}{name}{PATH_SEPARATOR}"
        below = _options(catalog, person, choice.profile_options, prefix)
        decision = decide(choice, person, default=OPEN, admin_bypass=bypass)
        if decision.allowed and not all(item.is_open or item.optional for item in below):
            decision = _NO_CHOICE
        yield ChoiceView(name, choice.display_name, decision, below)
    unlisted = option.unlisted_choice
    if unlisted.enabled:
        decision = decide(unlisted, person, default=OPEN, admin_bypass=bypass)
        yield ChoiceView(FREE_TEXT, unlisted.display_name, decision)
