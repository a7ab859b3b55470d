"""Two hubs give ids to people whom no directory knows, out of one database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from jhext.demo.accounts import Account
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub
from tests.postgres import NEEDED, binaries, new_database, running

PEOPLE = [Account(name=f"user{number:02}", uid=2000 + number) for number in range(50)]
CONFIG = """
c.KubeSpawner.start_timeout = c.KubeSpawner.http_timeout = 240
c.JupyterHub.concurrent_spawn_limit = 0
"""


@pytest.fixture(scope="module")
def hubs(
    run_hub: RunHub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Bench, Bench]]:
    programs = binaries()
    if programs is None:
        pytest.skip(NEEDED)
    with running(programs) as address:
        ledger = tmp_path_factory.mktemp("ledger") / "url"
        ledger.write_text(new_database(address))
        settings = {
            "profiles": [{"slug": "lab", "display_name": "Lab", "allow_all": True}],
            "identity": {
                "sources": [{"type": "auth_state"}],
                "user_private_groups": True,
                "allocate": {"users": [5000, 5999], "groups": [7000, 7999]},
                "ledger": {"file": str(ledger)},
            },
        }
        yield run_hub(PEOPLE, settings, CONFIG), run_hub(PEOPLE, settings, f"{CONFIG}# another")


async def first_start(bench: Bench, name: str) -> int:
    """Log in and start a server; give the uid that the pod has."""
    async with bench.program(name) as program:
        answer = await program.api("POST", f"/users/{name}/server", {"profile": "lab"})
        assert answer.status in (201, 202), answer
        async with asyncio.timeout(240):
            while not (pods := await bench.pods(name)):  # noqa: ASYNC110 - it is elsewhere
                await asyncio.sleep(0.5)
        await program.wait_for_server(name)
        await program.stop_server(name)
    context = pods[0]["spec"]["securityContext"]
    assert context["runAsGroup"] == context["runAsUser"]
    return int(context["runAsUser"])


async def test_fifty_first_logins_at_two_hubs_get_fifty_ids(hubs: tuple[Bench, Bench]) -> None:
    names = [account.name for account in PEOPLE]
    starts = (first_start(hubs[number % 2], name) for number, name in enumerate(names))
    given = dict(zip(names, await asyncio.gather(*starts), strict=True))
    assert sorted(given.values()) == list(range(5000, 5050))
    hubs[0].hub.stop_hub()
    hubs[0].hub.start_hub()
    for name in ("user00", "user01"):
        assert await first_start(hubs[0], name) == given[name]
    for bench in hubs:
        assert not bench.unhandled
