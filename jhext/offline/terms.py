"""Whom the rules of a catalogue let in, without asking about anybody in particular."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..profiles.access import UNMAPPED, Access, Mapped
from ..profiles.catalog import Catalog
from ..profiles.model import Option, walk_options
from .view import FREE_TEXT, item_name

EVERYBODY = "everybody"
"""For a choice: everybody who has the profile."""


@dataclass
class Terms:
    """Who is let in and who is blocked, in words such as ``group lab:gpu``."""

    allows: dict[str, str] = field(default_factory=dict)
    """Who, and by which key."""
    blocks: dict[str, str] = field(default_factory=dict)


def terms_of(catalog: Catalog, mapped: Mapping[str, Mapped] | None = None) -> dict[str, Terms]:
    """Tell it for every profile and choice, by the names that `view.decided` uses.

    Parameters
    ----------
    catalog
        The profiles.
    mapped
        What mapping files say about them, by slug.
    """
    found: dict[str, Terms] = {}
    by_default = {EVERYBODY: "default_access"} if catalog.policy.default_access == "allow" else {}
    for profile in catalog.profiles:
        by_mapping = (mapped or {}).get(profile.slug, UNMAPPED)
        found[profile.slug] = _terms(profile, {} if by_mapping.allows else by_default)
        _add_mapped(found[profile.slug], by_mapping)
        for _, key, option in walk_options(profile.profile_options):
            for name, access in _choices(option):
                found[item_name(profile.slug, key, name)] = _terms(access, {EVERYBODY: "no rule"})
    return found


def _add_mapped(terms: Terms, mapped: Mapped) -> None:
    if mapped.everybody:
        terms.allows.setdefault(EVERYBODY, "mapping")
    for side, kind, names in (
        (terms.allows, "user", mapped.allowed_users),
        (terms.allows, "group", mapped.allowed_groups),
        (terms.blocks, "user", mapped.blocked_users),
        (terms.blocks, "group", mapped.blocked_groups),
    ):
        for name in sorted(names):
            side.setdefault(f"{kind} {name}", "mapping")


def _choices(option: Option) -> Iterator[tuple[str, Access]]:
    yield from option.choices.items()
    if option.unlisted_choice.enabled:
        yield FREE_TEXT, option.unlisted_choice


def _terms(access: Access, without_rule: Mapping[str, str]) -> Terms:
    terms = Terms({} if access.has_allowing_rule else dict(without_rule))
    if access.allow_all:
        terms.allows[EVERYBODY] = "allow_all"
    for side, key, kind in (
        (terms.allows, "allowed_users", "user"),
        (terms.allows, "allowed_groups", "group"),
        (terms.blocks, "blocked_users", "user"),
        (terms.blocks, "blocked_groups", "group"),
    ):
        side.update({f"{kind} {name}": key for name in sorted(getattr(access, key) or ())})
    if access.allow_if:
        terms.allows[f"whoever meets {access.allow_if.source}"] = "allow_if"
    if access.block_if:
        terms.blocks[f"whoever meets {access.block_if.source}"] = "block_if"
    return terms
