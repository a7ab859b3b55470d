"""Homes on a directory of the node: made, filled, shared with a group, or refused in words."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
import yaml

from jhext.storage.prepare import MAKES
from tests.cluster.bench import ClusterBench, start
from tests.cluster.conftest import RunHub
from tests.cluster.interpreter import PROFILES, run_in_new_server
from tests.cluster.kubernetes.kubeconfig import Node
from tests.cluster.several import run_several
from tests.cluster.volumes import AddVolume, volumes_of

# Who makes a home: the person, a container as root, or the person in one claim for all.
KINDS = ("user", "chown", "shared")
# A claim of each person's own, whose volume is root's and the group's.
OWN = "own"
UIDS = {
    f"{kind}-{name}": uid
    for uid, (kind, name) in enumerate(product((*KINDS, OWN), ("alice", "bob", "mallory")), 3001)
}
PEOPLE = {user: {"uid": uid, "gid": uid, "groups": {"lab": 5001}} for user, uid in UIDS.items()}
# Claims of others, which ask for no class, could be given a volume that has none.
CLASS = "jhext-prepared"
LOOK = """
import json, os, pathlib
home, lab = pathlib.Path.home(), pathlib.Path("/groups/lab")
for file in (home / "mine", lab / os.environ["JUPYTERHUB_USER"]):
    with file.open("a") as stream:
        stream.write("x")
print(json.dumps({
    "home": str(home),
    "mine": (home / "mine").read_text(),
    "in home": sorted(path.name for path in home.iterdir() if not path.name.startswith(".")),
    "owner": [home.stat().st_uid, (home / "mine").stat().st_uid],
    "lab": sorted(path.name for path in lab.iterdir()),
    "gid": (lab / os.environ["JUPYTERHUB_USER"]).stat().st_gid,
    "others": os.listdir("/jhext") if os.path.exists("/jhext") else [],
}))
"""
LOOK_IN_OWN = """
import json, os, pathlib
home = pathlib.Path.home()
with (home / "mine").open("a") as stream:
    stream.write("x")
seen = {
    "home": str(home),
    "mine": (home / "mine").read_text(),
    "names": sorted(path.name for path in home.iterdir() if not path.name.startswith(".")),
    "filled": (home / "course" / ".bashrc").exists(),
    "owner": [(home / name).stat().st_uid for name in ("mine", "course")],
}
(home / "course" / ".bashrc").unlink(missing_ok=True)
print(json.dumps(seen))
"""


@dataclass(frozen=True)
class Seen:
    """What became of the servers of three people, and of the directories of the node.

    Attributes
    ----------
    first
        What alice's first server has printed.
    again
        What her second server has printed.
    of_bob
        What bob's has printed at that time, if he had any.
    mallory_reads
        What mallory reads at last, whose home is somebody else's.
    """

    homes: Path
    shared: Path
    first: dict[str, Any]
    again: dict[str, Any]
    of_bob: dict[str, Any]
    mallory_reads: str


def make_homes(folder: Path, kind: str) -> tuple[Path, Path]:
    """Make the directories of homes, of which mallory's is bob's, and those of groups."""
    homes, shared = folder / kind / "homes", folder / kind / "shared"
    for directory in (homes, shared):
        directory.mkdir(parents=True)
        directory.chmod(0o755 if kind == "chown" else 0o1777)
    home = homes / f"{kind}-mallory"
    home.mkdir(mode=0o777)
    os.chown(home, UIDS[f"{kind}-bob"], UIDS[f"{kind}-bob"])
    (home / "file").touch()
    return homes, shared


def storage_of(kind: str, folder: Path, image: str, add_volume: AddVolume) -> dict[str, Any]:
    homes, shared = make_homes(folder, kind)
    storage: dict[str, Any] = {
        "home": {"source": {"type": "host_path", "path": f"{homes}/{{username}}"}},
        "init": {
            "create": "chown" if kind == "chown" else "user",
            "image": image,
            "copies": [{"source": "/etc/skel", "when": "sync"}],
            "directories": {"notebooks": "0755", "DATA": "0755"},
        },
        "mounts": [
            {
                "name": "groups",
                "source": {"type": "host_path", "path": str(shared)},
                "mount_path": "/groups/{group}",
                "sub_path": "{group}",
                "groups": ["lab"],
                "directory_mode": "2770",
            }
        ],
    }
    if kind == "shared":
        volume = f"jhext-{token_hex(4)}"
        add_volume(homes, volume, "ReadWriteMany")
        claim = {"per": "hub", "storage_class": CLASS, "access_modes": ["ReadWriteMany"]}
        storage["home"] = {"source": {"type": "shared_claim", "claim": "homes"}}
        storage["claims"] = {"homes": {**claim, "volume_name": volume}}
    return storage


def storage_in_own_claims(folder: Path, add_volume: AddVolume) -> dict[str, Any]:
    """Have volumes as `fsGroup` makes them, but for mallory's, which nobody can write."""
    mark = f"jhext-{token_hex(4)}"
    for name, mode in (("alice", 0o2775), ("mallory", 0o2755)):
        user = f"{OWN}-{name}"
        directory = folder / OWN / "homes" / user
        directory.mkdir(parents=True)
        os.chown(directory, 0, UIDS[user])
        directory.chmod(mode)
        add_volume(directory, f"{mark}-{user}", "ReadWriteOnce")
    return {
        "home": {"source": {"type": "claim"}, "mount_path": "/home/{username}"},
        "claims": {"home": {"storage_class": CLASS, "volume_name": f"{mark}-{{username}}"}},
        "init": {
            "copies": [{"source": "/etc/skel", "target": "course"}],
            "directories": {"notebooks": "0755"},
            "room": {"free": "128Ki"},
        },
    }


