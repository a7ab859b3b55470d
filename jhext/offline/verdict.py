"""Whether somebody may start something, and why, said for operators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..profiles.access import Decision, Person
from ..profiles.catalog import Catalog, Permitted
from ..profiles.model import UNLISTED_SUFFIX
from ..profiles.selection import select
from ..refusal import Reason, Refusal
from .configuration import Shown
from .view import FREE_TEXT, ChoiceView, OptionView, view


@dataclass(frozen=True)
class Verdict:
    """The answer to one start.

    Parameters
    ----------
    profile
        The profile that would start; empty where none does, or the base configuration.
    decision
        The decision, with the rule and a sentence for operators.
    told
        What the person reads; empty for what is permitted.
    choices
        What is chosen, as the ``user_options`` that say so.
    """

    profile: str
    decision: Decision
    told: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)

    @property
    def allowed(self) -> bool:
        """Whether it is permitted."""
        return self.decision.allowed


_BASE = Verdict(
    "", Decision(True, "default_access", "no profiles are configured and default_access is allow")
)
_NO_PROFILES = Verdict("", Decision(False, "", "no profiles are configured"), "No such profile.")


def judge(
    catalog: Shown,
    person: Person,
    user_options: Mapping[str, Any],
    extra_options: frozenset[str] = frozenset(),
) -> Verdict:
    """Decide about a start as a hub would.

    Parameters
    ----------
    catalog
        What the person is shown.
    person
        The owner of the server.
    user_options
        What is asked for.
    extra_options
        Keys that code of the operator reads.
    """
    if isinstance(catalog, Refusal):
        return refused(catalog)
    if catalog is None:
        return _BASE if "profile" not in user_options else _NO_PROFILES
    try:
        selection = select(catalog, person, user_options, extra_options=extra_options)
    except Refusal as refusal:
        return Verdict("", _behind(refusal, catalog, person, user_options), refusal.message)
    slug = selection.profile.slug
    permitted = catalog.find(slug, person)
    decision = (
        permitted.decision
        if isinstance(permitted, Permitted)
        else Decision(True, selection.rule, "")
    )
    return Verdict(slug, decision, choices=selection.choices)


def refused(refusal: Refusal) -> Verdict:
    """Give the verdict for a refusal that no rule is behind."""
    decision = Decision(False, refusal.rule, refusal.detail or refusal.message)
    return Verdict("", decision, refusal.message)


def _behind(
    refusal: Refusal, catalog: Catalog, person: Person, user_options: Mapping[str, Any]
) -> Decision:
    """Find the decision behind a refusal, which itself tells nothing that is hidden."""
    slug = user_options.get("profile")
    outcome = catalog.find(slug, person) if isinstance(slug, str) else None
    if isinstance(outcome, Decision):
        return outcome
    if refusal.reason is Reason.CHOICE and isinstance(outcome, Permitted):
        options = next(item.options for item in view(catalog, person) if item.slug == slug)
        choice = _refused_choice(options, user_options)
        return choice.decision if choice else Decision(False, "", "there is no such choice")
    if refusal.reason is Reason.PROFILE:
        return Decision(False, "", f"there is no profile {slug!r}")
    return Decision(False, refusal.rule, refusal.detail or refusal.message)


def _refused_choice(
    options: Iterable[OptionView], user_options: Mapping[str, Any]
) -> ChoiceView | None:
    for option in options:
        free_text = bool(user_options.get(option.key + UNLISTED_SUFFIX))
        wanted = FREE_TEXT if free_text else user_options.get(option.key)
        for choice in option.choices:
            if choice.name == wanted:
                if not choice.decision.allowed:
                    return choice
                if found := _refused_choice(choice.options, user_options):
                    return found
    return None
