"""What was granted outlives the hub that granted it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jhext.demo.accounts import Account
from jhext.demo.hub import LocalHub
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

pytestmark = pytest.mark.hub_versions

ALICE = Account(name="alice", uid=2001)
ADA = Account(name="ada", uid=2005, admin=True)
PROFILES = [
    {"slug": "small", "display_name": "Small", "allow_all": True},
    {
        "slug": "gpu",
        "display_name": "GPU",
        "allow_all": True,
        "profile_options": {
            "gpus": {
                "display_name": "GPUs",
                "choices": {"one": {"display_name": "1"}, "two": {"display_name": "2"}},
            }
        },
    },
]


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    config = "c.JupyterHub.cleanup_servers = False"
    return run_hub([ALICE, ADA], {"profiles": PROFILES}, config)


@pytest.mark.parametrize("end", [LocalHub.stop_hub, LocalHub.kill_hub])
async def test_granted_profile_is_kept(bench: Bench, end: Callable[[LocalHub], None]) -> None:
    async with bench.program("alice") as program:
        asked = {"profile": "gpu", "gpus": "two"}
        await program.api("POST", "/users/alice/server", asked)
        await program.wait_for_server("alice")
    granted = await granted_to_alice(bench)
    assert granted["profile"] == "gpu"
    assert granted["choices"] == {"gpus": "two"}

    end(bench.hub)
    assert not bench.hub.runs
    bench.hub.start_hub()

    assert await granted_to_alice(bench) == granted
    async with bench.program("alice") as program:
        server = await program.server("alice")
        assert server
        assert server["ready"]
        await program.stop_server("alice")
    assert await bench.pods("alice") == []


async def granted_to_alice(bench: Bench) -> dict[str, Any]:
    async with bench.program("ada") as admin:
        server = await admin.server("alice")
        assert server
        granted: dict[str, Any] = server["state"]["jhext"]
        return granted
