"""The hub of the example nfs-institute, with its web service and its NFS server."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from jhext.demo.processes import free_port
from jhext.demo.proxy import Proxy
from tests.hub import examples
from tests.hub.example_logins import Login, example_with_provider
from tests.hub.identity_service import IdentityService

NFS = "nfs.example.org"
GROUPS = {"ann": ["institute", "scientists", "exp-42"], "bob": ["institute"], "eve": []}
SHARED = [{"name": "exp-42", "gid": 4200}]
PEOPLE: dict[str, dict[str, Any]] = {
    "ann": {"uid": 20001, "gid": 3000, "home": "/u/a/ann", "name": "Ann", "groups": SHARED},
    "bob": {"uid": 20002, "gid": 3000, "home": "/nfs/2/bob"},
    "lost": {"uid": 20003, "gid": 3000},
    "root": {"uid": 0, "gid": 0, "home": "/u/r/root"},
    "away": {"uid": 20004, "gid": 3000, "home": "/u/../etc"},
}
EXPORTED = {
    "u/a/ann": 20001,
    "nfs/2/bob": 20002,
    "experiments/datasets": 0,
    "experiments/outputs/exp-42": 4200,
    "experiments/raw/exp-42": 4200,
}


AUTHORIZATION = "Bearer of-the-hub"


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def login(proxy: Proxy, request: pytest.FixtureRequest, port: int) -> Iterator[Login]:
    routes = {"authorization": "/authorize", "token": "/token", "userinfo": "/userinfo"}
    places = {
        "https://hub.example.org": "HUB",
        "idp.example.org": "PROVIDER",
        "ids.example.org": f"127.0.0.1:{port}",
        "/etc/ssl/certs/ca-certificates.crt": "CA_FILE",
        "scientists: {timeout: 8h}": "scientists: {timeout: 3s}",
        "cull_every: 5m": "cull_every: 1s",
    }
    logins = (*PEOPLE, "stranger", "new", "eve")
    people = {name: {"groups": GROUPS.get(name, ["institute"])} for name in logins}
    with example_with_provider(
        *("nfs-institute", proxy, request, people),
        places=places,
        env={"IDS_AUTHORIZATION": AUTHORIZATION},
        provider={"routes": routes},
    ) as login:
        exports = login.bench.hub.kubeconfig.parent / "nfs" / NFS / "exports"
        for path, owner in EXPORTED.items():
            (exports / path).mkdir(parents=True)
            if os.geteuid() == 0:
                os.chown(exports / path, owner, owner)
        yield login


@pytest.fixture
async def service(login: Login, port: int) -> AsyncIterator[IdentityService]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(login.tls.certificate, login.tls.key)
    async with IdentityService(port, PEOPLE, context, AUTHORIZATION) as service:
        yield service


def nfs(pod: Any) -> dict[str, str]:
    """Give what of the NFS server is mounted where."""
    mounted = examples.mounted(pod)
    return {place: mount["nfs"]["path"] for place, mount in mounted.items() if "nfs" in mount}


async def test_scientist_at_home_and_with_the_outputs_of_her_experiment(
    login: Login, service: IdentityService
) -> None:
    async with login.entered("ann") as ann:
        assert ann.offered == {"small", "large", "exp-42"}
        pod = await examples.pod_of(login.bench, ann.client, "ann", "large")
        assert await examples.culled(login.bench, ann.client, "ann") == "idle"
    context = pod["spec"]["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (20001, 3000)
    assert context["supplementalGroups"] == [100, 4200]
    assert "fsGroup" not in context
    mounted = examples.mounted(pod)
    assert nfs(pod) == {
        "/home/ann": "/exports/u/a/ann",
        "/experiments/datasets": "/exports/experiments/datasets",
        "/experiments/outputs/exp-42": "/exports/experiments/outputs",
    }
    assert mounted["/experiments/datasets"]["readOnly"]
    assert mounted["/experiments/outputs/exp-42"]["subPath"] == "exp-42"
    environment = examples.environment(pod)
    assert environment["HOME"] == "/home/ann"
    assert "hub" in environment["no_proxy"].split(",")
    assert pod["metadata"]["labels"]["jhext.io/profile"] == "large"


async def test_server_of_the_experiment_runs_as_the_experiment(
    login: Login, service: IdentityService
) -> None:
    async with login.entered("ann") as ann:
        pod = await examples.pod_of(login.bench, ann.client, "ann", "exp-42")
        await ann.client.stop_server("ann")
    context = pod["spec"]["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (4200, 4200)
    assert nfs(pod)["/experiments/exp-42"] == "/exports/experiments/raw/exp-42"
    assert login.bench.decisions()[-1]["acts_as"] == "4200:4200"


async def test_home_under_another_root(login: Login, service: IdentityService) -> None:
    async with login.entered("bob") as bob:
        assert bob.offered == {"small"}
        assert await examples.start(bob.client, "bob", "exp-42") == 403
        pod = await examples.pod_of(login.bench, bob.client, "bob", "small")
        await bob.client.stop_server("bob")
    assert nfs(pod) == {
        "/home/bob": "/exports/nfs/2/bob",
        "/experiments/datasets": "/exports/experiments/datasets",
    }


@pytest.mark.parametrize("name", ["stranger", "lost", "root", "away"])
async def test_nobody_starts_without_ids_or_home(
    login: Login, service: IdentityService, name: str
) -> None:
    async with login.entered(name) as person:
        assert await examples.start(person.client, name, "small") == 403
    assert await login.bench.pods(name) == []


async def test_while_the_service_is_away_nobody_new_starts(login: Login) -> None:
    async with login.entered("new") as new:
        assert await examples.start(new.client, "new", "small") == 503
    assert await login.bench.pods("new") == []


async def test_nobody_else_gets_in(login: Login) -> None:
    assert await login.status_of("eve") == 403
