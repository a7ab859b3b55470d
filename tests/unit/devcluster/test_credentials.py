"""Whose a process is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from jhext.devcluster.credentials import (
    IMAGE_USER,
    CredentialCheck,
    Credentials,
    requested_credentials,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become others")


@pytest.mark.parametrize(
    ("pod", "container", "expected"),
    [
        ({}, {}, IMAGE_USER),
        ({"runAsUser": 5}, {}, Credentials(5, IMAGE_USER.gid)),
        ({"runAsUser": 5, "runAsGroup": 6}, {}, Credentials(5, 6)),
        ({"runAsUser": 5, "runAsGroup": 6}, {"runAsUser": 7}, Credentials(7, 6)),
        ({"runAsUser": 5}, {"runAsUser": 0, "runAsGroup": 0}, Credentials(0, 0)),
        (
            {"supplementalGroups": [8, 9], "fsGroup": 10},
            {},
            Credentials(IMAGE_USER.uid, IMAGE_USER.gid, (8, 9, 10)),
        ),
        (
            {"supplementalGroups": [8, 8], "fsGroup": 8},
            {},
            Credentials(IMAGE_USER.uid, IMAGE_USER.gid, (8,)),
        ),
    ],
)
def test_requested(pod: Any, container: Any, expected: Credentials) -> None:
    spec = {"securityContext": pod} if pod else {}
    context = {"securityContext": container} if container else {}
    assert requested_credentials({"spec": spec}, context) == expected


async def test_usable(other_user: Credentials, open_path: Path) -> None:
    assert await CredentialCheck().problem(other_user, open_path) is None


@as_root
async def test_a_directory_out_of_reach(closed_path: Path) -> None:
    problem = await CredentialCheck().problem(Credentials(2001, 2002), closed_path / "state")
    assert problem
    assert "Permission denied" in problem


@pytest.mark.skipif(os.geteuid() == 0, reason="not on an account that may become others")
async def test_no_right_to_become_others(open_path: Path) -> None:
    problem = await CredentialCheck().problem(Credentials(2001, 2002), open_path)
    assert problem
    assert "not permitted" in problem
