"""What the spawn form shows one person: permitted profiles in the shape of KubeSpawner's list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..refusal import Refusal
from .access import ACCESS_KEYS
from .catalog import Permitted, PermittedChoice, PermittedOption
from .model import UNLISTED_SUFFIX
from .selection import check_free_text, default_of


@dataclass(frozen=True, slots=True)
class Form:
    """What form templates get, KubeSpawner's own ones and custom ones.

    Parameters
    ----------
    profile_list
        The permitted profiles with the permitted choices, without the access rules.
    user_options
        What was chosen last, as far as it is still permitted.
    stale
        Whether something that was chosen last is not permitted any more.
    """

    profile_list: list[dict[str, Any]]
    user_options: dict[str, str]
    stale: bool


def form_of(permitted: Sequence[Permitted], last_options: Any) -> Form:
    """Make the form for what is permitted, preselecting what was chosen last."""
    default = default_of(permitted)
    profiles = [_profile(item, item is default) for item in permitted]
    options, stale = _still_permitted(permitted, last_options)
    return Form(profiles, options, stale)


def _profile(item: Permitted, default: bool) -> dict[str, Any]:
    shown = _without_rules(item.raw)
    shown |= {"slug": item.profile.slug, "default": default}
    if item.profile.profile_options:
        shown["profile_options"] = _options(item.options, item.raw["profile_options"])
    return shown


def _options(options: Sequence[PermittedOption], raw: Mapping[str, Any]) -> dict[str, Any]:
    return {option.name: _option(option, raw[option.name]) for option in options}


def _option(option: PermittedOption, raw: Mapping[str, Any]) -> dict[str, Any]:
    raw_choices = raw.get("choices", {})
    unlisted = option.option.unlisted_choice
    return {
        **raw,
        "key": option.key,
        "choices": {
            choice.name: _choice(choice, raw_choices[choice.name], choice is option.default)
            for choice in option.choices
        },
        "unlisted_choice": {
            **_without_rules(raw.get("unlisted_choice", {})),
            "enabled": option.unlisted,
            "display_name_in_choices": unlisted.display_name_in_choices,
        },
    }


def _choice(choice: PermittedChoice, raw: Mapping[str, Any], default: bool) -> dict[str, Any]:
    shown = _without_rules(raw)
    shown["default"] = default
    if choice.choice.profile_options:
        shown["profile_options"] = _options(choice.options, raw["profile_options"])
    return shown


def _without_rules(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if key not in ACCESS_KEYS}


def _still_permitted(
    permitted: Sequence[Permitted], last_options: Any
) -> tuple[dict[str, str], bool]:
    if not isinstance(last_options, Mapping) or not last_options.get("profile"):
        return {}, False
    slug = last_options["profile"]
    profile = next((item for item in permitted if item.profile.slug == slug), None)
    if profile is None:
        return {}, True
    kept = {"profile": profile.profile.slug}
    stale = _keep(profile.options, last_options, kept)
    return kept, stale


def _keep(
    options: Sequence[PermittedOption], last_options: Mapping[str, Any], kept: dict[str, str]
) -> bool:
    """Copy what is still permitted into ``kept``; tell whether anything was left behind."""
    stale = False
    for option in options:
        text = last_options.get(option.key + UNLISTED_SUFFIX)
        value = last_options.get(option.key)
        if text:
            if _is_acceptable(option, text):
                kept[option.key + UNLISTED_SUFFIX] = text
            else:
                stale = True
        if value:
            choice = next((item for item in option.choices if item.name == value), None)
            if choice is None:
                stale = True
            else:
                kept[option.key] = choice.name
                stale |= _keep(choice.options, last_options, kept)
    return stale


def _is_acceptable(option: PermittedOption, text: Any) -> bool:
    try:
        return isinstance(text, str) and bool(check_free_text(option, text))
    except Refusal:
        return False
