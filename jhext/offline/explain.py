"""What one person may start by a configuration, and the pod that would be sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..identity.build import rules_of
from ..identity.errors import BadValueError
from ..identity.model import Identity
from ..profiles.access import Person
from ..profiles.catalog import Catalog
from ..profiles.finding import ConfigurationError, Finding
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
    uid, gid
        The person's ids; None where they are not known.
    """

    person: Person
    groups_given: bool = False
    profile: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    uid: int | None = None
    gid: int | None = None

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
        The configuration cannot be read, or is faulty; or the ids are none for people.
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
    asks_for_all = question.profile is None and not question.options
    if asks_for_all and isinstance(catalog, Catalog):
        return explanation
    options = {"profile": question.profile} if question.profile is not None else {}
    options |= question.options
    verdict = judge(catalog, person, options, configuration.extra_user_options)
    if not verdict.allowed:
        return replace(explanation, start=verdict)
    from .simulate import pod  # noqa: PLC0415 - JupyterHub takes long to import

    identity = _identity(question, person, configuration)
    sent = pod(configuration, person, options, identity)
    if isinstance(sent, Refusal):
        return replace(explanation, start=refused(sent))
    notes = (*_left_out(configuration), *_made_up(question, identity))
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


def _identity(question: Question, person: Person, configuration: Configuration) -> Identity | None:
    """Make up what no directory is asked for.

    Raises
    ------
    ConfigurationError
        The ids that were given are none that a person may have.
    """
    settings = configuration.settings.identity
    if settings is None or settings.mode != "user":
        return None
    ids = rules_of(settings).ids
    try:
        return Identity(
            username=person.user,
            uid=ids.uid(settings.min_uid if question.uid is None else question.uid),
            gid=ids.gid(settings.min_gid if question.gid is None else question.gid),
            claims=person.claims,
            resolved_at=person.now,
        )
    except BadValueError as error:
        suggestion = "give ids for people, or change the bounds in the section identity"
        raise ConfigurationError(
            [Finding("error", "identity", "", str(error), suggestion=suggestion)]
        ) from None


def _made_up(question: Question, identity: Identity | None) -> Iterator[str]:
    if identity is not None and (question.uid is None or question.gid is None):
        yield f"no directory was asked: uid {identity.uid} and gid {identity.gid} are made up"


def _left_out(configuration: Configuration) -> Iterator[str]:
    if configuration.settings.pod.token is not None:
        yield "pod.token: it is the pod of somebody whose login gave the hub a token"
    for hook in ("auth_state_hook", "pre_spawn_hook"):
        if configuration.sets(hook):
            yield f"{hook} is set; it is made for a hub and was not called"
