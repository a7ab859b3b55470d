"""Whoever asks, by whatever door: the answer is the same."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from jhext.demo.accounts import Account
from tests.hub import doors
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

pytestmark = pytest.mark.hub_versions

PEOPLE = [
    Account(name="alice", uid=2001, groups=("datascience",)),
    Account(name="bob", uid=2002, groups=("datascience", "gpu")),
    Account(name="eve", uid=2004),
    Account(name=doors.ADMIN, uid=2005, admin=True),
]


def granting(mark: str) -> dict[str, Any]:
    """Return an override by which a pod tells what was granted."""
    return {"environment": {"GRANTED": mark}}


PROFILES = [
    {
        "slug": "small",
        "display_name": "Small",
        "allowed_groups": ["datascience"],
        "kubespawner_override": granting("small"),
    },
    {
        "slug": "gpu",
        "display_name": "GPU",
        "default": True,
        "allowed_groups": ["gpu"],
        "profile_options": {
            "gpus": {
                "display_name": "GPUs",
                "choices": {
                    "one": {"display_name": "1", "kubespawner_override": granting("one")},
                    "two": {
                        "display_name": "2",
                        "allowed_users": ["carol"],
                        "kubespawner_override": granting("two"),
                    },
                },
            }
        },
    },
]

ASKED: dict[str, tuple[str, doors.Options, str | None]] = {
    "what is theirs": ("alice", {"profile": "small"}, "small"),
    "the default among what is theirs": ("alice", {}, "small"),
    "the default": ("bob", {}, "one"),
    "a choice that is theirs": ("bob", {"profile": "gpu", "gpus": "one"}, "one"),
    "a choice that is not": ("bob", {"profile": "gpu", "gpus": "two"}, None),
    "no such choice": ("bob", {"profile": "gpu", "gpus": "three"}, None),
    "a profile that is not theirs": ("alice", {"profile": "gpu"}, None),
    "no such profile": ("alice", {"profile": "huge"}, None),
    "an option that is not there": ("alice", {"profile": "small", "uid": "0"}, None),
    "nothing is theirs": ("eve", {}, None),
    "nothing is theirs, a profile is named": ("eve", {"profile": "small"}, None),
    "an admin has no right but their own": (doors.ADMIN, {"profile": "small"}, None),
}


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    return run_hub(PEOPLE, {"profiles": PROFILES})


@pytest.mark.parametrize(
    ("door", "case"),
    [
        pytest.param(door, case, id=f"{door.__name__}-{case}")
        for door in doors.DOORS
        for case, (_, options, _) in ASKED.items()
        if options or door not in doors.WITH_OPTIONS_ONLY
    ],
)
async def test_d01_d46_same_answer_by_every_door(bench: Bench, door: doors.Door, case: str) -> None:
    name, options, granted = ASKED[case]
    answer = await door(bench, name, options)
    if granted is None:
        assert answer.status == 403, answer.text
        assert await bench.pods(name) == []
        return
    assert answer.status in (200, 201, 202), answer.text
    server = doors.NAMED if "named" in door.__name__ else ""
    async with bench.program(name) as program:
        await program.wait_for_server(name, server)
        (pod,) = await bench.pods(name)
        assert granted_to(pod) == granted
        await program.stop_server(name, server)
    assert await bench.pods(name) == []


async def test_d01_fields_that_mean_nothing(bench: Bench) -> None:
    """A form and a link may hold what no option is called."""
    fields = {"profile": "small", "uid": "0"}
    async with bench.browser("alice") as browser:
        for answer in (
            await browser.post("/hub/spawn", fields),
            await browser.get(f"/hub/spawn?{urlencode(fields)}"),
        ):
            assert (answer.status, "uid" in answer.text) == (403, True)
    assert await bench.pods("alice") == []


def granted_to(pod: dict[str, Any]) -> str:
    (container,) = pod["spec"]["containers"]
    (value,) = [item["value"] for item in container["env"] if item["name"] == "GRANTED"]
    return str(value)
