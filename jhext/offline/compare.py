"""Two versions of a configuration: who gains and who loses what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..profiles.access import ACCESS_KEYS, Decision, Person
from ..profiles.catalog import OPEN, Catalog
from ..profiles.model import walk_options
from ..units import format_quantity
from .configuration import Configuration, Shown
from .terms import EVERYBODY, Terms, terms_of
from .view import FREE_TEXT, because, decided, item_name, view


@dataclass(frozen=True)
class Difference:
    """What somebody or some item gains and loses.

    Parameters
    ----------
    subject
        The person, with items in the other fields; or the item, with people in them.
    gains
        What is gained, with the rule that gives it.
    loses
        What is lost, with the rule that takes it.
    """

    subject: str
    gains: Mapping[str, str]
    loses: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """What is written differently about an item, other than rules."""

    item: str
    key: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Comparison:
    """Who gains and loses what, and what else differs."""

    differences: list[Difference]
    changes: list[Change]


def compare(old: Configuration, new: Configuration, people: Sequence[Person] | None) -> Comparison:
    """Compare two configurations, for these people or else by their rules.

    Raises
    ------
    ConfigurationError
        The profiles of one are faulty.
    """
    changes = compare_contents(old.catalog, new.catalog)
    if people is None:
        before, after = (terms_of(item.catalog, item.mapped) for item in (old, new))
        return Comparison(compare_rules(before, after), changes)
    shown = zip(people, old.shown(people), new.shown(people), strict=True)
    return Comparison(compare_people(shown), changes)


def compare_people(
    people: Iterable[tuple[Person, Shown, Shown]],
) -> list[Difference]:
    """Tell what each of these people gains and loses; who keeps everything is left out."""
    differences = []
    for person, old, new in people:
        before, after = decided(view(old, person)), decided(view(new, person))
        gains = _gone(after, before)
        loses = {item: after.get(item, _GONE) for item in _gone(before, after)}
        if gains or loses:
            differences.append(
                Difference(
                    person.user,
                    {item: because(decision) for item, decision in gains.items()},
                    {item: because(decision) for item, decision in loses.items()},
                )
            )
    return differences


_GONE = Decision(False, "", "is gone")


def _gone(before: Mapping[str, Decision], after: Mapping[str, Decision]) -> dict[str, Decision]:
    """What was to be had and is not any more; less what goes without saying then."""

    def had(item: str, decisions: Mapping[str, Decision]) -> bool:
        return item in decisions and decisions[item].allowed

    gone = {item: it for item, it in before.items() if it.allowed and not had(item, after)}
    return {
        item: decision
        for item, decision in gone.items()
        if _parent(item) == item or _parent(item) not in gone or decision is not OPEN
    }


def _parent(item: str) -> str:
    """The profile that an item belongs to."""
    return item.partition(": ")[0]


def compare_rules(old: Mapping[str, Terms], new: Mapping[str, Terms]) -> list[Difference]:
    """Tell for each item who gains and who loses it, as far as the rules alone say so."""
    differences = []
    for item in dict.fromkeys([*old, *new]):
        parent = _parent(item)
        if parent != item and (parent in old) != (parent in new):
            continue  # the profile came or went with all its choices
        before, after = old.get(item, Terms()), new.get(item, Terms())
        gains = _more(before, after) | _fewer_blocks(before, after)
        loses = _more(after, before) | _new_blocks(before, after)
        if EVERYBODY in loses and after.allows:
            loses = {"everybody else": loses.pop(EVERYBODY)} | loses
        if EVERYBODY in gains and parent != item:
            gains = {f"everybody who has {parent}": gains.pop(EVERYBODY)} | gains
        if gains or loses:
            differences.append(Difference(item, gains, loses))
    return differences


def _more(before: Terms, after: Terms) -> dict[str, str]:
    """Whom the rules afterwards let in and those before did not."""
    if EVERYBODY in before.allows:
        return {}
    return {who: rule for who, rule in after.allows.items() if who not in before.allows}


def _new_blocks(before: Terms, after: Terms) -> dict[str, str]:
    return {who: rule for who, rule in after.blocks.items() if who not in before.blocks}


def _fewer_blocks(before: Terms, after: Terms) -> dict[str, str]:
    lifted = {who: rule for who, rule in before.blocks.items() if who not in after.blocks}
    return {f"{who}, if otherwise allowed": f"{rule} lifted" for who, rule in lifted.items()}


def compare_contents(old: Catalog, new: Catalog) -> list[Change]:
    """Tell what else is written differently about the items that both have."""
    before, after = _contents(old), _contents(new)
    return [
        Change(item, key, before[item].get(key), after[item].get(key))
        for item in before
        if item in after
        for key in dict.fromkeys([*before[item], *after[item]])
        if before[item].get(key) != after[item].get(key)
    ]


def _contents(catalog: Catalog) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {
        "hub": {
            "default_access": catalog.policy.default_access,
            "admin_bypass": catalog.policy.admin_bypass,
        }
    }
    for profile in catalog.profiles:
        found[profile.slug] = _flat(profile)
        for _, key, option in walk_options(profile.profile_options):
            found[f"{profile.slug}: {key}"] = _flat(option)
            for name, choice in option.choices.items():
                found[item_name(profile.slug, key, name)] = _flat(choice)
            if option.unlisted_choice.enabled:
                found[item_name(profile.slug, key, FREE_TEXT)] = _flat(option.unlisted_choice)
    return found


_APART = {*ACCESS_KEYS, "slug", "profile_options", "choices", "unlisted_choice"}


def _flat(model: Any) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key in sorted(type(model).model_fields.keys() - _APART):
        value = getattr(model, key)
        if key == "kubespawner_override":
            flat |= {f"{key}.{trait}": _readable(trait, item) for trait, item in value.items()}
        else:
            flat[key] = value
    return flat


def _readable(trait: str, value: Any) -> Any:
    """Memory is in bytes by now."""
    is_memory = trait in ("mem_limit", "mem_guarantee") and isinstance(value, int)
    return format_quantity(value) if is_memory else value
