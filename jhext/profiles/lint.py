"""The checks a list of profiles must pass before anybody may start one of them."""

from __future__ import annotations

import inspect
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Protocol

from pydantic import ValidationError

from ..section import fields_at
from .access import Access, DefaultAccess
from .amounts import read_amount
from .finding import Finding, did_you_mean
from .model import (
    ACCESS_LIKE,
    PATH_SEPARATOR,
    UNLISTED_SUFFIX,
    Choice,
    Profile,
    walk_options,
)
from .schema import WrittenProfile
from .written import Written, as_written

SENSITIVE_OVERRIDES = (
    "uid",
    "gid",
    "fs_gid",
    "supplemental_gids",
    "privileged",
    "allow_privilege_escalation",
    "namespace",
    "service_account",
    "*_security_context",
    "extra_container_config",
    "extra_pod_config",
)
"""Traits with which a profile could give more than its resources: who a pod is, and where."""


class Overridable(Protocol):
    """What overrides are checked against."""

    @property
    def names(self) -> frozenset[str]:
        """The traits that a profile can override."""

    def problem(self, name: str, value: Any) -> str | None:
        """Tell what is wrong with a value for one of them, or None."""


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
        profile, found = _read(written.value, where, rules)
        for path, overrides, template in _raw_overrides(written.value):
            for name, message in _override_problems(overrides, rules, template=template):
                found.append(Finding("error", where, f"{path}.{name}", message))
        if profile is not None:
            found += _check(profile, where)
            if profile.slug in allowed_elsewhere:
                problem = _closed_option(profile)
            else:
                problem = nobody_problem(profile, rules.default_access)
            if problem:
                found.append(Finding("warning", where, "", f"nobody can use it: {problem}"))
            if first := seen.get(profile.slug):
                taken = f" in {first.place}" if first.place else ""
                message = f"{profile.slug!r} is taken{taken}: slugs are unique"
                found.append(Finding("error", where, "slug", message))
            seen.setdefault(profile.slug, written)
            if profile.default:
                if default is not None:
                    message = f"{default} is the default already"
                    found.append(Finding("error", where, "default", message))
                default = default or where
            if all(finding.level != "error" for finding in found):
                good.append((position, profile))
        findings += map(written.locate, found)
    findings += _ambiguous_slugs(seen)
    return good, findings


def _read(value: Any, where: str, rules: LintRules) -> tuple[Profile | None, list[Finding]]:
    if not isinstance(value, Mapping):
        return None, [Finding("error", where, "", f"must be a mapping, not {_type(value)}")]
    try:
        profile = Profile.model_validate(
            value, context={"extra_keys": frozenset(rules.extra_profile_keys)}
        )
    except ValidationError as error:
        return None, [_schema_finding(where, item) for item in error.errors()]
    return profile, []


def _schema_finding(where: str, error: Any) -> Finding:
    location = [str(key) for key in error["loc"]]
    if error["type"] == "extra_forbidden":
        message = _unknown_key(location[-1], fields_at(WrittenProfile, location[:-1]))
    else:
        message = error["msg"].removeprefix("Value error, ")
    return Finding("error", where, ".".join(location), message)


def _unknown_key(key: str, known: Iterable[str]) -> str:
    hint = did_you_mean(key, known)
    if ACCESS_LIKE.search(key):
        return f"looks like an access rule and is none{hint}"
    return f"unknown key{hint or '; declare keys of a form template in extra_profile_keys'}"


def _type(value: Any) -> str:
    return type(value).__name__


