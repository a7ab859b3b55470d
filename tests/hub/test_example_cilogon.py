"""The hub of the example cilogon, with a provider of CILogon's shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kubespawner.slugs import safe_slug

from jhext.demo.proxy import Proxy
from tests.hub import examples
from tests.hub.example_logins import Login, example_with_provider
from tests.releases import CILOGON_HAS_IDPS

OURS = "https://idp.example.edu/shibboleth"
PARTNER = "https://idp.partner.example.org/shibboleth"
MEMBERS = "CO:COU:lab:members"


def at(idp: str, eppn: str, *groups: str, **more: Any) -> dict[str, Any]:
    subject = f"http://cilogon.org/serverA/users/{eppn}"
    return {"sub": subject, "idp": idp, "eppn": eppn, "isMemberOf": list(groups), **more}


PEOPLE = {
    "ann": at(OURS, "ann@example.edu", MEMBERS, uid="ann", uidNumber="20001"),
    "pia": at(PARTNER, "ann@partner.example.org", MEMBERS, uid="pia"),
    "ada": at(OURS, "ada@example.edu", "CO:COU:lab:admins", uid="ada"),
    "eve": at("https://idp.elsewhere.example", "ann@example.edu", MEMBERS, uid="ann"),
}


@pytest.fixture(scope="module")
def login(proxy: Proxy, request: pytest.FixtureRequest) -> Iterator[Login]:
    routes = {
        "authorization": "/authorize",
        "token": "/oauth2/token",
        "userinfo": "/oauth2/userinfo",
    }
    places = {
        "https://hub.example.org": "HUB",
        "cilogon_host: cilogon.org": "cilogon_host: PROVIDER",
        "cilogon:/client_id/0123456789abcdef": "hub",
        "/srv/jupyterhub/": "",
        "ann: {timeout: 8h}": "ann: {timeout: 3s}",
    }
    if not CILOGON_HAS_IDPS:
        places["      idps:"] = "      allowed_idps:"
    with example_with_provider(
        *("cilogon", proxy, request, PEOPLE),
        places=places,
        env={"CILOGON_CLIENT_SECRET": "local-only"},
        provider={"routes": routes},
    ) as login:
        yield login


async def test_member_of_the_institute(login: Login) -> None:
    async with login.entered("ann") as ann:
        assert (ann.offered, ann.groups) == ({"member", "large"}, {MEMBERS})
        pod = await examples.pod_of(login.bench, ann.client, "ann", "large")
        assert await examples.culled(login.bench, ann.client, "ann") == "idle"
    context = pod["spec"]["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (20001, 20001)
    assert examples.environment(pod)["HOME"] == "/home/jovyan"
    claim = examples.mounted(pod)["/home/jovyan"]["persistentVolumeClaim"]
    assert claim["claimName"] == "home-ann"
    assert pod["metadata"]["labels"]["jhext.io/profile"] == "large"


async def test_member_of_another_one_is_somebody_else_with_a_uid_of_their_own(login: Login) -> None:
    name = "partner:ann@partner.example.org"
    async with login.entered("pia", name) as pia:
        assert pia.offered == {"member"}
        assert await examples.start(pia.client, name, "large") == 403
        assert await examples.start(pia.client, name, "member") in (201, 202)
        await pia.client.wait_for_server(name)
        (pod,) = await login.bench.pods(safe_slug(name))
        await pia.client.stop_server(name)
    assert pod["spec"]["securityContext"]["runAsUser"] in range(3_000_000, 4_000_000)
    assert examples.environment(pod)["USER"] == "pia"


async def test_admins(login: Login) -> None:
    async with login.entered("ada") as ada:
        assert (ada.offered, ada.admin) == (set(), True)


async def test_nobody_else_gets_in(login: Login) -> None:
    assert await login.status_of("eve") == 403
    assert login.bench.unhandled == []
