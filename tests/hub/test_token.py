"""The token of a login in the pod of a real hub: kept current, and kept nowhere else."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from kubernetes_asyncio import client, config

from jhext.delegation.mount import FOLDER
from jhext.delegation.secret import name_of
from jhext.demo.accounts import Account
from jhext.demo.client import HubClient
from tests.cluster.little_hub import CLOSING
from tests.github.standin import GitHub, authenticator, entered, running_github
from tests.hub.bench import Bench
from tests.hub.conftest import RunHub

pytestmark = pytest.mark.hub_versions

PERSON = {"id": 583231, "name": "The Octocat", "organizations": ["Lab"], "teams": []}
STATE = {
    "people": {"octocat": PERSON},
    "organizations": {"Lab": 900},
    "teams": {},
    "valid_since": 0,
}
SETTINGS = {
    "profiles": [{"slug": "lab", "display_name": "Lab", "allowed_groups": ["lab"]}],
    "identity": {
        "sources": [{"type": "github", "groups": ["organizations"]}],
        "user_private_groups": True,
        "ttl": 0,
    },
    "pod": {"token": {"git_urls": ["https://github.com"], "refresh": "1s"}},
}


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    with running_github(tmp_path_factory.mktemp("github"), STATE) as github:
        yield github


@pytest.fixture(scope="module")
def hub(run_hub: RunHub, github: GitHub) -> Bench:
    more = """
c.JupyterHub.log_level = "DEBUG"
c.JupyterHub.cleanup_servers = False
c.KubeSpawner.poll_interval = 1
"""
    people = [Account(name="octocat", uid=2000)]
    return run_hub(people, SETTINGS, authenticator(github) + more)


@pytest.fixture
async def program(hub: Bench, github: GitHub) -> AsyncIterator[HubClient]:
    github.change()
    async with await entered(hub, github, "octocat") as program:
        answer = await program.api("POST", "/users/octocat/server", {})
        assert answer.status in (201, 202)
        await program.wait_for_server("octocat")
        yield program
        await program.stop_server("octocat")
    assert await secrets(hub) == {}
    await asyncio.sleep(CLOSING)


async def secrets(hub: Bench) -> dict[str, Any]:
    """Return the Secrets of the cluster."""
    async with await config.new_client_from_config(str(hub.hub.kubeconfig)) as api:
        found = await client.CoreV1Api(api).list_secret_for_all_namespaces()
        items = api.sanitize_for_serialization(found.items)
    return {item["metadata"]["name"]: item for item in items}


async def token(hub: Bench) -> str:
    secret = (await secrets(hub))[name_of("octocat", "")]
    return base64.b64decode(secret["data"]["token"]).decode()


async def another_token(hub: Bench, before: str) -> str:
    async with asyncio.timeout(30):
        while True:
            if (now := await token(hub)) != before:
                return now
            await asyncio.sleep(0.2)


async def test_d24_token_is_in_the_secret_and_nowhere_else(hub: Bench, program: HubClient) -> None:
    """Not in the log of a hub that says all, its database, the pod, or what its API tells."""
    given = await token(hub)
    assert given.startswith("gho_")
    (pod,) = await hub.pods("octocat")
    (container,) = pod["spec"]["containers"]
    assert [item["mountPath"] for item in container["volumeMounts"]].count(FOLDER) == 1
    told = (await program.api("GET", "/users/octocat")).text
    database = b"".join(path.read_bytes() for path in hub.hub.folder.glob("*.sqlite*"))
    for form in (given, base64.b64encode(given.encode()).decode()):
        assert form not in str(pod) + told + hub.log
        assert form.encode() not in database
    environment = {item["name"]: item.get("value") for item in container["env"]}
    keys = [value for name, value in environment.items() if name.startswith("GIT_CONFIG_KEY_")]
    assert keys == ["user.name", "user.email", *["credential.https://github.com.helper"] * 2]


async def test_token_is_renewed_while_nobody_asks_the_hub(
    hub: Bench, program: HubClient, github: GitHub
) -> None:
    """Each refresh token is good for once, so that the hub has to keep what it is given."""
    given = await token(hub)
    for _ in range(2):
        github.change(valid_since=time.time())
        given = await another_token(hub, given)
    assert "The token of octocat is a new one" in hub.log
    assert (await program.api("GET", "/users/octocat")).status == 200


async def test_servers_that_start_together_share_one_answer(
    hub: Bench, program: HubClient, github: GitHub
) -> None:
    """Each start has the provider asked, and the refresh token is good for once."""
    names = [f"s{number}" for number in range(4)]
    github.change(valid_since=time.time())
    starts = (program.api("POST", f"/users/octocat/servers/{name}", {}) for name in names)
    statuses = {answer.status for answer in await asyncio.gather(*starts)}
    assert statuses <= {201, 202}
    for name in names:
        await program.wait_for_server("octocat", name)
    assert len(await secrets(hub)) == 5
    for name in names:
        await program.stop_server("octocat", name)


async def test_d11_what_is_learned_meanwhile_counts(
    hub: Bench, program: HubClient, github: GitHub
) -> None:
    """Groups are those of the time when the token was asked for."""
    given = await token(hub)
    github.change(valid_since=time.time(), people={"octocat": {**PERSON, "organizations": []}})
    await another_token(hub, given)
    model = (await program.api("GET", "/users/octocat")).json()
    assert model["groups"] == []


async def test_a_provider_that_is_away_leaves_the_token(
    hub: Bench, program: HubClient, github: GitHub
) -> None:
    given = await token(hub)
    github.change(faults={"/user": {"status": 500}})
    await asyncio.sleep(3)
    assert await token(hub) == given
    github.change(valid_since=time.time())
    await another_token(hub, given)


async def test_a_hub_that_restarts_goes_on_with_it(
    hub: Bench, program: HubClient, github: GitHub
) -> None:
    given = await token(hub)
    hub.hub.kill_hub()
    github.change(valid_since=time.time())
    hub.hub.start_hub()
    await another_token(hub, given)


async def test_without_the_pod_there_is_no_secret(hub: Bench, program: HubClient) -> None:
    """The hub need not be there for it."""
    (pod,) = await hub.pods("octocat")
    metadata = pod["metadata"]
    async with await config.new_client_from_config(str(hub.hub.kubeconfig)) as api:
        core = client.CoreV1Api(api)
        await core.delete_namespaced_pod(metadata["name"], metadata["namespace"])
    async with asyncio.timeout(30):
        while True:
            if not await secrets(hub):
                break
            await asyncio.sleep(0.2)
