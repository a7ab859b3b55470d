"""What one person may start by a configuration, and the pod that would be sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..profiles.access import Person
from ..profiles.catalog import Catalog
from ..refusal import Refusal
from .configuration import Configuration, read_configuration
from .verdict import Verdict, judge, refused
from .view import ProfileView, view


@dataclass(frozen=True)
class Question:
    """Who asks for what.

    Parameters
    ----------
    person
        The person.
    groups_given
        Whether the groups were given; otherwise they are those of ``load_groups``.
    profile
        The profile to start; None asks only what there is.
    options
        Its options.
    """

    person: Person
    groups_given: bool = False
    profile: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        chosen = ", ".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.profile or 'a server'}{chosen and f' with {chosen}'}"


@dataclass(frozen=True)
class Explanation:
    """The answer.

    Parameters
    ----------
    user, groups, admin
        Whom it is about.
    asked
        What was asked for.
    profiles
        Everything there is, with the decisions.
    start
        The decision about the start that was asked for.
    pod
        The pod that would be sent, without secrets.
    notes
        What the answer leaves out.
    """

    user: str
    groups: list[str]
    admin: bool
    asked: str
    profiles: tuple[ProfileView, ...]
    start: Verdict | None = None
    pod: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the start is permitted, or else any at all."""
        if self.start is not None:
            return self.start.allowed
        return any(profile.decision.allowed for profile in self.profiles)


def answer(path: Path, question: Question) -> Explanation:
    """Read a configuration and answer a question by it. Nothing else is asked.

    Raises
    ------
    ConfigurationError
        The configuration cannot be read, or is faulty.
    """
    configuration = read_configuration(path)
    person = _known(question, configuration)
    [catalog] = configuration.shown([person])
    explanation = Explanation(
        person.user,
        sorted(person.groups),
        person.admin,
        str(question),
        view(catalog, person),
    )
    if question.profile is None and isinstance(catalog, Catalog):
        return explanation
    options = {"profile": question.profile} if question.profile is not None else {}
    options |= question.options
    verdict = judge(catalog, person, options, configuration.extra_user_options)
    if not verdict.allowed:
        return replace(explanation, start=verdict)
    from .simulate import pod  # noqa: PLC0415 - JupyterHub takes long to import

    sent = pod(configuration, person, options)
    if isinstance(sent, Refusal):
        return replace(explanation, start=refused(sent))
    notes = tuple(_left_out(configuration))
    return replace(explanation, start=verdict, pod=sent, notes=notes)


def _known(question: Question, configuration: Configuration) -> Person:
    """Add what the configuration says about the person."""
    person = question.person
    loaded = (name for name, users in configuration.groups.items() if person.user in users)
    return replace(
        person,
        groups=person.groups if question.groups_given else frozenset(loaded),
        admin=person.admin or person.user in configuration.admins,
    )


def _left_out(configuration: Configuration) -> Iterator[str]:
    for hook in ("auth_state_hook", "pre_spawn_hook"):
        if configuration.sets(hook):
            yield f"{hook} is set; it is made for a hub and was not called"
