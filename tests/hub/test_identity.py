"""Who a person is in a server, with sources of identity that answer, are slow, or are gone."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from statistics import median
from typing import Any

import pytest

from jhext.demo.accounts import Account
from jhext.demo.client import HubClient
from jhext.demo.notebook import run_cell, run_in_terminal
from jhext.demo.processes import free_port
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub
from tests.hub.identity_service import IdentityService

DELAY = 5.0
ALICE = Account(name="alice", uid=3001)
STRANGER = Account(name="stranger", uid=3002)
CROWD = [Account(name=f"user{number}", uid=3100 + number) for number in range(20)]
KILLED = Account(name="killed", uid=3003)
ADA = Account(name="ada", uid=3004, admin=True)
PROFILES: list[dict[str, Any]] = [
    {
        "slug": "lab",
        "display_name": "Lab",
        "allow_all": True,
        "kubespawner_override": {
            "cmd": ["jupyterhub-singleuser"],
            "environment": {"NB_UID": "0", "USER": "root", "GIT_AUTHOR_NAME": "Mallory"},
        },
    },
    {"slug": "stub", "display_name": "Stub", "allow_all": True},
    {
        "slug": "experiment",
        "display_name": "Experiment",
        "allow_all": True,
        "act_as": {"uid": 4200, "gid": 4200, "groups": {"exp42": 4200}},
    },
]
PATIENT = "c.KubeSpawner.start_timeout = c.KubeSpawner.http_timeout = 120\n"
# a login shell would lose the PATH to this Python
BASH = """c.KubeSpawner.args = ['--ServerApp.terminado_settings={"shell_command": ["bash"]}']\n"""
LOOK = """\
import json, os
names = ("USER", "LOGNAME", "HOME", "NB_USER", "NB_UID", "NB_GID", "GIT_AUTHOR_NAME")
print(json.dumps({
    "ids": [os.getuid(), os.getgid(), sorted(os.getgroups())],
    "environment": {name: os.environ.get(name) for name in names},
}))
"""


@pytest.fixture(scope="module")
def known(run_hub: RunHub, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Run a hub that finds people in files."""
    folder = tmp_path_factory.mktemp("people")
    (folder / "passwd").write_text(
        "alice:x:3001:3001:Alice {Braces} Liddell:/nfs/2/alice:/bin/bash\n"
    )
    (folder / "group").write_text("alice:x:3001:\nlab:x:5001:alice\ngpu:x:5002:alice,bob\n")
    source = {"type": "files"} | {name: str(folder / name) for name in ("passwd", "group")}
    settings = {"profiles": PROFILES, "identity": {"sources": [source]}}
    return run_hub([ALICE, STRANGER], settings, PATIENT + BASH)


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def asking(run_hub: RunHub, port: int) -> Bench:
    """Run a hub that asks a web service for people."""
    source = {
        "type": "rest",
        "url": f"http://127.0.0.1:{port}/people/{{username}}",
        "allow_http": True,
        "fields": {"uid": "/uid", "gid": "/gid", "gecos": "/name"},
        "timeout": "30s",
    }
    settings = {"profiles": PROFILES, "identity": {"sources": [source], "deadline": "60s"}}
    return run_hub([*CROWD, KILLED, ADA], settings, PATIENT)


@pytest.fixture
async def service(port: int) -> AsyncIterator[IdentityService]:
    people = {
        account.name: {"uid": account.uid, "gid": account.uid, "name": "Somebody from Campus"}
        for account in (*CROWD, KILLED)
    }
    async with IdentityService(port, people) as service:
        yield service


async def test_d20_d22_person_in_the_server(known: Bench) -> None:
    async with known.browser("alice") as browser:
        await browser.post("/hub/spawn", {"profile": "lab"})
        await browser.wait_for_server("alice", seconds=150)
        (pod,) = await known.pods("alice")
        context = pod["spec"]["securityContext"]
        assert (context["runAsUser"], context["runAsGroup"]) == (3001, 3001)
        assert context["supplementalGroups"] == [5001, 5002]
        wanted = {entry["name"]: entry.get("value") for entry in env_of(pod)}
        assert wanted["HOME"] == "/home/jovyan"

        await browser.get("/user/alice/lab")
        seen = json.loads(await run_cell(browser, "/user/alice/", LOOK))
        uid = known.uid_of_pods(3001)
        assert seen["ids"][0] == uid
        if uid == 3001:  # else the cluster has said that it cannot, and why
            assert seen["ids"][1:] == [3001, [3001, 5001, 5002]]
        environment = seen["environment"]
        assert environment.pop("HOME")  # the cluster's stand-in for the pod's
        assert environment == {
            "USER": "alice",
            "LOGNAME": "alice",
            "NB_USER": "alice",
            "NB_UID": "3001",
            "NB_GID": "3001",
            "GIT_AUTHOR_NAME": "Alice {Braces} Liddell",
        }
        line = 'echo "<$USER:$(id -u):$GIT_COMMITTER_NAME>"'
        shown = await run_in_terminal(browser, "/user/alice/", line, until="Liddell>")
        assert f"<alice:{uid}:Alice {{Braces}} Liddell>" in shown
        await browser.stop_server("alice")


