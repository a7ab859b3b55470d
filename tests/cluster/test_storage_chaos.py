"""Starts and deletions in any order while the API server misbehaves: no file is lost."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kubernetes_asyncio.client.exceptions import ApiException
from kubernetes_asyncio.client.rest import RESTClientObject

from jhext.errors import SpawnRefused
from jhext.settings import load_settings
from jhext.storage import labels
from tests.cluster import little_hub
from tests.cluster.kubernetes.kubeconfig import Cluster
from tests.cluster.little_hub import LittleHub, Ours, little_hubs
from tests.cluster.test_storage_traps import home_in

USERS = [f"user-{number}" for number in range(46)] + ["Ann", "ann", "a@b", "测试"]
ROUNDS = 200
SHARE_OF_FAULTS = 0.2
QUOTA = "persistentvolumeclaims is forbidden: exceeded quota: q, requested: x, used: y, limited: z"
CLAIM = {
    "per": "server",
    "name": "claim-{user_server}",
    "retention": "delete_with_server",
}


class Faults:
    """What goes wrong with requests about claims and pods; before it is carried out, or after.

    Attributes
    ----------
    count
        How many there were.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.count = 0
        self.on = False

    async def pass_on(self, request: Any, method: str, url: str) -> Any:
        plural = next((p for p in ("persistentvolumeclaims", "pods") if p in url), "")
        if not (self.on and plural) or self._chance.random() > SHARE_OF_FAULTS:
            return await request()
        self.count += 1
        if self._chance.random() < 0.5:
            await request()  # it is carried out, and nobody hears of it
            raise TimeoutError
        status, message = self._chance.choice(
            [(409, "the object has been modified"), (403, QUOTA), (500, "etcd"), (0, "")]
        )
        if not status:
            raise TimeoutError
        error = ApiException(status=status, reason="injected")
        error.body = json.dumps({"kind": "Status", "message": message}).encode()
        raise error


@contextmanager
def injected(faults: Faults) -> Iterator[None]:
    """Have all of KubeSpawner's requests go through the faults, watches left out."""
    before = RESTClientObject.request

    async def request(self: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        async def really() -> Any:
            return await before(self, method, url, *args, **kwargs)

        query = kwargs.get("query_params") or ()
        if any(name == "watch" for name, _ in query):
            return await really()
        return await faults.pass_on(really, method, url)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RESTClientObject, "request", request)
        patch.setattr(little_hub, "PATIENCE", 2)
        yield


@pytest.fixture
async def hub(apiserver: Cluster) -> AsyncIterator[LittleHub]:
    storage = {"home": {"source": {"type": "claim"}}, "claims": {"home": CLAIM}}
    async with little_hubs(apiserver) as make:
        yield make(Ours, settings=load_settings({"storage": storage}), default_access="allow")


async def test_no_claim_is_lost_and_none_is_without_an_owner(hub: LittleHub) -> None:
    chance = random.Random(8)
    faults = Faults(chance)
    uids: dict[str, str] = {}  # what people work in, until they are deleted
    failures: list[SpawnRefused] = []

    async def once(user: str) -> None:
        try:
            home = home_in(await hub.start(user))
        except SpawnRefused as error:
            failures.append(error)
            return
        claim = hub.claims()[home]
        assert labels.annotations_of(claim)[labels.OWNER] == user
        assert uids.setdefault(user, claim["metadata"]["uid"]) == claim["metadata"]["uid"]
        await stop(user)

    async def stop(user: str) -> None:
        faults.on = False  # a pod that cannot be stopped is not what this is about
        await hub.stop(user)
        faults.on = True

    with injected(faults):
        faults.on = True
        for _ in range(ROUNDS):
            user = chance.choice(USERS)
            if user in hub.users and chance.random() < 0.25:
                await hub.delete_user(user)
                uids.pop(user, None)
                hub.let_go()
            else:
                await once(user)
        faults.on = False
    left = hub.claims()
    assert faults.count > ROUNDS / 4
    assert {claim["metadata"]["uid"] for claim in left.values()} >= set(uids.values())
    for claim in left.values():
        assert labels.annotations_of(claim)[labels.OWNER] in USERS
        assert labels.labels_of(claim)[labels.CLAIM] == "home"
        assert labels.labels_of(claim)[labels.RETENTION] == "delete_with_server"
    for error in failures:
        assert error.refusal.message
        assert "Traceback" not in error.refusal.message
        assert error.refusal.message[0].isupper()
        assert error.refusal.message.endswith(".")
