"""A claim whose volume is gone: nobody works in it, and the documented way out of that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from jhext.cli import application
from jhext.settings import load_settings
from jhext.storage.errors import StorageReason
from tests.cluster.kubernetes.kubeconfig import Cluster
from tests.cluster.little_hub import LittleHub, Ours, little_hubs
from tests.cluster.test_storage_traps import refusal_of, start_and_stop

STORAGE: dict[str, Any] = {
    "home": {"source": {"type": "claim"}, "mount_path": "/home/jovyan"},
    "claims": {"home": {"name": "claim-{username}", "retention": "delete_with_user"}},
}


@pytest.fixture
async def hub(
    apiserver: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LittleHub]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jhext.yaml").write_text(yaml.safe_dump({"storage": STORAGE}))
    async with little_hubs(apiserver) as make:
        yield make(Ours, settings=load_settings({"storage": STORAGE}), default_access="allow")


async def administer(hub: LittleHub, cluster: Cluster, *arguments: str) -> None:
    """Run a command of ``jhext storage``, and confirm it."""
    there = ["--namespace", hub.namespace, "--kubeconfig", str(cluster.kubeconfig), "--yes"]
    command = ["storage", *arguments, *there]
    done = await asyncio.to_thread(CliRunner().invoke, application(), command)
    assert done.exit_code == 0, done.output
    hub.let_go()


async def test_lost_claim_is_refused_until_another_is_in_its_place(
    hub: LittleHub, apiserver: Cluster
) -> None:
    name = await start_and_stop(hub, "alice")
    hub.patch(name, {"status": {"phase": "Lost"}}, "status")
    before = hub.claims()
    for _ in range(2):
        refusal = await refusal_of(hub, "alice")
        assert refusal.reason is StorageReason.LOST
        assert f"The volume {name} with your files has lost its data" in refusal.message
    uids = {name: claim["metadata"]["uid"] for name, claim in hub.claims().items()}
    assert uids == {name: before[name]["metadata"]["uid"]}, "nothing is made, or deleted"
    remove, adopt = refusal.detail.partition(": ")[2].split("; ")
    spec = before[name]["spec"]
    spec.pop("volumeName", None)
    restored = {"metadata": {"name": "restored"}, "spec": spec}
    hub.create_claim({"apiVersion": "v1", "kind": "PersistentVolumeClaim", **restored})
    for command in (remove, adopt.replace("OTHER", "restored")):
        await administer(hub, apiserver, *command.split()[2:])
    assert await start_and_stop(hub, "alice") == "restored"
    assert set(hub.claims()) == {"restored"}
