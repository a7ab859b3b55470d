"""Refusals, however many in a row, do not count as failures that end a hub."""

from __future__ import annotations

import jupyterhub
import pytest

from jhext.demo.accounts import Account
from tests.hub.conftest import RunHub

pytestmark = pytest.mark.hub_versions

ALICE = Account(name="alice", uid=2001)
PROFILES = [
    {"slug": "small", "display_name": "Small", "allow_all": True},
    {"slug": "large", "display_name": "Large", "allowed_users": ["bob"]},
]
LIMIT = 5
CONFIG = f"c.Spawner.consecutive_failure_limit = {LIMIT}\n"
RAISING = """
def raising(spawner):
    raise RuntimeError("out of order")
"""
STALE = """
from jhext.authenticators.freshness import FreshGroups
from jhext.demo.authenticator import DemoAuthenticator

class Fresh(FreshGroups, DemoAuthenticator):
    enable_auth_state = True
    max_group_age = 60  # nobody knows how old the groups are

c.CryptKeeper.keys = ["00" * 32]
c.JupyterHub.authenticator_class = Fresh
"""

ANSWERS = {
    "profile": (403, {"profiles": PROFILES}, CONFIG),
    "config": (503, {}, f"{CONFIG}{RAISING}c.KubeSpawner.profile_list = raising"),
    "stale": (403, {"profiles": PROFILES}, f"{CONFIG}{STALE}"),
}


@pytest.mark.parametrize("reason", ANSWERS)
async def test_refusals_leave_the_hub_up(run_hub: RunHub, reason: str) -> None:
    status, settings, config = ANSWERS[reason]
    bench = run_hub([ALICE], settings, config)
    async with bench.browser("alice") as browser:
        for _ in range(LIMIT + 1):
            answer = await browser.post("/hub/spawn", {"profile": "large"})
            assert answer.status == status
    async with bench.program("alice") as program:
        for _ in range(LIMIT + 1):
            answer = await program.api("POST", "/users/alice/server", {"profile": "large"})
            assert answer.status == status
    assert "Aborting due to" not in bench.log
    assert bench.hub.runs


async def test_failures_do_not(run_hub: RunHub) -> None:
    """The limit is in force, so that the other test says something."""
    config = f"{CONFIG}{RAISING}c.Spawner.pre_spawn_hook = raising"
    bench = run_hub([ALICE], {"profiles": PROFILES}, config)
    async with bench.browser("alice") as browser:
        for _ in range(LIMIT):
            answer = await browser.post("/hub/spawn", {"profile": "small"})
            assert answer.status == (500 if jupyterhub.version_info >= (5, 5) else 200)
    assert "Aborting due to" in bench.log
