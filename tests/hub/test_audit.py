"""One event for each decision, in the hub's event log and in its log; and labels for metrics."""

from __future__ import annotations

import json
import re

import jupyterhub
import pytest

from jhext.demo.accounts import Account
from tests.hub import doors
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

ALICE = Account(name="alice", uid=2001, groups=("datascience",))
PROFILES = [
    {"slug": "small", "display_name": "Small", "allowed_groups": ["datascience"]},
    {"slug": "gpu", "display_name": "GPU", "allowed_groups": ["gpu"]},
]
CONFIG = """
import logging
c.EventLogger.handlers = [logging.FileHandler("events.jsonl")]
c.JupyterHub.authenticate_prometheus = False
"""


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    return run_hub([ALICE], {"profiles": PROFILES}, CONFIG)


async def test_event_of_each_decision(bench: Bench) -> None:
    before = len(bench.decisions())
    async with bench.program("alice") as program:
        await doors.rest_for_named_server(bench, "alice", {"profile": "small"})
        await program.wait_for_server("alice", doors.NAMED)
        await program.stop_server("alice", doors.NAMED)
    await doors.form(bench, "alice", {"profile": "gpu"})

    allowed, refused = bench.decisions()[before:]
    assert allowed["server"] == doors.NAMED
    assert (allowed["user"], allowed["decision"]) == ("alice", "allowed")
    assert (allowed["profile"], allowed["rule"]) == ("small", "allowed_groups: datascience")
    assert (refused["server"], refused["decision"]) == ("", "refused")
    assert (refused["asked"], refused["reason"]) == ("gpu", "profile")
    assert {event["groups_source"] for event in (allowed, refused)} == {"authenticator"}

    lines = (bench.hub.folder / "events.jsonl").read_text().splitlines()
    logged = [event for line in lines if "decision" in (event := json.loads(line))]
    for event in (allowed, refused):
        assert any(event.items() <= entry.items() for entry in logged)


@pytest.mark.skipif(
    jupyterhub.version_info < (6,), reason="not on JupyterHub 5: its metrics have no reasons"
)
async def test_reasons_in_the_metrics(bench: Bench) -> None:
    await doors.rest(bench, "alice", {"profile": "gpu"})
    await doors.rest(bench, "alice", {"profile": "small", "x" * 50: "y"})
    async with bench.browser("alice") as browser:
        metrics = (await browser.get("/hub/metrics")).text
    failures = re.findall(
        r'spawn_duration_seconds_count{reason="([^"]*)",status="failure"} [1-9]', metrics
    )
    assert set(failures) == {"profile", "options"}
