"""Whatever JSON a program sends: an answer with a reason, no pod, and a hub that goes on."""

from __future__ import annotations

from typing import Any

import jupyterhub
import pytest

from jhext.demo.accounts import Account
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

pytestmark = pytest.mark.hub_versions

ALICE = Account(name="alice", uid=2001)
PROFILES = [
    {
        "slug": "small",
        "display_name": "Small",
        "allow_all": True,
        "profile_options": {
            "image": {
                "display_name": "Image",
                "choices": {
                    "old": {"display_name": "Old", "kubespawner_override": {"image": "old"}},
                    "new": {"display_name": "New", "kubespawner_override": {"image": "new"}},
                },
                "unlisted_choice": {
                    "enabled": True,
                    "validation_regex": "ok/[a-z]+",
                    "kubespawner_override": {"image": "{value}"},
                },
            },
            "closed": {
                "display_name": "Closed",
                "choices": {"only": {"display_name": "Only"}},
            },
        },
    },
]
NOT_A_STRING: list[Any] = [True, 0, 1.5, ["small"], {"slug": "small"}, [[]], [None]]
TEXT = "image--unlisted-choice"

REFUSED: dict[str, list[dict[str, Any]]] = {
    "a profile that is no string": [{"profile": value} for value in NOT_A_STRING],
    "a choice that is no string": [{"profile": "small", "image": value} for value in NOT_A_STRING],
    "text that is no string": [{"profile": "small", TEXT: value} for value in NOT_A_STRING],
    "text without a profile": [{TEXT: "evil/x"}, {"image": "new", TEXT: "evil/x"}],
    "text where none is taken": [{"closed--unlisted-choice": "z"}],
    "text that does not match in full": [
        {TEXT: text} for text in ("ok/x@evil", "xok/x", "ok/x\n", "ok/", " ok/x", "OK/x")
    ],
    "text that would be expanded": [{TEXT: text} for text in ("{userid}", "ok/{username}", "{0}")],
    "text that is too long": [{TEXT: "ok/" + "x" * 100_000}],
    "no such choice": [{"image": "none"}, {"image": "x" * 100_000}, {"image": "\x00"}],
    "no such profile": [{"profile": text} for text in ("../small", "SMALL", "small ", "x" * 10**5)],
    "keys that mean nothing": [
        {"profile": "small", key: "x"}
        for key in ("kubespawner_override", "cmd", "uid", "image--unlisted-choice--", "x" * 10**5)
    ],
}


def bodies(options: Any) -> list[Any]:
    """Return the bodies that carry these options; JupyterHub 5 takes every body for options."""
    return [options, {"user_options": options}] if jupyterhub.version_info >= (6,) else [options]


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    return run_hub([ALICE], {"profiles": PROFILES})


@pytest.mark.parametrize("case", REFUSED)
async def test_d01_d48_d49_d53_refused_with_a_reason(bench: Bench, case: str) -> None:
    async with bench.program("alice") as program:
        for options in REFUSED[case]:
            for body in bodies(options):
                before = len(bench.decisions())
                answer = await program.api("POST", "/users/alice/server", body)
                assert answer.status == 403, (body, answer)
                assert len(answer.json()["message"]) < 300
                (decision,) = bench.decisions()[before:]
                assert decision["reason"] in ("profile", "choice", "options")
        assert await bench.pods("alice") == []
        assert (await program.api("GET", "/users/alice")).json()["server"] is None
    assert bench.unhandled == []


@pytest.mark.parametrize("options", [True, 1, 1.5, "small", ["small"], [["profile", "small"]]])
async def test_d01_options_that_are_no_object(bench: Bench, options: Any) -> None:
    async with bench.program("alice") as program:
        for body in bodies(options):
            answer = await program.api("POST", "/users/alice/server", body)
            assert answer.status in (400, 403), (body, answer)
    assert await bench.pods("alice") == []


async def test_text_that_matches(bench: Bench) -> None:
    async with bench.program("alice") as program:
        body = {"profile": "small", TEXT: "ok/mine"}
        assert (await program.api("POST", "/users/alice/server", body)).status in (201, 202)
        await program.wait_for_server("alice")
        (pod,) = await bench.pods("alice")
        assert pod["spec"]["containers"][0]["image"] == "ok/mine"
        await program.stop_server("alice")
