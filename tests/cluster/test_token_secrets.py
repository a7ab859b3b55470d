"""The Secret of a server's token: made with it, kept current, gone with it; never another's."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from jhext.delegation.mount import VOLUME
from jhext.delegation.secret import name_of, secret_of
from jhext.errors import SpawnRefused
from jhext.refusal import Reason
from jhext.settings import load_settings
from jhext.storage.labels import OWNER
from tests.cluster.kubernetes.kubeconfig import Cluster
from tests.cluster.little_hub import LittleHub, Make, Ours, little_hubs

SETTINGS = {
    "profiles": [{"display_name": "Any", "allow_all": True}],
    "identity": {"mode": "platform"},
    "pod": {"token": {"git_urls": ["https://git.example.org"], "refresh": 600}},
}
FIRST, SECOND = "gho_first", "gho_second"


class Provider:
    """An authenticator: what it says of somebody who is asked about again."""

    auth_refresh_age = 300
    manage_groups = manage_roles = False
    enable_auth_state = True
    reconcile_auth_state_hook = None

    def __init__(self, answer: Any, *, hangs: bool = False) -> None:
        self.answer = answer
        self.asked = 0
        self._hangs = hangs

    async def refresh_user(self, user: Any, handler: Any) -> Any:
        self.asked += 1
        if self._hangs:
            await asyncio.Event().wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
async def make(apiserver: Cluster) -> AsyncIterator[Make]:
    async with little_hubs(apiserver) as made:
        yield made


@pytest.fixture
def hub(make: Make) -> LittleHub:
    hub = make(Ours, settings=load_settings(SETTINGS))
    hub.user("ann").auth_state = {"access_token": FIRST}
    return hub


def secrets(hub: LittleHub) -> dict[str, Any]:
    """Return the Secrets of tokens."""
    items = hub.api.get(hub.path("secrets")).raise_for_status().json()["items"]
    found = {item["metadata"]["name"]: item for item in items}
    return {name: item for name, item in found.items() if name.startswith("jhext-token-")}


def token_in(secret: Any) -> str:
    return base64.b64decode(secret["data"]["token"]).decode()


def create(hub: LittleHub, secret: Any) -> None:
    hub.api.post(hub.path("secrets"), json=secret).raise_for_status()


async def test_it_is_there_while_the_server_is(hub: LittleHub) -> None:
    pod = await hub.start("ann")
    (secret,) = secrets(hub).values()
    assert token_in(secret) == FIRST
    (owner,) = secret["metadata"]["ownerReferences"]
    assert owner["uid"] == pod["metadata"]["uid"]
    (volume,) = (item for item in pod["spec"]["volumes"] if item["name"] == VOLUME)
    assert volume["secret"]["secretName"] == secret["metadata"]["name"]
    await hub.stop("ann")
    assert secrets(hub) == {}


async def test_each_server_has_its_own(hub: LittleHub) -> None:
    hub.user("ann-").auth_state = {"access_token": SECOND}
    for user, server in (("ann", ""), ("ann", "gpu"), ("ann-", "")):
        await hub.start(user, server)
    found = {name: token_in(secret) for name, secret in secrets(hub).items()}
    assert found[name_of("ann", "gpu")] == FIRST
    assert found[name_of("ann-", "")] == SECOND
    await hub.stop("ann", "gpu")
    assert set(secrets(hub)) == {name_of("ann", ""), name_of("ann-", "")}
    await hub.stop("ann")
    await hub.stop("ann-")


async def test_d24_it_is_in_the_secret_and_nowhere_else(
    hub: LittleHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="jupyterhub")
    caplog.set_level(logging.DEBUG, logger="traitlets")
    pod = await hub.start("ann")
    everything = str([pod, hub.user("ann").orm_spawners[""].state, caplog.text])
    encoded = base64.b64encode(FIRST.encode()).decode()
    assert FIRST not in everything
    assert encoded not in everything
    await hub.stop("ann")


async def test_one_that_is_left_over_is_replaced(hub: LittleHub) -> None:
    old = secret_of("ann", "", {"token": "b2xk"})
    gone = {"apiVersion": "v1", "kind": "Pod", "name": "jupyter-ann", "uid": "0-0"}
    old["metadata"]["ownerReferences"] = [gone]
    create(hub, old)
    await hub.start("ann")
    (secret,) = secrets(hub).values()
    assert token_in(secret) == FIRST
    await hub.stop("ann")
    assert secrets(hub) == {}


@pytest.mark.parametrize("owner", ["bob", "Ann", ""])
async def test_d26_another_persons_is_never_touched(hub: LittleHub, owner: str) -> None:
    theirs = secret_of(owner, "", {"token": "dGhlaXJz"})
    theirs["metadata"]["name"] = name_of("ann", "")
    if not owner:
        del theirs["metadata"]["labels"]  # an administrator's
    create(hub, theirs)
    before = secrets(hub)
    with pytest.raises(SpawnRefused) as refused:
        await hub.start("ann")
    assert refused.value.refusal.reason is Reason.CONFIG
    assert secrets(hub) == before


def forbid_pods(hub: LittleHub) -> None:
    quota = {
        "kind": "ResourceQuota",
        "metadata": {"name": "none"},
        "spec": {"hard": {"pods": "0"}},
    }
    path = hub.path("resourcequotas")
    hub.api.post(path, json=quota).raise_for_status()
    body = {"status": {"hard": {"pods": "0"}, "used": {"pods": "0"}}}
    headers = {"Content-Type": "application/merge-patch+json"}
    hub.api.patch(f"{path}/none/status", json=body, headers=headers).raise_for_status()


async def test_a_start_that_fails_leaves_none(hub: LittleHub) -> None:
    forbid_pods(hub)
    spawner = hub.spawner("ann")
    with pytest.raises(SpawnRefused) as refused:
        await spawner.start()  # JupyterHub does not stop what has no pod
    assert refused.value.refusal.reason is Reason.QUOTA
    assert secrets(hub) == {}


async def test_one_that_went_with_its_pod_is_forgotten(hub: LittleHub) -> None:
    """JupyterHub stops no server whose pod is gone; the next start has no token."""
    spawner = hub.spawner("ann")
    await spawner.start()
    for kind, name in (("pods", spawner.pod_name), ("secrets", name_of("ann", ""))):
        hub.api.delete(hub.path(kind, name)).raise_for_status()
    spawner.clear_state()
    hub.user("ann").auth_state = None
    await spawner.start()
    assert VOLUME not in str(hub.get("pods", spawner.pod_name))
    await spawner.stop(True)


@pytest.fixture
def undeletable(hub: LittleHub) -> Iterator[None]:
    """Have the API server fail with each request to delete the Secret of Tom."""
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    owner = secret_of("tom", "", {})["metadata"]["labels"][OWNER]
    rule = {"operations": ["DELETE"], "resources": ["secrets"], "apiGroups": [""]}
    webhook = {
        "name": "nobody.example.org",
        "clientConfig": {"url": "https://127.0.0.1:9/"},
        "rules": [{**rule, "apiVersions": ["v1"]}],
        "objectSelector": {"matchLabels": {OWNER: owner}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    body = {"metadata": {"name": "undeletable"}, "webhooks": [webhook]}
    hub.api.post(path, json=body).raise_for_status()
    probe = secret_of("tom", "probe", {})
    create(hub, probe)
    url = hub.path("secrets", probe["metadata"]["name"])
    while hub.api.delete(url, params={"dryRun": "All"}).status_code != 500:  # soon it is in force
        time.sleep(0.1)
    yield
    hub.api.delete(f"{path}/undeletable").raise_for_status()
    while hub.api.delete(url).status_code == 500:
        time.sleep(0.1)


@pytest.mark.usefixtures("undeletable")
async def test_one_that_cannot_be_deleted_is_told_and_hides_nothing(
    hub: LittleHub, caplog: pytest.LogCaptureFixture
) -> None:
    """It goes with its pod; the reason of a start that failed stays the one that is told."""
    hub.user("tom").auth_state = {"access_token": FIRST}
    spawner = hub.spawner("tom", k8s_api_request_retry_timeout=1)
    await spawner.start()
    await spawner.stop(True)
    assert caplog.text.count("is not deleted") == 1
    forbid_pods(hub)
    spawner = hub.spawner("tom", "other", k8s_api_request_retry_timeout=1)
    with pytest.raises(SpawnRefused) as refused:
        await spawner.start()
    assert refused.value.refusal.reason is Reason.QUOTA
    assert caplog.text.count("is not deleted") == 2
    assert {name_of("tom", ""), name_of("tom", "other")} <= set(secrets(hub))


@pytest.mark.parametrize("auth_state", [None, {}, {"access_token": "two words"}])
async def test_without_a_token_the_server_starts_without_one(
    hub: LittleHub, auth_state: Any, caplog: pytest.LogCaptureFixture
) -> None:
    hub.user("ann").auth_state = auth_state
    pod = await hub.start("ann")
    assert VOLUME not in str(pod)
    assert secrets(hub) == {}
    assert "has no token at /access_token" in caplog.text
    await hub.stop("ann")


async def test_a_token_that_is_gone_is_not_mounted_at_the_next_start(hub: LittleHub) -> None:
    spawner = hub.spawner("ann")
    await spawner.start()
    await spawner.stop(True)
    spawner.clear_state()
    hub.user("ann").auth_state = None
    await spawner.start()
    assert VOLUME not in str(hub.get("pods", spawner.pod_name))
    await spawner.stop(True)


# While it runs


@pytest.fixture
async def running(hub: LittleHub) -> AsyncIterator[Any]:
    user: Any = hub.user("ann")
    user._auth_refreshed = asyncio.get_running_loop().time()
    user.authenticator = Provider(True)
    await hub.start("ann")
    yield hub.running["ann", ""]
    await hub.stop("ann")


def token_of(hub: LittleHub) -> str:
    return token_in(secrets(hub)[name_of("ann", "")])


async def test_what_a_request_has_brought_is_delivered(hub: LittleHub, running: Any) -> None:
    before = secrets(hub)
    await running.poll_and_notify()
    assert secrets(hub) == before
    hub.user("ann").auth_state = {"access_token": SECOND}
    await running.poll_and_notify()
    assert token_of(hub) == SECOND
    assert secrets(hub)[name_of("ann", "")]["metadata"]["ownerReferences"]
    assert hub.user("ann").authenticator.asked == 0


async def test_the_provider_is_asked_where_nobody_else_does(hub: LittleHub, running: Any) -> None:
    user: Any = hub.user("ann")
    user._auth_refreshed -= 601
    for _ in range(3):
        await running.poll_and_notify()
    assert user.authenticator.asked == 1


async def test_it_is_not_asked_where_refreshes_are_switched_off(
    hub: LittleHub, running: Any
) -> None:
    user: Any = hub.user("ann")
    user._auth_refreshed, user.authenticator.auth_refresh_age = None, 0
    await running.poll_and_notify()
    assert user.authenticator.asked == 0


@pytest.mark.parametrize("answer", [None, False, ValueError(f"wrong: {SECOND}")])
async def test_d24_a_provider_that_fails_changes_nothing(
    hub: LittleHub, running: Any, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    user: Any = hub.user("ann")
    user._auth_refreshed, user.authenticator = None, Provider(answer)
    await running.poll_and_notify()
    assert (user.authenticator.asked, user._auth_refreshed) == (1, None)
    assert token_of(hub) == FIRST
    assert SECOND not in caplog.text
    assert ("is as before: ValueError" in caplog.text) == isinstance(answer, Exception)


async def test_d31_a_provider_that_hangs_holds_up_no_poll(
    hub: LittleHub, running: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jhext.delegating._DEADLINE", 0.2)
    user: Any = hub.user("ann")
    user._auth_refreshed, user.authenticator = None, Provider(True, hangs=True)
    async with asyncio.timeout(20):
        assert await running.poll_and_notify() is None
    assert "is as before: TimeoutError" in caplog.text
    assert token_of(hub) == FIRST


async def test_a_logout_takes_no_token_away(hub: LittleHub, running: Any) -> None:
    hub.user("ann").auth_state = None
    await running.poll_and_notify()
    assert token_of(hub) == FIRST


async def test_after_a_restart_of_the_hub_it_goes_on(hub: LittleHub, running: Any) -> None:
    again = hub.spawner("ann")
    hub.user("ann").auth_state = {"access_token": SECOND}
    await again.poll_and_notify()
    assert token_of(hub) == SECOND
    hub.running["ann", ""] = again  # which deletes it


async def test_d26_one_that_took_its_place_is_never_changed(
    hub: LittleHub, running: Any, caplog: pytest.LogCaptureFixture
) -> None:
    name = name_of("ann", "")
    hub.api.delete(hub.path("secrets", name)).raise_for_status()
    theirs = secret_of("bob", "", {"token": "dGhlaXJz"})
    theirs["metadata"]["name"] = name
    create(hub, theirs)
    before = secrets(hub)
    hub.user("ann").auth_state = {"access_token": SECOND}
    await running.poll_and_notify()
    await running.stop(True)
    assert secrets(hub) == before
    assert "is as before" in caplog.text
