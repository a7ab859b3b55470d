"""Working with the ids of a project."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jhext.identity.act_as import ActAs, act_as
from jhext.identity.errors import IdentityRefused
from jhext.identity.ids import IdRules
from jhext.identity.model import Group, Identity

ADA = Identity(
    username="ada",
    uid=1500,
    gid=1500,
    groups=(Group("ada", 1500), Group("payroll", 3000)),
    home="/nfs/ada",
    resolved_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def test_ids_and_groups_are_the_projects_alone():
    project = ActAs(uid=4200, gid=4200, groups={"exp42": 4200, "beam": 4300})
    acting = act_as(ADA, project, IdRules())
    assert (acting.uid, acting.gid) == (4200, 4200)
    assert acting.supplemental_gids == (4300,)
    assert (acting.username, acting.home) == ("ada", "/nfs/ada")


@pytest.mark.parametrize(
    "project",
    [
        ActAs(uid=0, gid=4200),
        ActAs(uid=999, gid=4200),
        ActAs(uid=65534, gid=4200),
        ActAs(uid=4200, gid=0),
        ActAs(uid=4200, gid=4200, groups={"root": 4300}),
        ActAs(uid=4200, gid=4200, groups={"wheel": 0}),
        ActAs(uid=2**31, gid=4200),
        ActAs(uid=4200, gid=4200, groups={"exp42:x:0:eve": 4300}),
    ],
)
def test_the_ranges_hold_for_projects_too(project):
    with pytest.raises(IdentityRefused, match="act_as"):
        act_as(ADA, project, IdRules())
