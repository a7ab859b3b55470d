"""An identity as JSON."""

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime
from typing import Any

import pytest

from jhext.identity.model import Group, Identity

ANN = Identity(
    username="ann",
    uid=1001,
    gid=2001,
    groups=(Group("ann", 2001), Group("lab", 5001)),
    home="/nfs/2/ann",
    shell="/bin/bash",
    gecos="Ann Lee",
    email="ann@example.org",
    claims={"affiliation": ["staff"]},
    subject="8f14",
    sources={"uid": "campus"},
    resolved_at=datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC),
)


def test_json_is_plain_and_comes_back_the_same() -> None:
    text = json.dumps(ANN.to_json(), allow_nan=False)
    assert Identity.from_json(json.loads(text)) == ANN
    assert json.loads(text)["version"] == 1


def test_the_least_identity_comes_back_too() -> None:
    least = Identity(username="a", uid=1, gid=1, resolved_at=ANN.resolved_at)
    assert Identity.from_json(least.to_json()) == least


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.pop("version"),
        lambda data: data.update(version=2),
        lambda data: data.pop("uid"),
        lambda data: data.update(uid="1001"),
        lambda data: data.update(uid=True),
        lambda data: data.update(uid=1001.0),
        lambda data: data.update(groups=[["lab", 1]]),
        lambda data: data.update(groups=[{"name": "lab", "gid": 1, "admin": True}]),
        lambda data: data.update(root=True),
        lambda data: data.update(resolved_at="yesterday"),
        lambda data: data.update(claims={1j: 1}),
    ],
)
def test_other_json_is_refused(change: Callable[[dict[str, Any]], Any]) -> None:
    data = ANN.to_json()
    change(data)
    with pytest.raises(ValueError, match="not an identity"):
        Identity.from_json(data)


def test_an_identity_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        ANN.uid = 0  # type: ignore[misc]


def test_supplemental_gids_leave_out_the_primary_group() -> None:
    assert ANN.supplemental_gids == (5001,)


def test_groups_that_nfs_does_not_carry_are_those_with_the_highest_gids() -> None:
    groups = tuple(Group(f"g{gid}", gid) for gid in range(3018, 3000, -1))
    many = Identity(username="a", uid=1, gid=3001, groups=groups, resolved_at=ANN.resolved_at)
    assert len(many.supplemental_gids) == 17
    assert many.groups_beyond_nfs == (Group("g3018", 3018),)
