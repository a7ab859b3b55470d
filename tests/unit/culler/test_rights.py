"""Rights as far as REST shows them: what is lost for certain is lost, all else is unknown."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from jhext.culler.rights import Rights, lost_rights
from tests.unit.culler.conftest import Culler
from tests.unit.culler.fake_hub import FakeHub, running

HOUR = 3600
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


def model(user: str, profile: str, admin: bool = False, **more: Any) -> dict[str, Any]:
    state = {key: more.pop(key) for key in ("choices", "other_rules") if key in more}
    server = running(9, 9, profile, **state)
    groups = more.pop("groups", [])
    return {"name": user, "admin": admin, "groups": groups, "servers": {"": server}, **more}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "mapping").write_text("eve:mapped\n")
    path = tmp_path / "jhext.yaml"
    # Secrets of other sections are nothing to the culler, and need not be where it runs.
    hub = {"profile_mapping_files": ["mapping"], "cookie_secret": {"env": "JHEXT_IS_NOT_SET"}}
    path.write_text(yaml.safe_dump({"profiles": PROFILES, "hub": hub, "culler": {}}))
    return path


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
        (model("eve", "named", other_rules=True), None),
        (model("eve", "blocked", other_rules=True), None),
        (model("bob", "mapped"), "no rule"),
        ({**model("eve", "named"), "servers": {"": running(9)}}, None),
    ],
)
async def test_lost(file: Path, user: dict[str, Any], reason: str | None) -> None:
    catalog = await Rights(file).catalog()
    assert catalog
    expected = {} if reason is None else {f"{user['name']}/": reason}
    assert lost_rights(catalog, user) == expected


@pytest.mark.parametrize("key", ["groups", "admin"])
async def test_what_is_not_shown_is_unknown(file: Path, key: str) -> None:
    catalog = await Rights(file).catalog()
    assert catalog
    user = model("eve", "named")
    del user[key]
    assert lost_rights(catalog, user) == {}


async def test_faulty_profiles_say_nothing(file: Path) -> None:
    rights = Rights(file)
    assert await rights.catalog()
    for text in ("profiles: [{slug: named, display_name: N, allow_al: true}]\n", "profiles: 5\n"):
        await asyncio.to_thread(file.write_text, text)
        assert await rights.catalog() is None
    assert await Rights(file).catalog() is None
    assert await Rights(file / "no").catalog() is None


async def test_servers_are_stopped_after_the_grace_period(file: Path) -> None:
    users = {
        name: {"": running(9, 9, profile)}
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


async def test_without_a_file_nobody_is_stopped(file: Path) -> None:
    culler = Culler(revoked_after=1, never=True)
    async with FakeHub({"eve": {"": running(9, 9, "named")}}).serving() as hub:
        await culler.look(hub)
        assert culler.revocations.users == set()
