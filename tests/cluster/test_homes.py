"""Files in real pods: what one server has written, the next one has, and they are its owner's."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
import yaml

from tests.cluster.bench import ClusterBench
from tests.cluster.conftest import RunHub
from tests.cluster.interpreter import PROFILES, run_in_new_server
from tests.cluster.kubernetes.kubeconfig import Node
from tests.cluster.several import run_several
from tests.cluster.volumes import AddVolume, volumes_of

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
# Claims of others, which ask for no class, could be given a volume that has none.
CLASS = "jhext-homes"

Storage = dict[str, Any]


def by_claim(files: Path, add_volume: AddVolume, mark: str) -> Storage:
    for user in ("claim-alice", "claim-bob"):
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


KINDS: dict[str, Callable[[Path, AddVolume, str], Storage]] = {
    "claim": by_claim,
    "shared": by_shared_claim,
    "path": by_host_path,
}
PEOPLE = {
    f"{kind}-{name}": {"uid": 3001 + number + 10 * offset, "gid": 3100}
    for number, kind in enumerate(KINDS)
    for offset, name in enumerate(("alice", "bob"))
}


@dataclass(frozen=True)
class Seen:
    """What was printed by alice's first server, her second, and bob's only one."""

    first: str
    again: dict[str, Any]
    of_bob: dict[str, Any]


@pytest.fixture(scope="module")
def add_volume(node: Node) -> Iterator[AddVolume]:
    with node.client() as client, volumes_of(client, CLASS) as add:
        yield add


@pytest.fixture(scope="module")
def files(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a home for everybody, as somebody who looks after a file system does."""
    if node.off is None:
        pytest.skip("not on a cluster whose node does not see this machine's files")
    files = tmp_path_factory.mktemp("homes") / "files"
    for user, ids in PEOPLE.items():
        (files / user).mkdir(parents=True)
        os.chown(files / user, ids["uid"], ids["gid"])
        (files / user).chmod(0o700)
    return files


@pytest.fixture(scope="module")
def seen(run_hub: RunHub, files: Path, add_volume: AddVolume) -> dict[str, Seen]:
    folder = files.parent
    (folder / "people.yaml").write_text(yaml.safe_dump(PEOPLE))
    several = {}
    for kind, storage_of in KINDS.items():
        storage = storage_of(files, add_volume, f"jhext-{token_hex(4)}")
        storage["home"]["mount_path"] = HOME
        several[kind] = {
            "profiles": PROFILES,
            "identity": {"sources": [{"type": "table", "path": str(folder / "people.yaml")}]},
            "storage": storage,
        }
    hub = run_several(run_hub, folder, PEOPLE, several)

    async def all_at_once() -> list[Seen]:
        return await asyncio.gather(*(life(hub, kind) for kind in KINDS))

    return dict(zip(KINDS, asyncio.run(all_at_once()), strict=True))


async def life(hub: ClusterBench, kind: str) -> Seen:
    alice, bob = f"{kind}-alice", f"{kind}-bob"
    profile = "notebook" if kind == "claim" else "interpreter"
    first = await run_in_new_server(hub, alice, WRITE, profile)
    printed = await asyncio.gather(
        *(run_in_new_server(hub, user, READ, "interpreter") for user in (alice, bob))
    )
    return Seen(first, *map(json.loads, printed))


@pytest.mark.parametrize("kind", KINDS)
def test_files_of_one_server_are_there_in_the_next(
    seen: dict[str, Seen], files: Path, kind: str
) -> None:
    alice, bob = f"{kind}-alice", f"{kind}-bob"
    ids = list(PEOPLE[alice].values())
    assert seen[kind].first == f"/home/{alice} True"
    again = seen[kind].again
    assert again["text"] == "written by the first server"
    assert again["owner"] == again["mine"] == ids
    assert bob not in again["others"]
    written = (files / alice / "notes" / "a.txt").stat()
    assert [written.st_uid, written.st_gid] == ids
    assert seen[kind].of_bob["text"] == ""
