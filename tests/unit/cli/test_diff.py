"""``jhext diff`` tells a reviewer who gains and who loses what."""

from __future__ import annotations

from typing import Any

import pytest

ADA = "profiles: [{slug: small, display_name: Small, allowed_users: [ada]}]"
EVE = "profiles: [{slug: small, display_name: Small, allowed_users: [eve]}]"


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("rules", ["old.yaml", "new.yaml"], 1),
        ("people", ["old.yaml", "new.yaml", "--users", "people.yaml"], 1),
        ("same", ["new.yaml", "new.yaml"], 0),
        ("nobody", ["new.yaml", "new.yaml", "--users", "people.yaml"], 0),
    ],
)
def test_golden(golden: Any, name: str, arguments: list[str], code: int) -> None:
    golden("diff", name, "diff", *arguments, code=code)


def test_machines_get_the_same(shell: Any) -> None:
    shell.write(old__yaml=ADA, new__yaml=EVE)
    assert shell("diff", "old.yaml", "new.yaml", "--output", "json").json == {
        "differences": [
            {
                "subject": "small",
                "gains": {"user eve": "allowed_users"},
                "loses": {"user ada": "allowed_users"},
            }
        ],
        "changes": [],
    }


CALLABLE = """
import jhext
jhext.configure(c, {})
def profiles(spawner):
    return [{"slug": "own", "display_name": "Own", "allowed_users": [spawner.user.name]}]
c.KubeSpawner.profile_list = profiles
"""


def test_callables_are_asked_for_people(shell: Any) -> None:
    shell.write(old__py=CALLABLE, new__yaml=ADA, people__yaml="ada: []\neve: []\n")
    ran = shell("diff", "old.py", "new.yaml", "--users", "people.yaml", "--output", "json")
    assert {
        item["subject"]: (item["gains"], item["loses"]) for item in ran.json["differences"]
    } == {
        "ada": ({"small": "allowed_users: ada"}, {"own": "is gone"}),
        "eve": ({}, {"own": "is gone"}),
    }


@pytest.mark.parametrize(
    ("new", "people"),
    [("profiles: [{slug: small}]", "ada: []"), (EVE, "ada: lab"), (EVE, "[")],
)
def test_what_cannot_be_read(shell: Any, new: str, people: str) -> None:
    shell.write(old__yaml=ADA, new__yaml=new, people__yaml=people)
    ran = shell("diff", "old.yaml", "new.yaml", "--users", "people.yaml")
    assert (ran.code, ran.stdout) == (2, "")
