"""The checks a list of profiles must pass before anybody may start one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ..advice import advise, fields_at
from .access import ACCESS_KEYS, Access, DefaultAccess
from .finding import Finding, did_you_mean
from .model import (
    ACCESS_LIKE,
    PATH_SEPARATOR,
    UNLISTED_SUFFIX,
    Choice,
    Profile,
    walk_options,
)
from .overriding import Overridable, override_problems, raw_overrides
from .schema import WrittenProfile
from .written import Written, as_written


@dataclass(frozen=True)
class LintRules:
    """What the checks depend on besides the profiles.

    Parameters
    ----------
    traits
        What a profile can override, and with which values.
    default_access
        What holds for profiles without a rule.
    allowed_sensitive_overrides
        The names of `SENSITIVE_OVERRIDES` that the operator lets profiles set.
    extra_profile_keys
        Keys that a custom form template reads.
    """

    traits: Overridable
    default_access: DefaultAccess = "deny"
    allowed_sensitive_overrides: frozenset[str] = frozenset()
    extra_profile_keys: frozenset[str] = frozenset()


def lint(
    profiles: Sequence[Any], rules: LintRules, *, allowed_elsewhere: frozenset[str] = frozenset()
) -> tuple[list[tuple[int, Profile]], list[Finding]]:
    """Read and check a list of profiles.

    Parameters
    ----------
    profiles
        The profiles in order, each as a mapping or `Written`.
    rules
        What the checks depend on.
    allowed_elsewhere
        The slugs of profiles that rules outside them allow to somebody.

    Returns
    -------
    tuple
        The faultless profiles with their positions, and everything that was found.
    """
    good: list[tuple[int, Profile]] = []
    findings: list[Finding] = []
    seen: dict[str, Written] = {}
    default: str | None = None
    for position, written in enumerate(as_written(profiles)):
        where = written.where
        profile, found, unread = _read(written.value, where, rules)
        is_whole = not found
        found += _in_overrides(written.value, where, rules)
        if profile is not None:
            found += _check(profile, where, unread)
            if first := seen.get(written.slug):
                taken = f" in {first.place}" if first.place else ""
                message = f"{written.slug!r} is taken{taken}: slugs are unique"
                found.append(_error(where, "slug", message, "give one of the two another slug"))
            if written.slug:
                seen.setdefault(written.slug, written)
            if profile.default:
                if default is not None:
                    message = f"{default} is the default already"
                    found.append(_error(where, "default", message, "take default out of one"))
                default = default or where
        if profile is not None and is_whole:
            if profile.slug in allowed_elsewhere:
                problem = _closed_option(profile)
            else:
                problem = nobody_problem(profile, rules.default_access)
            if problem:
                found.append(_nobody(where, problem))
            if all(finding.level != "error" for finding in found):
                good.append((position, profile))
        findings += map(written.locate, found)
    findings += _ambiguous_slugs(seen)
    return good, findings


def _in_overrides(value: Any, where: str, rules: LintRules) -> Iterator[Finding]:
    for path, overrides, template in raw_overrides(value):
        allowed = rules.allowed_sensitive_overrides
        for name, *what in override_problems(overrides, rules.traits, allowed, template=template):
            yield _error(where, f"{path}.{name}", *what)


def _read(
    value: Any, where: str, rules: LintRules
) -> tuple[Profile | None, list[Finding], frozenset[str]]:
    """Read a profile; where it is faulty, what is left without that, and the paths left out."""
    if not isinstance(value, Mapping):
        message = f"must be a mapping, not {_type(value)}"
        found = [_error(where, "", message, "write {display_name: NAME, slug: name}")]
        return None, found, frozenset()
    context = {"extra_keys": frozenset(rules.extra_profile_keys)}
    try:
        return Profile.model_validate(value, context=context), [], frozenset()
    except ValidationError as error:
        faults = error.errors()
    found = [_schema_finding(where, fault) for fault in faults]
    unread = [item.path for item, fault in zip(found, faults, strict=True) if _is_known(fault)]
    for fault in faults:
        value = _without(value, fault["loc"]) if fault["loc"] else value
    try:
        return Profile.model_validate(value, context=context), found, frozenset(unread)
    except ValidationError:
        return None, found, frozenset()


def _is_known(fault: Any) -> bool:
    """Whether a fault is in what the schema has, so that something is missing without it."""
    return bool(fault["type"] != "extra_forbidden")


def _without(value: Mapping[Any, Any], keys: Sequence[Any]) -> dict[Any, Any]:
    """Copy a part of a profile without what is faulty, for what else there is to say."""
    key, *rest = keys
    inner = value.get(key)
    if rest and isinstance(inner, Mapping):
        return {**value, key: _without(inner, rest)}
    left = {name: item for name, item in value.items() if name != key}
    return left | {key: "?"} if key == "display_name" else left  # it cannot be left out


def _schema_finding(where: str, error: Any) -> Finding:
    keys, message, suggestion = advise(error, WrittenProfile)
    location = [str(key) for key in keys]
    if error["type"] == "extra_forbidden":
        key, known = location[-1], fields_at(WrittenProfile, location[:-1])
        otherwise = "take it out, or declare it in extra_profile_keys if a form template reads it"
        if ACCESS_LIKE.search(key):
            message = "looks like an access rule and is none"
            otherwise = f"write one of {', '.join(sorted(ACCESS_KEYS))}"
        suggestion = did_you_mean(key, known, otherwise)
    return _error(where, ".".join(location), message, suggestion)


def _error(where: str, path: str, message: str, suggestion: str) -> Finding:
    return Finding("error", where, path, message, suggestion=suggestion)


def _nobody(where: str, problem: str) -> Finding:
    suggestion = "write who may, in allowed_users or allowed_groups"
    return Finding("warning", where, "", f"nobody can use it: {problem}", suggestion=suggestion)


def _type(value: Any) -> str:
    return type(value).__name__


def _check(profile: Profile, where: str, unread: frozenset[str]) -> list[Finding]:
    """Check what the schema alone cannot say; what is empty without its faults is not said."""
    found: list[Finding] = []

    def is_whole(path: str) -> bool:
        return not any(f"{fault}.".startswith(f"{path}.") for fault in unread)

    def error(path: str, message: str, suggestion: str) -> None:
        found.append(_error(where, path, message, suggestion))

    if not profile.slug and is_whole("slug") and is_whole("display_name"):
        error("slug", "is empty, and display_name gives none", "write slug: name")
    for path, carrier in _carriers(profile):
        path = f"{path}profile_options"
        is_written = "profile_options" in carrier.model_fields_set
        if is_written and not getattr(carrier, "profile_options", True) and is_whole(path):
            error(path, "is empty", "leave it out or write options")
    for path in _empty_blocks(profile):
        error(path, "has nothing behind it", "leave it out, or write whom it blocks")
    keys = {"profile"}
    for path, key, option in walk_options(profile.profile_options):
        for name in (key, key + UNLISTED_SUFFIX):
            if name in keys:
                message = f"{name!r} in user_options would mean two options"
                error(path, message, "give the option another key")
            keys.add(name)
        is_empty = not option.choices and not option.unlisted_choice.enabled
        if is_empty and is_whole(path):
            message = "has neither choices nor an enabled unlisted_choice"
            error(path, message, "write choices, or unlisted_choice: {enabled: true}")
        if sum(choice.default for choice in option.choices.values()) > 1:
            error(f"{path}.choices", "more than one default", "keep default: true at one of them")
    found += [
        Finding(
            "warning",
            where,
            path,
            f"{name!r} never matches: JupyterHub's names are lower case",
            suggestion=f"write {name.lower()!r}",
        )
        for path, name in _names_in_capitals(profile)
    ]
    return found


def _names_in_capitals(profile: Profile) -> Iterator[tuple[str, str]]:
    for path, access in _carriers(profile):
        for key in ("allowed_users", "blocked_users"):
            for name in sorted(getattr(access, key) or ()):
                if name != name.lower():
                    yield f"{path}{key}", name


def _empty_blocks(profile: Profile) -> Iterator[str]:
    """Find blocking keys with nothing behind them, which would block nobody unseen."""
    for path, access in _carriers(profile):
        for key in ("blocked_users", "blocked_groups", "block_if"):
            if key in access.model_fields_set and getattr(access, key) is None:
                yield f"{path}{key}"


def _carriers(profile: Profile) -> Iterator[tuple[str, Access]]:
    """Give everything in a profile that rules can stand on, with the path before them."""
    yield "", profile
    for path, _, option in walk_options(profile.profile_options):
        yield f"{path}.unlisted_choice.", option.unlisted_choice
        for name, choice in option.choices.items():
            yield f"{path}.choices.{name}.", choice


def nobody_problem(access: Profile | Choice, default_access: DefaultAccess) -> str | None:
    """Tell why nobody can meet the rules of a profile or choice, or None if somebody can."""
    return _unmeetable(access, default_access) or _closed_option(access)


def _closed_option(access: Profile | Choice) -> str | None:
    for key, option in access.profile_options.items():
        if option.optional:
            continue
        if _is_open(option.unlisted_choice) and option.unlisted_choice.enabled:
            continue
        if option.choices and all(nobody_problem(c, "allow") for c in option.choices.values()):
            return f"no choice of {key!r} can be taken"
        if not option.choices:
            return f"{key!r} has no choice that can be taken"
    return None


def _is_open(access: Access) -> bool:
    return _unmeetable(access, "allow") is None


def _unmeetable(access: Access, default_access: DefaultAccess) -> str | None:
    if not access.has_allowing_rule:
        return None if default_access == "allow" else "no rule allows it and default_access is deny"
    if access.allow_all or access.allow_if:
        return None
    if access.allowed_groups:
        return None
    if (access.allowed_users or frozenset()) - (access.blocked_users or frozenset()):
        return None
    return "its rules allow nobody"


def _ambiguous_slugs(profiles: Mapping[str, Written]) -> Iterator[Finding]:
    """Form fields are named ``profile-option-SLUG--KEY``: one slug must not begin another so."""
    for slug, written in profiles.items():
        parts = slug.split(PATH_SEPARATOR)
        for end in range(1, len(parts)):
            if (other := PATH_SEPARATOR.join(parts[:end])) in profiles:
                message = f"begins like the form fields of {other!r}"
                yield written.error("slug", message, f"write it without {PATH_SEPARATOR}")
