"""Files in real pods: what one server has written, the next one has, and they are its owner's."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import pytest
import yaml

from jhext.demo.accounts import Account
from tests.cluster.bench import ClusterBench
from tests.cluster.conftest import RunHub
from tests.cluster.interpreter import PROFILES, run_in_new_server
from tests.cluster.kubernetes.kubeconfig import Node

PEOPLE = {"alice": {"uid": 3001, "gid": 3100}, "bob": {"uid": 3002, "gid": 3100}}
HOME = "/home/{username}"
WRITE = """\
import os, pathlib
home = pathlib.Path.home()
(home / "notes").mkdir()
(home / "notes" / "a.txt").write_text("written by the first server")
print(home, os.getcwd() == str(home))
"""
READ = """\
import json, os, pathlib
home = pathlib.Path.home()
found = home / "notes" / "a.txt"
print(json.dumps({
    "text": found.read_text() if found.exists() else "",
    "owner": [found.stat().st_uid, found.stat().st_gid] if found.exists() else [],
    "mine": [os.getuid(), os.getgid()],
    "others": sorted(entry.name for entry in home.parent.iterdir()),
}))
"""

Storage = dict[str, Any]
AddVolume = Callable[[Path, str, str], None]
# Claims of others, which ask for no class, could be given a volume that has none.
CLASS = "jhext-homes"


def by_claim(files: Path, add_volume: AddVolume, mark: str) -> Storage:
    for user in PEOPLE:
        add_volume(files / user, f"{mark}-{user}", "ReadWriteOnce")
    claim = {"storage_class": CLASS, "volume_name": f"{mark}-{{username}}"}
    return {"home": {"source": {"type": "claim"}}, "claims": {"home": claim}}


def by_shared_claim(files: Path, add_volume: AddVolume, mark: str) -> Storage:
    add_volume(files, mark, "ReadWriteMany")
    claim = {"storage_class": CLASS, "volume_name": mark, "access_modes": ["ReadWriteMany"]}
    return {
        "home": {"source": {"type": "shared_claim", "claim": "homes"}},
        "claims": {"homes": {"per": "hub", **claim}},
    }


def by_host_path(files: Path, add_volume: AddVolume, mark: str) -> Storage:
    return {"home": {"source": {"type": "host_path", "path": f"{files}/{{username}}"}}}


@pytest.fixture(scope="module")
def add_volume(node: Node) -> Iterator[AddVolume]:
    """Make volumes out of directories, and take them away afterwards."""
    names = []
    with node.client() as client:

        def add(directory: Path, name: str, mode: str) -> None:
            spec = {
                "capacity": {"storage": "1Gi"},
                "accessModes": [mode],
                "storageClassName": CLASS,
                "hostPath": {"path": str(directory), "type": "Directory"},
            }
            metadata = {"name": name}
            manifest = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata}
            post(client, manifest | {"spec": spec})
            names.append(name)

        yield add
        for name in names:
            client.delete(f"/api/v1/persistentvolumes/{name}").raise_for_status()


def post(client: httpx.Client, manifest: dict[str, Any]) -> None:
    client.post("/api/v1/persistentvolumes", json=manifest).raise_for_status()


@pytest.fixture(
    scope="module",
    params=[
        (by_claim, "notebook"),
        (by_shared_claim, "interpreter"),
        (by_host_path, "interpreter"),
    ],
    ids=["claim", "shared_claim", "host_path"],
)
def bench(
    request: pytest.FixtureRequest,
    run_hub: RunHub,
    node: Node,
    add_volume: AddVolume,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[ClusterBench, Path, str]:
    if node.off is None:
        pytest.skip("not on a cluster whose node does not see this machine's files")
    folder = tmp_path_factory.mktemp("homes")
    for part in (folder, *folder.parents):
        if part.stat().st_uid == os.geteuid() and part.name.startswith("pytest"):
            part.chmod(0o755)
    files = folder / "files"
    for user, ids in PEOPLE.items():
        (files / user).mkdir(parents=True)
        os.chown(files / user, ids["uid"], ids["gid"])
        (files / user).chmod(0o700)
    files.chmod(0o755)
    folder.chmod(0o755)
    people = folder / "people.yaml"
    people.write_text(yaml.safe_dump(PEOPLE))
    source, first = request.param
    storage = source(files, add_volume, f"jhext-{token_hex(4)}")
    storage["home"]["mount_path"] = HOME
    settings = {
        "profiles": PROFILES,
        "identity": {"sources": [{"type": "table", "path": str(people)}]},
        "storage": storage,
    }
    accounts = [Account(name=name, uid=ids["uid"]) for name, ids in PEOPLE.items()]
    return run_hub(accounts, settings), files, first


async def test_files_of_one_server_are_there_in_the_next(
    bench: tuple[ClusterBench, Path, str],
) -> None:
    hub, files, first = bench
    assert await run_in_new_server(hub, "alice", WRITE, first) == "/home/alice True"
    printed = await asyncio.gather(
        *(run_in_new_server(hub, user, READ, "interpreter") for user in ("alice", "bob"))
    )
    seen, of_bob = map(json.loads, printed)
    assert seen["text"] == "written by the first server"
    assert seen["owner"] == seen["mine"] == [3001, 3100]
    assert "bob" not in seen["others"]
    written = files / "alice" / "notes" / "a.txt"
    assert (written.stat().st_uid, written.stat().st_gid) == (3001, 3100)
    assert of_bob["text"] == ""
