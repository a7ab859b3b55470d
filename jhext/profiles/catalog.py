"""The frozen catalogue of profiles, shared by all spawners, and what one person sees of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .access import UNMAPPED, Decision, DefaultAccess, Mapped, Person, decide
from .expression import Expression
from .finding import Finding
from .model import PATH_SEPARATOR, UNLISTED_SUFFIX, Choice, Option, Profile, walk_options

OPEN = Decision(True, "no rule", "open to whoever has the profile")
"""What holds for a choice without an allowing rule."""
_DEFAULTS: Mapping[DefaultAccess, Decision] = {
    "allow": Decision(True, "default_access", "no rule is written and default_access is allow"),
    "deny": Decision(False, "default_access", "no rule is written and default_access is deny"),
}


@dataclass(frozen=True)
class Policy:
    """How rules are read.

    Parameters
    ----------
    default_access
        What holds for a profile without an allowing rule.
    admin_bypass
        Whether admins are allowed what no rule blocks.
    """

    default_access: DefaultAccess = "deny"
    admin_bypass: bool = False


@dataclass(frozen=True)
class PermittedChoice:
    """A choice that is open to a person, and the options that exist while it is taken.

    ``rule`` is the rule that opens it, empty where it has none.
    """

    name: str
    choice: Choice
    options: tuple[PermittedOption, ...]
    rule: str


@dataclass(frozen=True)
class PermittedOption:
    """What of an option is open to a person.

    Parameters
    ----------
    name
        The key in ``profile_options``.
    key
        The key in ``user_options``; for nested options the path joined by ``--``.
    option
        The option as configured.
    choices
        The choices that are open, in order.
    unlisted
        Whether free text is open.
    unlisted_rule
        The rule that opens or closes free text, empty where it has none.
    denied
        The rules that close choices, by the name of the choice.
    """

    name: str
    key: str
    option: Option
    choices: tuple[PermittedChoice, ...]
    unlisted: bool
    unlisted_rule: str
    denied: Mapping[str, str]

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys in ``user_options`` that mean something for this option.

        Those of a choice that was not taken are among them: a form without JavaScript sends them.
        """
        own = {self.key, self.key + UNLISTED_SUFFIX} if self.unlisted else {self.key}
        nested = (option.keys for choice in self.choices for option in choice.options)
        return frozenset(own.union(*nested))

    @cached_property
    def choices_by_key(self) -> frozenset[tuple[str, str]]:
        """The choices that are open, nested ones too, each after its key in ``user_options``."""
        own = {(self.key, choice.name) for choice in self.choices}
        nested = (o.choices_by_key for choice in self.choices for o in choice.options)
        return frozenset(own.union(*nested))

    @cached_property
    def default(self) -> PermittedChoice | None:
        """The default among the open choices: the configured one, else the first."""
        return next((c for c in self.choices if c.choice.default), next(iter(self.choices), None))


@dataclass(frozen=True)
class Permitted:
    """A profile that a person may start, by which decision, and what is open in it.

    Parameters
    ----------
    profile
        The profile as checked.
    raw
        The same as written, with the keys that only form templates read.
    decision
        Why it is permitted.
    options
        What is open of its options.
    entirely
        Whether nothing in it has rules of its own, so that all who may start it see the same.
    """

    profile: Profile
    raw: Mapping[str, Any]
    decision: Decision
    options: tuple[PermittedOption, ...]
    entirely: bool


