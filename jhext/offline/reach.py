"""Rules that can never take effect, and names that nobody can have."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from ..profiles.access import UNMAPPED, Access, Mapped
from ..profiles.expression import EvaluationError, Expression
from ..profiles.finding import Finding, Suggestions
from ..profiles.model import Choice, Profile, UnlistedChoice, walk_options

_IN_GROUPS = re.compile(
    r"""(?P<quote>["'])(?P<name>(?:(?!(?P=quote)|\\).)+)(?P=quote)\s+in\s+groups\b"""
)


def never(
    profiles: Iterable[Profile], now: datetime, mapped: Collection[str] = ()
) -> Iterator[tuple[Profile, Finding]]:
    """Find rules that can never be met, and rules that can never make a difference.

    Parameters
    ----------
    profiles
        The profiles.
    now
        The time from which on rules about the time are tried.
    mapped
        The slugs of profiles that mapping files give to more people.
    """
    for profile in profiles:
        for path, access in rules_in(profile):
            for key, *what in _never(access, now):
                yield _warning(profile, path, key, *what)
            if path and profile.slug not in mapped and _out_of_reach(profile, access):
                message = "nobody whom it allows has the profile"
                yield _warning(profile, path, "", message, "let the profile allow them too")


def overruled(profiles: Iterable[Profile], mapped: Mapping[str, Mapped]) -> Iterator[Finding]:
    """Find lines of mapping files that allow what another rule takes away from the same name.

    Parameters
    ----------
    profiles
        The profiles.
    mapped
        What mapping files say about them, by slug.
    """
    for profile in profiles:
        by_line = mapped.get(profile.slug, UNMAPPED)
        for allowed, denied, own, key in (
            (by_line.allowed_users, by_line.blocked_users, profile.blocked_users, "blocked_users"),
            (
                by_line.allowed_groups,
                by_line.blocked_groups,
                profile.blocked_groups,
                "blocked_groups",
            ),
        ):
            blocking = {**dict.fromkeys(own or (), f"{key} of {profile.slug!r}"), **denied}
            for name in allowed.keys() & blocking.keys():
                file, _, line = allowed[name].rpartition(":")
                message = f"{name!r} never gets in by it: {blocking[name]} blocks"
                yield Finding(
                    "warning", "", "", message, file, int(line), suggestion="take one of them out"
                )


def unknown_groups(
    profiles: Iterable[Profile], known: Collection[str]
) -> Iterator[tuple[Profile, Finding]]:
    """Find groups in rules that no known source gives.

    Expressions are searched for ``'name' in groups``.
    """
    suggestions = like_groups(known)
    for profile in profiles:
        for path, access in rules_in(profile):
            for key, name in _groups_in(access):
                if name not in known:
                    message = f"no known source gives the group {name!r}"
                    yield _warning(profile, path, key, message, suggestions[name])


def like_groups(known: Collection[str]) -> Suggestions:
    """Give what to do about groups that no known source gives."""
    otherwise = "name it in c.JupyterHub.load_groups or in the file of --groups if there is one"
    return Suggestions({name: name for name in known}, otherwise)


def _warning(
    profile: Profile, path: str, key: str, message: str, suggestion: str
) -> tuple[Profile, Finding]:
    keys = ".".join(part for part in (path, key) if part)
    where = f"profile {profile.slug!r}"
    return profile, Finding("warning", where, keys, message, suggestion=suggestion)


def rules_in(profile: Profile) -> Iterator[tuple[str, Profile | Choice | UnlistedChoice]]:
    """Give a profile and all in it that has rules and overrides of its own, with their paths."""
    yield "", profile
    for path, _, option in walk_options(profile.profile_options):
        for name, choice in option.choices.items():
            yield f"{path}.choices.{name}", choice
        if option.unlisted_choice.enabled:
            yield f"{path}.unlisted_choice", option.unlisted_choice


def _never(access: Access, now: datetime) -> Iterator[tuple[str, str, str]]:
    names = {key: getattr(access, key) or frozenset() for key in _LISTS}
    for allowed, blocked in (_LISTS[:2], _LISTS[2:]):
        for name in sorted(names[allowed] & names[blocked]):
            message = f"{name!r} never gets in: it is in {blocked} too"
            yield allowed, message, f"take {name!r} out of one of them"
    if access.allow_all:
        for key in ("allowed_users", "allowed_groups", "allow_if"):
            if getattr(access, key):
                yield key, "makes no difference beside allow_all", "take one of them out"
    for key, if_always, if_never in _EXPRESSIONS:
        if (rule := getattr(access, key)) is not None:
            effects = {_takes_effect(key, value) for value in _values(rule, now)}
            if len(effects) == 1:
                yield key, *(if_always if effects.pop() else if_never)


_LISTS = ("allowed_users", "blocked_users", "allowed_groups", "blocked_groups")
_EXPRESSIONS = (
    (
        "allow_if",
        ("is true for everybody", "write allow_all: true"),
        ("can never be true", "mend the expression, or take it out"),
    ),
    (
        "block_if",
        ("blocks everybody", "mend the expression, or take the whole away"),
        ("can never be true", "take it out"),
    ),
)


def _takes_effect(key: str, value: object) -> bool:
    """Only true allows; all but false blocks, an error too."""
    return value is True if key == "allow_if" else value is not False


def _values(rule: Expression, now: datetime) -> Iterator[object]:
    """Give what an expression yields for everybody, and both answers if that depends.

    CEL decides ``false && x`` and ``true || x`` without x. A rule about the time is tried at each
    hour of the next eight days, and twice a month for ten years.
    """
    for moment in _moments(now) if "now" in rule.variables else (now,):
        try:
            yield rule.evaluate({"now": moment})
        except EvaluationError as error:
            yield from (True, False) if rule.variables else (error,)


def _moments(now: datetime) -> Iterator[datetime]:
    for hours in range(8 * 24):
        yield now + timedelta(hours=hours)
    for half_months in range(240):
        yield now + timedelta(days=15 * half_months)
    yield datetime(9999, 12, 31, tzinfo=UTC)


def _out_of_reach(profile: Access, access: Access) -> bool:
    """Whether nobody who has the profile is among those whom the rules of a choice let in."""
    if profile.allowed_users is None or access.allowed_users is None:
        return False
    if any(
        rules.allow_all or rules.allowed_groups or rules.allow_if for rules in (profile, access)
    ):
        return False
    return not profile.allowed_users & access.allowed_users


def _groups_in(access: Access) -> Iterator[tuple[str, str]]:
    for key in ("allowed_groups", "blocked_groups"):
        for name in sorted(getattr(access, key) or ()):
            yield key, name
    for key in ("allow_if", "block_if"):
        if (rule := getattr(access, key)) is not None:
            for match in _IN_GROUPS.finditer(rule.source):
                yield key, match["name"]
