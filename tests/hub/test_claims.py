"""Rules over claims, which the hub keeps encrypted in ``auth_state``."""

from __future__ import annotations

import pytest

from jhext.demo.accounts import Account
from tests.hub import doors
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

pytestmark = pytest.mark.hub_versions

PEOPLE = [
    Account(name="alice", uid=2001, claims={"affiliation": "staff"}),
    Account(name="bob", uid=2002, claims={"affiliation": "student"}),
    Account(name="carol", uid=2003),
    Account(name=doors.ADMIN, uid=2005, admin=True),
]
PROFILES = [
    {
        "slug": "staff",
        "display_name": "Staff",
        "allow_if": "claims.affiliation == 'staff'",
    },
]
CONFIG = """
c.CryptKeeper.keys = [32 * b"k"]
c.DemoAuthenticator.enable_auth_state = True
"""


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    return run_hub(PEOPLE, {"profiles": PROFILES}, CONFIG)


async def test_claim_that_fits(bench: Bench) -> None:
    async with bench.program("alice") as program:
        answer = await doors.rest(bench, "alice", {"profile": "staff"})
        assert answer.status in (201, 202)
        await program.wait_for_server("alice")
        await program.stop_server("alice")


@pytest.mark.parametrize("name", ["bob", "carol"])
async def test_d25_claim_that_does_not_fit_or_is_missing(bench: Bench, name: str) -> None:
    answer = await doors.rest(bench, name, {"profile": "staff"})
    assert answer.status == 403


async def test_d25_person_without_auth_state(bench: Bench) -> None:
    """Made by an admin, never logged in: refused, and no crash."""
    async with bench.program(doors.ADMIN) as admin:
        assert (await admin.api("POST", "/users/dave")).status in (201, 409)
        answer = await admin.api("POST", "/users/dave/server", {"profile": "staff"})
        assert answer.status == 403
    assert bench.unhandled == []
