"""``admin_bypass`` gives admins more for themselves, says so, and gives nobody else anything."""

from __future__ import annotations

import pytest

from jhext.demo.accounts import Account
from tests.hub import doors
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

PEOPLE = [Account(name="eve", uid=2004), Account(name=doors.ADMIN, uid=2005, admin=True)]
PROFILES = [
    {"slug": "gpu", "display_name": "GPU", "allowed_groups": ["gpu"]},
    {"slug": "lab", "display_name": "Lab", "allow_all": True, "blocked_users": [doors.ADMIN]},
]


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    return run_hub(PEOPLE, {"hub": {"admin_bypass": True}, "profiles": PROFILES})


async def test_d05_bypass_is_logged(bench: Bench) -> None:
    async with bench.program(doors.ADMIN) as admin:
        answer = await doors.rest(bench, doors.ADMIN, {"profile": "gpu"})
        assert answer.status in (201, 202)
        await admin.wait_for_server(doors.ADMIN)
        await admin.stop_server(doors.ADMIN)
    assert bench.decisions()[-1]["rule"] == "admin_bypass"


async def test_blocked_wins_over_the_bypass(bench: Bench) -> None:
    answer = await doors.rest(bench, doors.ADMIN, {"profile": "lab"})
    assert answer.status == 403


@pytest.mark.parametrize("door", [doors.form_of_admin, doors.rest_of_admin])
async def test_d01_owner_of_the_server_counts(bench: Bench, door: doors.Door) -> None:
    answer = await door(bench, "eve", {"profile": "gpu"})
    assert answer.status == 403
    assert await bench.pods("eve") == []
