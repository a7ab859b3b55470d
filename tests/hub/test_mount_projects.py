"""Servers that run under the ids of the project whose files they mount."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jhext.demo.accounts import Account
from jhext.demo.notebook import run_cell
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

ANN = Account(name="ann", uid=3201)
PATIENT = "c.KubeSpawner.start_timeout = c.KubeSpawner.http_timeout = 120\n"
REAL = {"cmd": ["jupyterhub-singleuser"]}
MOUNT: dict[str, Any] = {"source": {"type": "empty_dir"}}
LOOK = "import json, os; print(json.dumps([os.getuid(), os.getgid(), os.getgroups()]))"


def project(number: int) -> dict[str, Any]:
    return {"uid": number, "gid": number, "groups": {f"exp{number}": number, "beam": 4999}}


@pytest.fixture(scope="module")
def bench(run_hub: RunHub) -> Bench:
    names = ("own", "exp", "both")
    mounts = [
        ("exp", {"profiles": ["exp", "both"], "act_as": project(4201)}),
        ("other", {"profiles": ["both"], "act_as": project(4202)}),
    ]
    settings = {
        "profiles": [
            {"slug": slug, "display_name": slug, "allow_all": True, "kubespawner_override": REAL}
            for slug in names
        ],
        "identity": {"sources": [{"type": "fixed", "values": {"uid": 3201, "gid": 3201}}]},
        "storage": {
            "mounts": [{**MOUNT, "name": n, "mount_path": f"/{n}", **rule} for n, rule in mounts]
        },
    }
    return run_hub([ANN], settings, PATIENT)


@pytest.mark.parametrize(("profile", "uid", "groups"), [("exp", 4201, [4999]), ("own", 3201, [])])
async def test_ids_in_the_server(bench: Bench, profile: str, uid: int, groups: list[int]) -> None:
    async with bench.browser("ann") as browser:
        await browser.post("/hub/spawn", {"profile": profile})
        await browser.wait_for_server("ann", seconds=150)
        (pod,) = await bench.pods("ann")
        assert pod["spec"]["securityContext"]["runAsUser"] == uid
        await browser.get("/user/ann/lab")
        seen = json.loads(await run_cell(browser, "/user/ann/", LOOK))
        assert seen[0] == bench.uid_of_pods(uid)
        if seen[0] == uid:  # else the cluster has said that it cannot, and why
            assert (seen[1], set(seen[2]) - {uid}) == (uid, set(groups))
        await browser.stop_server("ann")
    project = {"acts_as": "4201:4201", "acts_as_by": "mount exp"} if profile == "exp" else {}
    decision = bench.decisions()[-1]
    assert {key: decision[key] for key in decision if key.startswith("acts_as")} == project


async def test_two_projects_are_refused_and_nothing_starts(bench: Bench) -> None:
    async with bench.program("ann") as program:
        answer = await program.api("POST", "/users/ann/server", {"profile": "both"})
        assert answer.status == 409
        assert "two projects at once (mount exp and mount other)" in answer.json()["message"]
    assert await bench.pods("ann") == []
    assert bench.decisions()[-1]["reason"] == "storage_projects"
