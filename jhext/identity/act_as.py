"""Working with the ids of a project instead of one's own."""

from __future__ import annotations

from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from . import names
from .errors import BadValueError, IdentityRefused, Reason
from .ids import IdRules
from .model import Group, Identity


class ActAs(BaseModel):
    """The ids of a project, such as an experiment whose files belong to nobody in person."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    uid: int = Field(description="The uid that the project's files belong to.")
    gid: int = Field(description="The project's primary gid.")
    groups: dict[str, int] = Field(
        default_factory=dict,
        description="The project's groups by name, the primary one among them.",
        examples=[{"exp42": 4200}],
    )


def act_as(identity: Identity, project: ActAs, rules: IdRules) -> Identity:
    """Give the identity of a person who works as a project.

    The name, the home and what rules may read stay the person's; ids and groups are the project's
    alone, so that no right of the person's is mixed with those of the project.

    Raises
    ------
    IdentityRefused
        The project's ids are not in the ranges that the settings allow, or a name is none.
    """
    try:
        uid, gid = rules.uid(project.uid), rules.gid(project.gid)
        groups = tuple(
            Group(names.group_name(name), rules.gid(number))
            for name, number in project.groups.items()
        )
    except BadValueError as error:
        raise IdentityRefused(Reason.INVALID, f"act_as: {error}") from None
    return replace(identity, uid=uid, gid=gid, groups=groups)
