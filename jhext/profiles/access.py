"""Access rules and how they decide: blocked wins, otherwise any allowing rule allows.

The same keys stand on a profile, on a choice and on an ``unlisted_choice``:

1. A rule that blocks (``blocked_users``, ``blocked_groups``, ``block_if``) wins over everything.
2. Any rule that allows (``allow_all``, ``allowed_users``, ``allowed_groups``, ``allow_if``) allows.
3. Where allowing rules are written but none allows, the answer is no.
4. Where no allowing rule is written, the default decides: ``default_access`` for a profile; a
   choice is then open to whoever has the profile.

The lines of mapping files are rules of profiles too. Names are compared whole and exactly: no
folding of case, no matching of a path's last part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from .expression import EvaluationError, Expression
from .finding import FaultyError

DefaultAccess = Literal["deny", "allow"]


@dataclass(frozen=True)
class Person:
    """Whom a decision is about: the owner of the server, whoever asks for it.

    Parameters
    ----------
    user
        The normalised user name.
    groups
        The full names of the person's JupyterHub groups.
    admin
        Whether JupyterHub has the person as an admin.
    server_name
        The name of the server, empty for the default server.
    claims
        What the authenticator knows besides, JSON values. Never a token.
    now
        The time of the decision.
    """

    user: str
    groups: frozenset[str] = frozenset()
    admin: bool = False
    server_name: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def variables(self) -> Mapping[str, Any]:
        """What expressions see.

        Raises
        ------
        EvaluationError
            The claims are nested so deep that the evaluator would overflow the stack.
        """
        if _is_deeper(self.claims, _MAX_DEPTH):
            raise EvaluationError(f"the claims are nested more than {_MAX_DEPTH} levels deep")
        return {
            "user": self.user,
            "groups": sorted(self.groups),
            "admin": self.admin,
            "server_name": self.server_name,
            "claims": dict(self.claims),
            # The hours of a time are those of its own zone there, and rules are about UTC.
            "now": self.now.astimezone(UTC),
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, by which rule, and why.

    Parameters
    ----------
    allowed
        The answer.
    rule
        The rule that decided, such as ``allowed_groups: lab:gpu`` or ``default_access``.
    reason
        A sentence for operators. It may name groups and expressions.
    """

    allowed: bool
    rule: str
    reason: str


_MAX_DEPTH = 100
"""Levels of nested claims; far more than any directory gives."""


def _is_deeper(value: Any, levels: int) -> bool:
    level = [value]
    for _ in range(levels):
        level = [
            inner
            for item in level
            if isinstance(item, Mapping | list | tuple)
            for inner in (item.values() if isinstance(item, Mapping) else item)
        ]
        if not level:
            return False
    return True


def _names(value: Any) -> frozenset[str]:
    """Take a list of names; a lone string would become a set of its letters."""
    if isinstance(value, Mapping):
        message = "must be a list of names; no file is read for what a callable gives"
        raise FaultyError(message, "let the callable read the file")
    if isinstance(value, str) or not isinstance(value, list | tuple | set | frozenset):
        raise ValueError(f"must be a list of names, not {type(value).__name__}")  # noqa: TRY004
    for name in value:
        if not isinstance(name, str) or not name:
            raise FaultyError(f"must hold names, not {name!r}", "quote what YAML reads otherwise")
    return frozenset(value)


def _expression(value: Any) -> Expression:
    if isinstance(value, Expression):
        return value
    if not isinstance(value, str):
        raise ValueError(f"must be a CEL expression in a string, not {type(value).__name__}")  # noqa: TRY004
    return Expression(value)