class Catalog:
    """Profiles, checked and frozen.

    Parameters
    ----------
    profiles
        The profiles, faultless, in order, each with what it was read from.
    policy
        How their rules are read.
    findings
        What the checks found, for the log.
    version
        A short digest of what the catalogue was made from.
    mapped
        What mapping files say about them, by slug.
    """

    def __init__(
        self,
        profiles: Sequence[tuple[Profile, Mapping[str, Any]]],
        policy: Policy,
        findings: Sequence[Finding] = (),
        version: str = "",
        mapped: Mapping[str, Mapped] | None = None,
    ) -> None:
        self.profiles = tuple(profile for profile, _ in profiles)
        self._raw = tuple(raw for _, raw in profiles)
        by_slug = mapped or {}
        self._mapped = tuple(by_slug.get(profile.slug, UNMAPPED) for profile in self.profiles)
        self.policy = policy
        self.findings = tuple(findings)
        self.version = version
        self._default = _DEFAULTS[policy.default_access]
        self._by_slug = {profile.slug: n for n, profile in enumerate(self.profiles)}
        self._open_options = {
            n: options
            for n, profile in enumerate(self.profiles)
            if not _has_rules_below(profile.profile_options)
            and (options := self._options(profile.profile_options, _NOBODY)) is not None
        }
        self._index()

    def _index(self) -> None:
        """Note for whom each profile needs to be looked at, so that not all need to be."""
        everybody: list[int] = []
        self._by_user: dict[str, list[int]] = {}
        self._by_group: dict[str, list[int]] = {}
        for n, (profile, mapped) in enumerate(zip(self.profiles, self._mapped, strict=True)):
            has_allowing_rule = profile.has_allowing_rule or mapped.allows
            by_default = self._default.allowed and not has_allowing_rule
            if profile.allow_all or mapped.everybody or profile.allow_if or by_default:
                everybody.append(n)
            for user in {*(profile.allowed_users or ()), *mapped.allowed_users}:
                self._by_user.setdefault(user, []).append(n)
            for group in {*(profile.allowed_groups or ()), *mapped.allowed_groups}:
                self._by_group.setdefault(group, []).append(n)
        self._everybody = tuple(everybody)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that made a profile unusable."""
        return tuple(finding for finding in self.findings if finding.level == "error")

    @cached_property
    def needs_claims(self) -> bool:
        """Whether any rule speaks about claims."""
        return any(
            "claims" in expression.variables
            for profile in self.profiles
            for expression in _expressions(profile)
        )

    def permitted(self, person: Person) -> tuple[Permitted, ...]:
        """Tell what a person may start, in the order of the catalogue."""
        if self.policy.admin_bypass and person.admin:
            candidates = list(range(len(self.profiles)))
        else:
            found = set(self._everybody).union(self._by_user.get(person.user, ()))
            for group in person.groups:
                found.update(self._by_group.get(group, ()))
            candidates = sorted(found)
        outcomes = (self._decide(n, person) for n in candidates)
        return tuple(outcome for outcome in outcomes if isinstance(outcome, Permitted))

    def find(self, slug: str, person: Person) -> Permitted | Decision | None:
        """Decide about one profile.

        Returns
        -------
        Permitted, Decision or None
            What is open in it; or the decision against it; or None if there is no such profile.
        """
        position = self._by_slug.get(slug)
        return None if position is None else self._decide(position, person)

    def decisions(self, person: Person) -> Iterator[tuple[Profile, Decision]]:
        """Decide about every profile, for explanations."""
        for n, profile in enumerate(self.profiles):
            outcome = self._decide(n, person)
            yield profile, outcome.decision if isinstance(outcome, Permitted) else outcome

    def _decide(self, position: int, person: Person) -> Permitted | Decision:
        profile = self.profiles[position]
        bypass = self.policy.admin_bypass
        decision = decide(
            profile,
            person,
            default=self._default,
            admin_bypass=bypass,
            mapped=self._mapped[position],
        )
        if not decision.allowed:
            return decision
        entirely = position in self._open_options
        options = (
            self._open_options[position]
            if entirely
            else self._options(profile.profile_options, person)
        )
        if options is None:
            reason = "an option has no choice that is open, and is not optional"
            return Decision(False, "profile_options", reason)
        return Permitted(profile, self._raw[position], decision, options, entirely)

    def _options(
        self, options: Mapping[str, Option], person: Person, prefix: str = ""
    ) -> tuple[PermittedOption, ...] | None:
        """What of these options is open; None if one without an open choice is not optional."""
        result = []
        for name, option in options.items():
            permitted = self._option(name, option, person, prefix + name)
            if permitted.choices or permitted.unlisted:
                result.append(permitted)
            elif not option.optional:
                return None
        return tuple(result)

    def _option(self, name: str, option: Option, person: Person, key: str) -> PermittedOption:
        bypass = self.policy.admin_bypass
        choices, denied = [], {}
        for choice_name, choice in option.choices.items():
            decision = decide(choice, person, default=OPEN, admin_bypass=bypass)
            if not decision.allowed:
                denied[choice_name] = decision.rule
                continue
            prefix = f"{key}{PATH_SEPARATOR}{choice_name}{PATH_SEPARATOR}"
            nested = self._options(choice.profile_options, person, prefix)
            if nested is not None:
                rule = decision.rule if choice.has_rule else ""
                choices.append(PermittedChoice(choice_name, choice, nested, rule))
        unlisted = option.unlisted_choice
        decision = decide(unlisted, person, default=OPEN, admin_bypass=bypass)
        free_text = unlisted.enabled and decision.allowed
        rule = decision.rule if unlisted.has_rule else ""
        return PermittedOption(name, key, option, tuple(choices), free_text, rule, denied)


_NOBODY = Person(user="")
"""Stands for everybody where no rule is to be asked."""


def _has_rules_below(options: Mapping[str, Option]) -> bool:
    return any(
        option.unlisted_choice.has_rule
        or any(
            choice.has_rule or _has_rules_below(choice.profile_options)
            for choice in option.choices.values()
        )
        for option in options.values()
    )


def _expressions(profile: Profile) -> Iterator[Expression]:
    yield from profile.expressions
    for _, _, option in walk_options(profile.profile_options):
        yield from option.unlisted_choice.expressions
        for choice in option.choices.values():
            yield from choice.expressions
