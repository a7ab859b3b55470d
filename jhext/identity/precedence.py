"""The precedence of sources, field by field: several answers become one identity, or a refusal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from . import names
from .errors import BadValueError, IdentityRefused, Reason
from .ids import IdRules, shown
from .model import Group, Identity
from .source import FIELDS, Answer, Field

T = TypeVar("T")

MAX_CLAIMS = 65536
"""How many bytes the claims of a person may have, written as JSON."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What an identity must be like.

    Parameters
    ----------
    ids
        The ranges of ids.
    required
        Fields that must be there besides the uid and the gid.
    user_private_groups
        Whether a person without a gid gets the group with the person's own name and uid.
    default_shell
        The shell of whom no source gives one.
    """

    ids: IdRules = field(default_factory=IdRules)
    required: frozenset[Field] = frozenset()
    user_private_groups: bool = False
    default_shell: str = "/bin/bash"


@dataclass(frozen=True, slots=True)
class Combined:
    """An identity, and what was wrong on the way without being fatal.

    Parameters
    ----------
    identity
        The identity.
    notes
        One line for the log each.
    """

    identity: Identity
    notes: tuple[str, ...]


def combine(
    person: str, answers: Sequence[tuple[str, Answer]], rules: Rules, now: datetime
) -> Combined:
    """Put one identity together from what the sources said.

    A value counts as given when it is there and neither None nor empty. A value that is given but
    cannot be used refuses the person; the next source is not tried in its place.

    **username**

    1. The first source that gives one.
    2. The hub's name of the person, if it can be a name on Unix.
    3. Refused.

    **uid**

    1. The first source that gives one.
    2. Refused.

    **gid**

    1. The first source that gives one.
    2. With ``user_private_groups``, the uid.
    3. Refused.

    **groups**

    1. Those of the first source that gives any.
    2. Those of each further source whose name and gid are both new.
    3. With ``user_private_groups`` and a gid equal to the uid that no group above has: a group
       with the name of the person.

    A group with a gid or a name that cannot be used is left out, and so is one that contradicts an
    earlier one; each is noted.

    **home**, **gecos**, **claims**

    1. The first source that gives one.
    2. None.

    **shell**

    1. The first source that gives one that is a shell; ``nologin`` and the like are passed over,
       others that cannot be used are passed over and noted.
    2. ``default_shell``.

    **email**

    1. The first source that gives one that is a mail address; others are passed over and noted.
    2. None.

    **subject**

    1. The one given by the source that gave the uid.
    2. None; the ledger then knows the person by name only.

    Parameters
    ----------
    person
        The hub's name of the person.
    answers
        The names of the sources that know the person and what each said, in order.
    rules
        What the identity must be like.
    now
        The time to note in the identity.

    Raises
    ------
    IdentityRefused
        When these make no identity that the rules accept.
    """
    if not answers:
        raise IdentityRefused(Reason.UNKNOWN, f"no source knows {shown(person)}")
    desk = _Desk(person, answers)
    uid = desk.first("uid", rules.ids.uid)
    if uid is None:
        raise desk.missing("uid")
    gid = desk.first("gid", rules.ids.gid)
    if gid is None and rules.user_private_groups:
        gid = desk.checked("gid", uid, rules.ids.gid, "user_private_groups")
    if gid is None:
        raise desk.missing("gid")
    username = desk.first("username", names.user_name)
    if username is None:
        username = desk.checked("username", person, names.user_name, "the hub")
    groups = desk.groups(rules.ids)
    if rules.user_private_groups and gid == uid:
        desk.add_private_group(groups, username, gid)
    identity = Identity(
        username=username,
        uid=uid,
        gid=gid,
        groups=tuple(groups),
        home=desk.first("home", names.path),
        shell=desk.first_usable("shell", names.shell) or rules.default_shell,
        gecos=desk.first("gecos", names.gecos),
        email=desk.first_usable("email", names.email),
        claims=desk.first("claims", _claims) or {},
        subject=desk.subject(),
        sources=desk.sources,
        resolved_at=now,
    )
    for name in sorted(rules.required):
        if not getattr(identity, name):
            raise desk.missing(name)
    if lost := identity.groups_beyond_nfs:
        desk.note(f"an NFS server does not see the groups {_listed(lost)}: it gets 16 at most")
    return Combined(identity, tuple(desk.notes))


class _Desk:
    """One person's answers while they are being put together."""

    def __init__(self, person: str, answers: Sequence[tuple[str, Answer]]) -> None:
        self._person = shown(person)
        self._answers = answers
        self.sources: dict[str, str] = {}
        self.notes: list[str] = []
        for source, answer in answers:
            if unknown := answer.keys() - FIELDS:
                self.note(f"{source}: no such field: {', '.join(sorted(map(shown, unknown)))}")

    def note(self, text: str) -> None:
        self.notes.append(f"identity of {self._person}: {text}")

    def missing(self, field: str) -> IdentityRefused:
        return IdentityRefused(Reason.MISSING, f"no source gives {self._person} a {field}")

    def first(self, field: Field, check: Callable[[Any], T]) -> T | None:
        """Take the first value that is given, which then has to be usable."""
        for source, value in self._given(field):
            return self.checked(field, value, check, source)
        return None

    def first_usable(self, field: Field, check: Callable[[Any], str]) -> str | None:
        """Take the first value that is given and usable."""
        for source, value in self._given(field):
            try:
                usable = check(value)
            except BadValueError as error:
                self.note(f"{source}: {field} passed over: {error}")
                continue
            if usable:
                self.sources[field] = source
                return usable
        return None

    def checked(self, field: str, value: Any, check: Callable[[Any], T], source: str) -> T:
        try:
            usable = check(value)
        except BadValueError as error:
            raise IdentityRefused(
                Reason.INVALID, f"{field} of {self._person} from {source}: {error}"
            ) from None
        self.sources[field] = source
        return usable

    def subject(self) -> str | None:
        """Take the subject of the source that the uid is from."""
        for source, value in self._given("subject"):
            if source == self.sources["uid"]:
                return self.checked("subject", value, _subject, source)
        return None

    def groups(self, ids: IdRules) -> list[Group]:
        """Gather the groups of all sources that can be used and do not contradict each other."""
        gids: dict[str, int] = {}
        holders: dict[int, str] = {}
        asked: list[str] = []
        for source, value in self._given("groups"):
            asked.append(source)
            for name, number in self.checked("groups", value, _pairs, source):
                try:
                    group = Group(names.group_name(name), ids.gid(number))
                except BadValueError as error:
                    self.note(f"{source}: group {shown(name)} left out: {error}")
                    continue
                if gids.get(group.name, group.gid) != group.gid:
                    self.note(f"{source}: group {group.name} left out: two gids")
                elif holders.get(group.gid, group.name) != group.name:
                    self.note(f"{source}: group {group.name} left out: gid of {holders[group.gid]}")
                else:
                    gids[group.name] = group.gid
                    holders[group.gid] = group.name
        if asked:
            self.sources["groups"] = ", ".join(asked)
        return [Group(name, gid) for name, gid in gids.items()]

    def add_private_group(self, groups: list[Group], username: str, gid: int) -> None:
        """Give the person's own group its name, where that name and that number are free."""
        if all(gid != group.gid and username != group.name for group in groups):
            groups.append(Group(username, gid))

    def _given(self, field: Field) -> Iterator[tuple[str, Any]]:
        for source, answer in self._answers:
            value = answer.get(field)
            if value is not None and value not in ("", [], (), {}):
                yield source, value


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    """Read groups: a mapping of names to gids, or a list of objects with a name and a gid."""
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, list | tuple) and all(isinstance(group, Mapping) for group in value):
        return [(group.get("name"), group.get("gid")) for group in value]
    raise BadValueError("is neither a mapping of names to gids nor a list of {name, gid}")


def _claims(value: Any) -> Mapping[str, Any]:
    """Check that the claims are an object of JSON and of reasonable size; return a copy."""
    try:
        # Encoding refuses halves of characters, with which the hub could not store it.
        text = json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise BadValueError("is not made of JSON values") from None
    if not isinstance(value, Mapping) or len(text) > MAX_CLAIMS:
        raise BadValueError(f"is not an object of at most {MAX_CLAIMS} bytes of JSON")
    copy: Mapping[str, Any] = json.loads(text)
    return copy


def _subject(value: Any) -> str:
    """Check the id of a person in a source: a short text, or a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 255:
        raise BadValueError(f"{shown(value)} is no id of a person")
    return value


def _listed(groups: Sequence[Group]) -> str:
    return ", ".join(f"{group.name} ({group.gid})" for group in groups)
