"""The hub of the example openshift, with OpenShift's login and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes_asyncio import client, config
from sqlalchemy import make_url

from jhext.demo.proxy import Proxy
from tests import postgres
from tests.hub import examples
from tests.hub.example_logins import Login, example_with_provider
from tests.pod_security import violations

MAPPINGS = examples.EXAMPLES / "openshift" / "user-profile-mappings"
TYPES = [f"notebook-cpu-type{number}" for number in range(4)]


def at_openshift(name: str, *groups: str, uid: str = "") -> dict[str, Any]:
    metadata = {"name": name, "uid": uid or f"uid-of-{name}"}
    return {"metadata": metadata, "groups": [*groups, "system:authenticated"]}


PEOPLE = {
    "user1": at_openshift("user1"),
    "user3": at_openshift("user3"),
    "user4": at_openshift("user4"),
    "member": at_openshift("member", "datascience"),
    "eve": at_openshift("eve"),
    "mallory": at_openshift("user1", uid="of-another"),
}


@pytest.fixture(scope="module")
def login(proxy: Proxy, request: pytest.FixtureRequest) -> Iterator[Login]:
    programs = postgres.binaries()
    if programs is None:
        pytest.skip(postgres.NEEDED)
    with postgres.running(programs) as address:
        database = make_url(postgres.new_database(address))
        there = "{host: db, name: jupyterhub, user: jupyterhub,"
        here = f"host: {database.host}, port: {database.port}, name: {database.database}"
        places = {
            "oauth-openshift.apps.example.org": "PROVIDER",
            "kubernetes.default.svc": "PROVIDER",
            "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt": "CA_FILE",
            "system:serviceaccount:jhub:hub": "hub",
            "https://jupyter.apps.example.org": "HUB",
            there: f"{{{here}, user: {database.username}, drivername: postgresql+psycopg,",
            "notebook-gpu-type0: {timeout: 1h": "notebook-gpu-type0: {timeout: 3s",
        }
        env = {
            "JUPYTERHUB_COOKIE_SECRET": "11" * 32,
            "DATABASE_PASSWORD": str(database.password),
            "NOTEBOOK_IMAGE": "quay.io/jupyter/scipy-notebook:2025-09-30",
        }
        routes = {"authorization": "/oauth/authorize", "token": "/oauth/token"}
        with example_with_provider(
            *("openshift", proxy, request, PEOPLE),
            places=places,
            env=env,
            provider={"routes": routes},
        ) as login:
            yield login


async def test_mapping_says_who_has_what(login: Login) -> None:
    for name, offered in {
        "user1": {TYPES[0], TYPES[1], TYPES[2]},
        "user3": {TYPES[0], TYPES[2], TYPES[3]},
        "member": {TYPES[0]},
    }.items():
        async with login.entered(name) as person:
            assert person.offered == offered
            assert person.admin == (name == "user1")
            assert await examples.start(person.client, name, "notebook-gpu-type0") == 403
        assert await login.bench.pods(name) == []


async def test_pod_under_the_restricted_scc(login: Login) -> None:
    async with login.entered("user4") as user:
        assert user.offered == {TYPES[0], "notebook-gpu-type0"}
        pod = await examples.pod_of(login.bench, user.client, "user4", "notebook-gpu-type0")
        async with await config.new_client_from_config(str(login.bench.hub.kubeconfig)) as api:
            claims = await client.CoreV1Api(api).list_persistent_volume_claim_for_all_namespaces(
                label_selector="app=jupyterhub"
            )
        assert await examples.culled(login.bench, user.client, "user4") == "idle"
    assert violations(pod) == []
    spec = pod["spec"]
    contexts = [spec["securityContext"], *(one["securityContext"] for one in spec["containers"])]
    assert not any({"runAsUser", "runAsGroup", "fsGroup"} & context.keys() for context in contexts)
    assert spec["securityContext"]["supplementalGroups"] == [100]
    home = examples.mounted(pod)["/home/jovyan"]["persistentVolumeClaim"]["claimName"]
    assert home in [claim.metadata.name for claim in claims.items]
    labels = pod["metadata"]["labels"]
    expected = {
        "app": "jupyterhub",
        "component": "singleuser-server",
        "hub.jupyter.org/username": "user4",
        "jhext.io/profile": "notebook-gpu-type0",
    }
    assert expected.items() <= labels.items()
    assert spec["containers"][0]["image"] == "quay.io/jupyter/scipy-notebook:2025-09-30"
    assert examples.environment(pod)["NB_UMASK"] == "002"
    assert spec["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    keys = [toleration["key"] for toleration in spec["tolerations"]]
    assert keys == ["datascience-node", "nvidia.com/gpu"]


async def test_nobody_else_gets_in(login: Login) -> None:
    """Not who is on no list, and not who has the name of somebody else."""
    async with login.entered("user1"):
        pass
    assert await login.status_of("eve") == 403
    assert await login.status_of("mallory") == 403
    assert login.bench.unhandled == []
