"""Rights as far as REST shows them: what is lost for certain is lost, all else is unknown."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from jhext.culler.rights import KnownRights, Rights
from jhext.settings import load_settings
from tests.unit.culler.conftest import Culler
from tests.unit.culler.fake_hub import FakeHub, running

HOUR = 3600
HUB = {"profile_mapping_files": ["mapping"], "cookie_secret": {"env": "JHEXT_IS_NOT_SET"}}
OPTION = {
    "image": {
        "display_name": "Image",
        "choices": {
            "std": {"display_name": "Standard"},
            "beta": {"display_name": "Beta", "allowed_groups": ["testers"]},
        },
    }
}
PROFILES: list[dict[str, Any]] = [
    {
        "slug": "named",
        "display_name": "N",
        "allowed_users": ["bob"],
        "allowed_groups": ["friends"],
    },
    {"slug": "group", "display_name": "G", "allowed_groups": ["lab"]},
    {"slug": "blocked", "display_name": "B", "allow_all": True, "blocked_users": ["eve"]},
    {"slug": "no-group", "display_name": "NG", "allow_all": True, "blocked_groups": ["out"]},
    {"slug": "claims", "display_name": "C", "allow_if": "claims.affiliation == 'staff'"},
    {
        "slug": "either",
        "display_name": "E",
        "allowed_users": ["bob"],
        "allow_if": "claims.affiliation == 'staff'",
    },
    {"slug": "block-if", "display_name": "BI", "allow_all": True, "block_if": "claims.x == 1"},
    {"slug": "default", "display_name": "D"},
    {"slug": "options", "display_name": "O", "allow_all": True, "profile_options": OPTION},
    {"slug": "mapped", "display_name": "M"},
]

ORIGIN = "613e6052fea6"
"""What a hub says that reads these settings, in whatever folder; also one of another version."""


def model(user: str, profile: str, admin: bool = False, **more: Any) -> dict[str, Any]:
    state = {key: more.pop(key) for key in ("choices", "origin", "by_hook") if key in more}
    server = running(9, 9, profile, **{"origin": ORIGIN, **state})
    groups = more.pop("groups", [])
    return {"name": user, "admin": admin, "groups": groups, "servers": {"": server}, **more}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "mapping").write_text("eve:mapped\n")
    path = tmp_path / "jhext.yaml"
    # Secrets of other sections are nothing to the culler, and need not be where it runs.
    write(path)
    return path


def write(path: Path, hub: dict[str, Any] = HUB, profiles: Any = PROFILES) -> None:
    path.write_text(yaml.safe_dump({"profiles": profiles, "hub": hub, "culler": {}}))


def change(path: Path, text: str) -> None:
    path.write_text(text)


async def known(file: Path) -> KnownRights:
    rights = await Rights(file).current()
    assert rights
    return rights


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        (model("bob", "named"), None),
        (model("eve", "named"), "no rule"),
        (model("eve", "named", admin=True), None),
        (model("eve", "group", groups=["lab"]), None),
        (model("eve", "group", groups=["lab2"]), "no rule"),
        (model("eve", "blocked"), "blocked_users: eve"),
        (model("eve", "blocked", admin=True), "blocked_users: eve"),
        (model("bob", "blocked"), None),
        (model("bob", "no-group", groups=["out"]), "blocked_groups: out"),
        # Nobody can tell from here.
        (model("eve", "claims"), None),
        (model("eve", "either"), None),
        (model("eve", "block-if"), None),
        (model("eve", "default"), None),
        (model("eve", "gone"), None),
        (model("eve", "options", choices={"image": "beta"}), "no rule"),
        (model("eve", "options", choices={"image": "beta"}, groups=["testers"]), None),
        (model("eve", "options", choices={"image": "gone"}), None),
        (model("eve", "mapped"), None),
        (model("eve", "named", origin=""), None),
        (model("eve", "blocked", origin="of another file"), None),
        (model("eve", "blocked", by_hook=True), None),
        (model("bob", "mapped"), "no rule"),
        ({**model("eve", "named"), "servers": {"": running(9)}}, None),
    ],
)
async def test_lost(file: Path, user: dict[str, Any], reason: str | None) -> None:
    expected = {} if reason is None else {f"{user['name']}/": reason}
    assert (await known(file)).lost(user) == expected


@pytest.mark.parametrize("key", ["groups", "admin"])
async def test_what_is_not_shown_is_unknown(file: Path, key: str) -> None:
    user = model("eve", "named")
    del user[key]
    assert (await known(file)).lost(user) == {}


async def test_faulty_profiles_say_nothing(file: Path) -> None:
    rights = Rights(file)
    assert await rights.current()
    for text in ("profiles: [{slug: named, display_name: N, allow_al: true}]\n", "profiles: 5\n"):
        await asyncio.to_thread(file.write_text, text)
        assert await rights.current() is None
    assert await Rights(file).current() is None
    assert await Rights(file / "no").current() is None


async def test_servers_are_stopped_after_the_grace_period(file: Path) -> None:
    users = {
        name: {"": running(9, 9, profile, origin=ORIGIN)}
        for name, profile in {"eve": "named", "bob": "named", "dora": "claims"}.items()
    }
    culler = Culler(revoked_after="1h", never=True)
    culler.memory.rights = Rights(file)
    async with FakeHub(users).serving() as hub:
        await culler.look(hub)
        assert hub.stopped == []
        culler.revocations._since["eve/"] -= HOUR

        # Somebody gave the right back just before the stop.
        def give_back(method: str, path: str, count: int) -> None:
            if path == "/users/eve":
                hub.groups["eve"] = ["friends"]

        hub.fault = give_back
        await culler.look(hub)
        assert hub.stopped == []
        assert culler.outcomes() == {"permitted_again": 1}
        hub.fault = lambda method, path, count: None
        hub.groups.clear()
        await culler.look(hub)
        assert hub.stopped == ["eve/"]
        await culler.look(hub)
        assert "eve/" not in culler.revocations._since


@pytest.mark.parametrize(
    "hub",
    [
        {**HUB, "profile_mapping_files": ["other"]},
        {**HUB, "profile_mapping_files": []},
        {**HUB, "profile_files": ["more.yaml"]},
        {**HUB, "default_access": "allow"},
        {**HUB, "admin_bypass": True},
        {**HUB, "extra_profile_keys": ["teaser"]},
    ],
)
async def test_what_waits_for_a_restart_of_the_hub_is_unknown(
    file: Path, hub: dict[str, Any]
) -> None:
    """The hub goes on by what it has read, until it is restarted and says so."""
    (file.parent / "other").write_text("bob:mapped\n")
    (file.parent / "more.yaml").write_text("profiles: [{slug: more, display_name: M}]\n")
    rights, eve = Rights(file), model("eve", "named")
    before = await rights.current()
    assert before
    assert before.lost(eve) == {"eve/": "no rule"}
    write(file, hub)
    for current in (await rights.current(), await known(file)):
        assert current
        assert current.lost(eve) == {}
        assert current.lost(model("eve", "named", origin=current.origin)) == {"eve/": "no rule"}
    write(file)
    back = await rights.current()
    assert back
    assert back.lost(eve) == {"eve/": "no rule"}


async def test_a_mapping_file_that_is_named_later_is_read(file: Path) -> None:
    rights = Rights(file)
    assert await rights.current()
    (file.parent / "other").write_text("bob:mapped\n")
    write(file, {**HUB, "profile_mapping_files": ["mapping", "other"]})
    current = await rights.current()
    assert current
    for name, lost in (("bob", {}), ("eve", {}), ("dora", {"dora/": "no rule"})):
        assert current.lost(model(name, "mapped", origin=current.origin)) == lost


async def test_sections_that_move_to_other_files(file: Path) -> None:
    """The hub reads on where they were when it was started."""
    rights, eve = Rights(file), model("eve", "named")
    assert await rights.current()
    change(file, yaml.safe_dump({"include": ["hub.yaml"], "profiles": PROFILES, "culler": {}}))
    assert await rights.current() is None
    change(file.with_name("hub.yaml"), yaml.safe_dump({"hub": HUB}))
    current = await rights.current()
    assert current
    assert current.lost(eve) == {"eve/": "no rule"}
    change(file.with_name("hub.yaml"), "hub: {admin_bypass: true}\n")
    current = await rights.current()
    assert current
    assert current.lost(eve) == {}
    change(file, "include: [hub.yaml, profiles.yaml]\nculler: {}\n")
    change(file.with_name("hub.yaml"), yaml.safe_dump({"hub": HUB}))
    change(file.with_name("profiles.yaml"), yaml.safe_dump({"profiles": PROFILES}))
    current = await rights.current()
    assert current
    assert current.lost(eve) == {}
    assert current.lost(model("eve", "named", origin=current.origin)) == {"eve/": "no rule"}


async def test_files_that_stay_are_not_read_again(file: Path) -> None:
    change(file, yaml.safe_dump({"include": ["hub.yaml"], "profiles": PROFILES, "culler": {}}))
    change(file.with_name("hub.yaml"), yaml.safe_dump({"hub": HUB}))
    await asyncio.sleep(0.2)  # the clocks of file systems tick slowly
    rights = Rights(file)
    first = await rights.current()
    reading = rights._reading
    second = await rights.current()
    assert first
    assert second
    assert second.catalog is first.catalog
    assert rights._reading is reading is not None


async def test_profiles_that_are_in_no_file_are_nowhere(tmp_path: Path) -> None:
    assert load_settings({"profiles": PROFILES}).origin == ""
    assert load_settings({"hub": {"profile_files": ["/x"]}}).origin
    path = tmp_path / "jhext.yaml"
    path.write_text("culler: {}\n")
    rights = await known(path)
    assert rights.lost(model("eve", "named", origin="")) == {}


async def test_without_a_file_nobody_is_stopped(file: Path) -> None:
    culler = Culler(revoked_after=1, never=True)
    async with FakeHub({"eve": {"": running(9, 9, "named")}}).serving() as hub:
        await culler.look(hub)
        assert culler.revocations.users == set()