def _check(profile: Profile, where: str) -> list[Finding]:
    """Check what the schema alone cannot say."""
    found: list[Finding] = []

    def error(path: str, message: str) -> None:
        found.append(Finding("error", where, path, message))

    if not profile.slug:
        error("slug", "is empty: write one, display_name gives none")
    if "profile_options" in profile.model_fields_set and not profile.profile_options:
        error("profile_options", "is empty: leave it out or write options")
    for path in _empty_blocks(profile):
        error(path, "has nothing behind it: leave it out, or write whom it blocks")
    keys = {"profile"}
    for path, key, option in walk_options(profile.profile_options):
        for name in (key, key + UNLISTED_SUFFIX):
            if name in keys:
                error(path, f"{name!r} in user_options would mean two options")
            keys.add(name)
        if not option.choices and not option.unlisted_choice.enabled:
            error(path, "has neither choices nor an enabled unlisted_choice")
        if sum(choice.default for choice in option.choices.values()) > 1:
            error(f"{path}.choices", "more than one default")
    found += [
        Finding(
            "warning", where, path, f"{name!r} never matches: JupyterHub's names are lower case"
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


def _raw_overrides(
    carrier: Any, path: str = "", *, template: bool = False
) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Find every ``kubespawner_override``, also where the rest does not fit the schema.

    The names of options and choices are the operator's: any name may carry overrides.

    Yields
    ------
    tuple
        The path, the overrides, and whether ``{value}`` in them stands for free text.
    """
    overrides = _mapping_at(carrier, "kubespawner_override")
    if overrides:
        yield f"{path}kubespawner_override", overrides, template
    for name, option in _mapping_at(carrier, "profile_options").items():
        here = f"{path}profile_options.{name}."
        for choice_name, choice in _mapping_at(option, "choices").items():
            yield from _raw_overrides(choice, f"{here}choices.{choice_name}.")
        unlisted = _mapping_at(option, "unlisted_choice")
        yield from _raw_overrides(unlisted, f"{here}unlisted_choice.", template=True)


def _mapping_at(raw: Any, key: str) -> Mapping[str, Any]:
    value = raw.get(key) if isinstance(raw, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _override_problems(
    overrides: Mapping[str, Any], rules: LintRules, *, template: bool
) -> Iterator[tuple[str, str]]:
    for name, value in overrides.items():
        if not isinstance(name, str):
            yield str(name), f"must be the name of a trait, not {_type(name)}"
            continue
        if _is_sensitive(name) and name not in rules.allowed_sensitive_overrides:
            yield name, "may widen rights: name it in allowed_sensitive_overrides to let it pass"
        if inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(
            getattr(value, "__call__", None)  # noqa: B004 - an async __call__ is what is looked for
        ):
            yield name, "an async callable: KubeSpawner would set the trait to a coroutine"
        elif template and (problem := _template_problem(value)):
            yield name, problem
        elif name not in rules.traits.names:
            hint = did_you_mean(name, rules.traits.names)
            yield name, f"is no trait that a profile can override{hint}"
        elif template and _has_placeholder(value):
            continue
        elif problem := _value_problem(name, value, rules):
            yield name, problem


def _value_problem(name: str, value: Any, rules: LintRules) -> str | None:
    try:
        return rules.traits.problem(name, read_amount(name, value))
    except ValueError as error:
        return str(error)


def _is_sensitive(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in SENSITIVE_OVERRIDES)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _strings(key)
            yield from _strings(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _strings(item)


def _has_placeholder(value: Any) -> bool:
    return any("{value}" in text for text in _strings(value))


def _template_problem(value: Any) -> str | None:
    """KubeSpawner formats these strings with ``str.format_map``: find what that would choke on."""
    for text in _strings(value):
        try:
            fields = list(string.Formatter().parse(text))
        except ValueError as error:
            return f"not a format string: {error}"
        for _, name, specification, _ in fields:
            if name is None:
                continue
            if name.startswith(("value.", "value[")) or "{" in (specification or ""):
                return f"{{{name}}} reaches into the text of a user: only {{value}} is allowed"
            if not name.isidentifier():
                return f"{{{name}}} is no field: only {{value}} is one"
    return None


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
                message = f"begins like the form fields of {other!r}; use another slug"
                yield written.error("slug", message)
