"""The hub of the example oidc-keycloak, with a provider of Keycloak's shape."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import yaml

from jhext.demo.proxy import Proxy
from tests.hub import examples
from tests.hub.example_logins import Login, example_with_provider

FOLDER = examples.EXAMPLES / "oidc-keycloak"
REALM, ENDPOINTS = "/realms/lab", "/protocol/openid-connect"
PEOPLE = {
    "ann": {"groups": ["/lab", "/lab/gpu"], "uid_number": 20001, "gid_number": 30000},
    "ada": {"groups": ["/lab", "/lab/admins"], "uid_number": 20002, "gid_number": 30000},
    "ina": {"groups": ["/lab", "/lab/gpu", "/lab/interns"], "uid_number": 7, "gid_number": 30000},
    "eve": {"groups": ["/other/lab"], "uid_number": 20004, "gid_number": 30000},
}


@pytest.fixture(scope="module")
def login(proxy: Proxy, request: pytest.FixtureRequest) -> Iterator[Login]:
    paths = {"authorization": "auth", "token": "token", "userinfo": "userinfo", "jwks": "certs"}
    shape = {"routes": {name: f"{ENDPOINTS}/{path}" for name, path in paths.items()}}
    # The provider of the tests gives groups and numbers for scopes, where Keycloak has mappers.
    places = {
        "https://hub.example.org": "HUB",
        "idp.example.org": "PROVIDER",
        "[openid, profile, email]": "[openid, profile, email, groups, posix]",
        "gpu: {timeout: 30m": "gpu: {timeout: 3s",
    }
    with example_with_provider(
        *("oidc-keycloak", proxy, request, PEOPLE),
        places=places,
        provider={"prefix": REALM, **shape},
    ) as login:
        yield login


async def test_member_starts_what_her_groups_may_as_herself(login: Login) -> None:
    async with login.entered("ann") as ann:
        assert (ann.offered, ann.admin) == ({"small", "gpu"}, False)
        assert ann.groups == {"/lab", "/lab/gpu"}
        pod = await examples.pod_of(login.bench, ann.client, "ann", "gpu")
        assert await examples.culled(login.bench, ann.client, "ann") == "idle"
    context = pod["spec"]["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (20001, 30000)
    assert 100 in context["supplementalGroups"], "docker-stacks images are the group's"
    home = examples.mounted(pod)["/home/ann"]
    assert home["persistentVolumeClaim"]["claimName"] == "home-ann"
    assert pod["metadata"]["labels"]["jhext.io/profile"] == "gpu"
    assert pod["spec"]["tolerations"][0]["key"] == "nvidia.com/gpu"


async def test_admins_and_blocked_people(login: Login) -> None:
    async with login.entered("ada") as ada:
        assert (ada.offered, ada.admin) == ({"small"}, True)
        assert await examples.start(ada.client, "ada", "gpu") == 403
    async with login.entered("ina") as ina:
        assert ina.offered == {"small"}
        assert await examples.start(ina.client, "ina", "small") == 403, "uid 7 is the system's"
    assert not await login.bench.pods("ina")


async def test_nobody_else_gets_in(login: Login) -> None:
    assert await login.status_of("eve") == 403
    assert login.bench.unhandled == []


def test_client_says_what_the_hub_reads() -> None:
    """Where both files are changed one has to fit the other."""
    client = json.loads((FOLDER / "client.json").read_text())
    settings = yaml.safe_load((FOLDER / "jhext.yaml").read_text())
    hub = settings["hub"]
    assert client["redirectUris"] == [f"{hub['public_url']}hub/oauth_callback"]
    assert client["clientId"] == hub["config"]["GenericOAuthenticator"]["client_id"]
    mappers = [mapper["config"] for mapper in client["protocolMappers"]]
    assert {mapper["userinfo.token.claim"] for mapper in mappers} == {"true"}
    (source,) = settings["identity"]["sources"]
    read = {pointer.removeprefix("/oauth_user/") for pointer in source["fields"].values()}
    _, groups = hub["config"]["GenericOAuthenticator"]["auth_state_groups_key"].split(".")
    standard = {"sub", "name", "email"}  # of the scopes openid, profile, email
    assert {mapper["claim.name"] for mapper in mappers} == (read | {groups}) - standard
