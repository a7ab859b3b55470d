"""What the spawn form shows one person: permitted profiles in the shape of KubeSpawner's list."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from jinja2 import Template

from ..refusal import Refusal
from .access import ACCESS_KEYS
from .catalog import Catalog, Permitted, PermittedChoice, PermittedOption
from .model import UNLISTED_SUFFIX
from .selection import check_free_text, default_of, unknown_keys


class FormPages:
    """Rendered forms, kept for people who see the same.

    A form depends on nothing but the template, the profiles and choices that are permitted, and
    what was chosen last; all of that is the key.

    Parameters
    ----------
    capacity
        How many pages are kept.
    """

    def __init__(self, capacity: int = 64) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[Hashable, str] = OrderedDict()

    def render(
        self,
        template: Template,
        catalog: Catalog,
        permitted: Sequence[Permitted],
        last_options: Any,
        extra_options: frozenset[str] = frozenset(),
    ) -> tuple[str, bool]:
        """Render the form of what is permitted, preselecting what was chosen last.

        Returns
        -------
        tuple
            The page, and whether something that was chosen last is not permitted any more.
        """
        options, stale = _still_permitted(permitted, last_options, extra_options)
        key = (template, catalog, tuple(map(_shape, permitted)), tuple(options.items()))
        page = self._kept.get(key)
        if page is None:
            page = template.render(profile_list=profile_list(permitted), user_options=options)
            self._kept[key] = page
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return page, stale


def profile_list(permitted: Sequence[Permitted]) -> list[dict[str, Any]]:
    """Give permitted profiles and choices in the shape of KubeSpawner's list, without rules."""
    default = default_of(permitted)
    return [_profile(item, item is default) for item in permitted]


def _shape(item: Permitted) -> Hashable:
    """What tells apart what two people see of one profile."""
    return item.profile.slug if item.entirely else (item.profile.slug, _options_shape(item.options))


def _options_shape(options: Sequence[PermittedOption]) -> Hashable:
    return tuple(
        (
            option.key,
            option.unlisted,
            tuple((choice.name, _options_shape(choice.options)) for choice in option.choices),
        )
        for option in options
    )


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
    permitted: Sequence[Permitted], last_options: Any, extra_options: frozenset[str]
) -> tuple[dict[str, str], bool]:
    if not isinstance(last_options, Mapping) or not last_options.get("profile"):
        return {}, False
    slug = last_options["profile"]
    profile = next((item for item in permitted if item.profile.slug == slug), None)
    if profile is None:
        return {}, True
    kept = {"profile": profile.profile.slug}
    stale = _keep(profile.options, last_options, kept)
    stale = stale or bool(unknown_keys(profile, last_options, extra_options))
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