def env_of(pod: dict[str, Any]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = pod["spec"]["containers"][0]["env"]
    return entries


async def test_ids_of_a_project(known: Bench) -> None:
    async with known.program("alice") as program:
        await program.api("POST", "/users/alice/server", {"profile": "experiment"})
        await program.wait_for_server("alice")
        (pod,) = await known.pods("alice")
        assert pod["spec"]["securityContext"]["runAsUser"] == 4200
        assert pod["spec"]["securityContext"]["supplementalGroups"] == []
        await program.stop_server("alice")
    assert known.decisions()[-1]["acts_as"] == "4200:4200"


async def test_d25_person_whom_nobody_knows(known: Bench) -> None:
    async with known.program("stranger") as program:
        answer = await program.api("POST", "/users/stranger/server", {"profile": "stub"})
        assert answer.status == 403
        assert "administrators" in answer.json()["message"]
    assert await known.pods("stranger") == []
    assert known.decisions()[-1]["reason"] == "identity_unknown"


@pytest.mark.timeout(900)
async def test_d31_slow_source_holds_nobody_up(asking: Bench, service: IdentityService) -> None:
    """Twenty people wait for one delay, and the hub answers meanwhile."""
    names = [account.name for account in CROWD]
    async with asking.program("ada") as admin:
        await admin.api("POST", "/users", {"usernames": names})
        at_rest = [await seconds_of_health(admin) for _ in range(20)]
        service.delay = DELAY
        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(start(admin, name))
            meanwhile = group.create_task(health_meanwhile(admin, service))
        assert service.most_under_way == len(names)
        assert service.last_answered - service.first_asked < 3 * DELAY
        assert median(meanwhile.result()) < 10 * median(at_rest)
        assert max(meanwhile.result()) < DELAY / 2
        for account in CROWD:
            (pod,) = await asking.pods(account.name)
            assert pod["spec"]["securityContext"]["runAsUser"] == account.uid


async def start(admin: HubClient, name: str) -> None:
    answer = await admin.api("POST", f"/users/{name}/server", {"profile": "stub"})
    assert answer.status in (201, 202), answer
    await admin.wait_for_server(name, seconds=300)


async def seconds_of_health(client: HubClient) -> float:
    """Return how long the hub takes to say that it is well."""
    asked = time.monotonic()
    assert (await client.get("/hub/health")).status == 200
    return time.monotonic() - asked


async def health_meanwhile(client: HubClient, service: IdentityService) -> list[float]:
    """Ask for the health of the hub while people wait, and return how long each answer took."""
    seconds = []
    await service.asked.wait()
    while service.under_way:
        seconds.append(await seconds_of_health(client))
        await asyncio.sleep(0.05)
    return seconds


async def test_d31_source_that_ends_in_the_middle(asking: Bench, service: IdentityService) -> None:
    """Nobody is started without an identity, and all is well when the source is back."""
    service.delay = DELAY
    async with asking.program("killed") as program:
        post = asyncio.create_task(program.api("POST", "/users/killed/server", {"profile": "stub"}))
        await service.asked.wait()
        await service.stop()
        answer = await post
        assert answer.status == 503
        assert "could not be looked up just now" in answer.json()["message"]
        assert "127.0.0.1" not in answer.text
        assert await asking.pods("killed") == []
        decision = asking.decisions()[-1]
        assert decision["reason"] == "identity_unavailable"
        assert "rest" in decision["detail"]

        service.delay = 0
        await service.start()
        await start(program, "killed")
        (pod,) = await asking.pods("killed")
        assert pod["spec"]["securityContext"]["runAsUser"] == KILLED.uid
        await program.stop_server("killed")
