"""A profile says how long its servers may take to start, and JupyterHub waits as long."""

from __future__ import annotations

import pytest

from jhext.demo.accounts import Account
from jhext.demo.client import ServerFailed
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

pytestmark = pytest.mark.hub_versions

SLOW = [{"name": "slow", "image": "any", "command": ["sleep", "6"]}]
PROFILES = [
    {"slug": "patient", "display_name": "Patient", "allow_all": True, "start_timeout": "1m"},
    {"slug": "hasty", "display_name": "Hasty", "allow_all": True},
]


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    config = f"""
c.KubeSpawner.start_timeout = 3
c.KubeSpawner.init_containers = {SLOW!r}
"""
    return run_hub([Account(name="alice", uid=2001)], {"profiles": PROFILES}, config)


async def test_start_may_take_as_long_as_the_profile_says(bench: Bench) -> None:
    async with bench.program("alice") as program:
        await program.api("POST", "/users/alice/server", {"profile": "patient"})
        await program.wait_for_server("alice")
        await program.stop_server("alice")
    assert [event["profile"] for event in bench.decisions()].count("patient") == 1


async def test_start_may_not_take_longer_otherwise(bench: Bench) -> None:
    async with bench.program("alice") as program:
        await program.api("POST", "/users/alice/server", {"profile": "hasty"})
        with pytest.raises(ServerFailed, match="failed"):
            await program.wait_for_server("alice")