@pytest.fixture(scope="module")
def add_volume(node: Node) -> Iterator[AddVolume]:
    with node.client() as client, volumes_of(client, CLASS) as add:
        yield add


@pytest.fixture(scope="module")
def lives(
    run_hub: RunHub, node: Node, add_volume: AddVolume, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Seen]:
    if node.off is None:
        pytest.skip("not on a cluster whose node does not see this machine's files")
    folder = tmp_path_factory.mktemp("storage")
    (folder / "people.yaml").write_text(yaml.safe_dump(PEOPLE))
    storages = {kind: storage_of(kind, folder, node.image, add_volume) for kind in KINDS}
    storages[OWN] = storage_in_own_claims(folder, add_volume)
    several = {
        kind: {
            "profiles": PROFILES,
            "identity": {"sources": [{"type": "table", "path": str(folder / "people.yaml")}]},
            "pod": {"privileged_containers": [MAKES] if kind == "chown" else []},
            "storage": storage,
        }
        for kind, storage in storages.items()
    }
    bench = run_several(run_hub, folder, PEOPLE, several)

    async def all_at_once() -> list[Seen]:
        return await asyncio.gather(*(life(bench, folder, kind) for kind in several))

    return dict(zip(several, asyncio.run(all_at_once()), strict=True))


async def life(bench: ClusterBench, folder: Path, kind: str) -> Seen:
    async def of_alice() -> list[dict[str, Any]]:
        first = await look(bench, f"{kind}-alice", "notebook" if kind == "chown" else "interpreter")
        names = ("alice",) if kind == OWN else ("alice", "bob")
        others = await asyncio.gather(*(look(bench, f"{kind}-{name}") for name in names))
        return [first, *others]

    (first, again, *others), reads = await asyncio.gather(
        of_alice(), refusal_of(bench, f"{kind}-mallory")
    )
    of_bob = others[0] if others else {}
    homes, shared = (folder / kind / name for name in ("homes", "shared"))
    return Seen(homes, shared, first, again, of_bob, reads)


async def look(bench: ClusterBench, user: str, profile: str = "interpreter") -> dict[str, Any]:
    """Start a person's server, work in it, and stop it."""
    code = LOOK_IN_OWN if user.startswith(OWN) else LOOK
    seen: dict[str, Any] = json.loads(await run_in_new_server(bench, user, code, profile))
    return seen


async def refusal_of(bench: ClusterBench, user: str) -> str:
    """Start a server that is not to start, and give what the person reads."""
    async with bench.browser(user) as browser:
        return await start(browser, user, "interpreter")


@pytest.mark.parametrize("kind", KINDS)
def test_d18_homes_are_made_and_files_are_there_again(lives: dict[str, Seen], kind: str) -> None:
    """Written by one server, read by the next; the group's by another person."""
    seen, alice, bob = lives[kind], f"{kind}-alice", f"{kind}-bob"
    uid = UIDS[alice]
    assert seen.first["in home"] == ["DATA", "mine", "notebooks"]
    assert seen.first["owner"] == [uid, uid]
    assert seen.first["home"] == "/home/jovyan"
    assert seen.first["others"] == []
    assert seen.again["mine"] == "xx"
    assert seen.of_bob["mine"] == "x"
    assert seen.of_bob["lab"] == [alice, bob]
    assert seen.of_bob["gid"] == 5001
    home = (seen.homes / alice).stat()
    assert (home.st_uid, stat.S_IMODE(home.st_mode)) == (uid, 0o700)
    lab = (seen.shared / "lab").stat()
    assert (lab.st_gid, stat.S_IMODE(lab.st_mode)) == (5001, 0o2770)


@pytest.mark.parametrize("kind", KINDS)
def test_d39_home_of_somebody_else_is_refused_with_words(lives: dict[str, Seen], kind: str) -> None:
    bob, mallory = UIDS[f"{kind}-bob"], UIDS[f"{kind}-mallory"]
    assert f"your home belongs to uid {bob} and not {mallory}" in lives[kind].mallory_reads
    assert (lives[kind].homes / f"{kind}-mallory").stat().st_uid == bob


def test_own_claim_is_filled_once_and_files_are_there_again(lives: dict[str, Seen]) -> None:
    seen = lives[OWN]
    assert [one["mine"] for one in (seen.first, seen.again)] == ["x", "xx"]
    assert [one["filled"] for one in (seen.first, seen.again)] == [True, False]
    # What was deleted stays so.
    assert seen.again["names"] == ["course", "mine", "notebooks"]
    assert seen.again["home"] == f"/home/{OWN}-alice"
    assert seen.again["owner"] == [UIDS[f"{OWN}-alice"]] * 2
    assert (seen.homes / f"{OWN}-alice").stat().st_uid == 0


def test_d39_volume_that_cannot_be_written_is_refused_with_words(lives: dict[str, Seen]) -> None:
    mallory = UIDS[f"{OWN}-mallory"]
    assert f"your home cannot be written by uid {mallory}" in lives[OWN].mallory_reads