Names = Annotated[
    frozenset[str],
    BeforeValidator(_names),
    PlainSerializer(sorted, return_type=list[str]),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "string", "minLength": 1}},
                {
                    "type": "object",
                    "description": "A file of names, separated by blanks or line ends.",
                    "properties": {"file": {"type": "string"}},
                    "required": ["file"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
Rule = Annotated[
    Expression,
    BeforeValidator(_expression),
    PlainSerializer(lambda rule: rule.source, return_type=str),
    WithJsonSchema({"type": "string"}),
]


class Access(BaseModel):
    """The access keys, the same on every level."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True
    )

    allow_all: bool = Field(default=False, description="Everybody who is not blocked.")
    allowed_users: Names | None = Field(
        default=None, description="Normalised user names.", examples=[["alice", "bob"]]
    )
    allowed_groups: Names | None = Field(
        default=None,
        description="Full names of groups, compared exactly.",
        examples=[["lab:gpu-users", "/hpc/gpu"]],
    )
    allow_if: Rule | None = Field(
        default=None,
        description="A CEL expression; allows only when it yields the boolean true.",
        examples=["claims.affiliation == 'staff'"],
    )
    blocked_users: Names | None = Field(
        default=None, description="Normalised user names; wins over what allows."
    )
    blocked_groups: Names | None = Field(
        default=None, description="Full names of groups; wins over what allows."
    )
    block_if: Rule | None = Field(
        default=None,
        description="A CEL expression; blocks when it is true or cannot be evaluated.",
        examples=["'interns' in groups"],
    )

    @property
    def has_allowing_rule(self) -> bool:
        """Whether an allowing rule is written, even one that nobody meets."""
        return not ALLOWING_KEYS.isdisjoint(self.model_fields_set)

    @property
    def has_rule(self) -> bool:
        """Whether any access key is written."""
        return not ACCESS_KEYS.isdisjoint(self.model_fields_set)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The expressions among the rules."""
        return tuple(rule for rule in (self.allow_if, self.block_if) if rule is not None)


ALLOWING_KEYS = frozenset({"allow_all", "allowed_users", "allowed_groups", "allow_if"})
"""The keys of the rules that allow."""
BLOCKING_KEYS = frozenset({"blocked_users", "blocked_groups", "block_if"})
"""The keys of the rules that block."""
NAME_KEYS = frozenset({"allowed_users", "allowed_groups", "blocked_users", "blocked_groups"})
"""The keys of the rules that list names."""
ACCESS_KEYS = frozenset(Access.model_fields)
"""The keys that rules are written with."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What mapping files say about a profile: rules that add to its own.

    Parameters
    ----------
    allowed_users, allowed_groups, blocked_users, blocked_groups
        Names, each with the place of the line that names it, as ``FILE:LINE``.
    everybody
        The place of the line that allows everybody; empty where none does.
    """

    allowed_users: Mapping[str, str] = field(default_factory=dict)
    allowed_groups: Mapping[str, str] = field(default_factory=dict)
    everybody: str = ""
    blocked_users: Mapping[str, str] = field(default_factory=dict)
    blocked_groups: Mapping[str, str] = field(default_factory=dict)

    @property
    def allows(self) -> bool:
        """Whether there is an allowing line, be it about nobody who exists."""
        return bool(self.allowed_users or self.allowed_groups or self.everybody)

    def blocking(self, person: Person) -> Decision | None:
        """Give the decision of a line that blocks the person, if there is one."""
        return _mapped(False, self.blocked_users, self.blocked_groups, "", person)

    def allowing(self, person: Person) -> Decision | None:
        """Give the decision of a line that allows the person, if there is one."""
        return _mapped(True, self.allowed_users, self.allowed_groups, self.everybody, person)


def _mapped(
    allowed: bool,
    users: Mapping[str, str],
    groups: Mapping[str, str],
    everybody: str,
    person: Person,
) -> Decision | None:
    verdict = "allowed" if allowed else "blocked"
    if place := users.get(person.user):
        return Decision(allowed, f"mapping: {place}", f"{person.user} is {verdict}")
    if groups and (named := groups.keys() & person.groups):
        group = min(named)
        return Decision(allowed, f"mapping: {groups[group]}", f"group {group} is {verdict}")
    if everybody:
        return Decision(allowed, f"mapping: {everybody}", f"everybody is {verdict}")
    return None


UNMAPPED = Mapped()
"""What mapping files say where they say nothing."""


def decide(
    access: Access,
    person: Person,
    *,
    default: Decision,
    admin_bypass: bool = False,
    mapped: Mapped = UNMAPPED,
) -> Decision:
    """Decide whether a person may have what carries these rules.

    Parameters
    ----------
    access
        The rules.
    person
        Whom it is about.
    default
        What holds where no allowing rule is written.
    admin_bypass
        Whether admins are allowed what no rule blocks.
    mapped
        What mapping files say besides.

    Returns
    -------
    Decision
        The answer, the rule that gave it, and a sentence for operators.
    """
    if blocked := _blocked(access, person) or mapped.blocking(person):
        return blocked
    if admin_bypass and person.admin:
        return Decision(True, "admin_bypass", f"{person.user} is an admin and admin_bypass is on")
    if allowed := mapped.allowing(person):
        return allowed
    if not access.has_allowing_rule and not mapped.allows:
        return default
    return _allowed(access, person)


def _blocked(access: Access, person: Person) -> Decision | None:
    if access.blocked_users and person.user in access.blocked_users:
        return Decision(False, f"blocked_users: {person.user}", f"{person.user} is blocked")
    if access.blocked_groups and (groups := access.blocked_groups & person.groups):
        group = min(groups)
        return Decision(False, f"blocked_groups: {group}", f"group {group} is blocked")
    if (rule := access.block_if) is not None:
        try:
            value = rule.evaluate(person.variables)
        except EvaluationError as error:
            return Decision(False, f"block_if: {rule.source}", f"block_if failed, {error}")
        if value is not False:
            return Decision(False, f"block_if: {rule.source}", f"block_if is {_told(value)}")
    return None


def _allowed(access: Access, person: Person) -> Decision:
    if access.allow_all:
        return Decision(True, "allow_all", "everybody is allowed")
    if access.allowed_users and person.user in access.allowed_users:
        return Decision(True, f"allowed_users: {person.user}", f"{person.user} is allowed")
    if access.allowed_groups and (groups := access.allowed_groups & person.groups):
        group = min(groups)
        return Decision(True, f"allowed_groups: {group}", f"group {group} is allowed")
    if (rule := access.allow_if) is not None:
        try:
            value = rule.evaluate(person.variables)
        except EvaluationError as error:
            return Decision(False, f"allow_if: {rule.source}", f"allow_if failed, {error}")
        if value is True:
            return Decision(True, f"allow_if: {rule.source}", "allow_if is true")
        return Decision(False, f"allow_if: {rule.source}", f"allow_if is {_told(value)}, not true")
    return Decision(False, "no rule", "no allowing rule is met")


def _told(value: Any) -> str:
    """Say what an expression yielded without telling claims."""
    return str(value).lower() if isinstance(value, bool) else f"a {type(value).__name__}"
