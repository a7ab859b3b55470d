"""``jhext test`` passes, fails, and says why."""

from __future__ import annotations

from typing import Any

import pytest

SETTINGS = "profiles: [{slug: small, display_name: Small, allowed_users: [ada]}]"
CASES = "cases: [{user: ada, expect: allowed}, {user: eve, expect: refused}]"


@pytest.mark.parametrize(("name", "code"), [("passing", 0), ("failing", 1)])
def test_golden(golden: Any, name: str, code: int) -> None:
    golden("test", name, "test", f"{name}.yaml", code=code)


def test_machines_get_every_case(shell: Any) -> None:
    shell.write(jhext__yaml=SETTINGS, cases__yaml="cases: [{user: eve, expect: allowed}]")
    ran = shell("test", "cases.yaml", "--output", "json")
    assert ran.code == 1
    assert ran.json == [
        {
            "line": 1,
            "case": "eve starts the default",
            "passed": False,
            "expected": "allowed",
            "because": "",
            "got": "refused",
            "rule": "",
            "reason": "There is no server you may start here. Please ask your administrator.",
        }
    ]


def test_the_configuration_is_beside_the_cases_unless_another_is_named(shell: Any) -> None:
    (shell.folder / "hub").mkdir()
    (shell.folder / "hub" / "jhext.yaml").write_text(SETTINGS)
    (shell.folder / "hub" / "cases.yaml").write_text(CASES)
    shell.write(other__yaml=SETTINGS.replace("ada", "eve"))
    assert shell("test", "hub/cases.yaml").code == 0
    assert shell("test", "hub/cases.yaml", "--config", "other.yaml").code == 1


def test_callable_is_asked_for_each_case(shell: Any) -> None:
    config = """
import jhext
jhext.configure(c, {})
c.KubeSpawner.profile_list = lambda spawner: [
    {"slug": "own", "display_name": "Own", "allowed_users": ["ada"]}
]
"""
    cases = "configuration: jupyterhub_config.py\n"
    cases += "cases: [{user: ada, expect: allowed}, {user: ada, expect: allowed, admin: true},"
    cases += " {user: eve, expect: refused}]"
    shell.write(jupyterhub_config__py=config, cases__yaml=cases)
    ran = shell("test", "cases.yaml")
    assert (ran.code, ran.stdout) == (0, "3 passed, 0 failed\n")


@pytest.mark.parametrize(
    ("settings", "cases"),
    [
        (SETTINGS, "cases: []"),
        (SETTINGS, "cases: [{user: ada}]"),
        (SETTINGS, "configuration: nowhere.yaml\n" + CASES),
        ("profiles: [{slug: small}]", CASES),
    ],
)
def test_what_cannot_be_read(shell: Any, settings: str, cases: str) -> None:
    shell.write(jhext__yaml=settings, cases__yaml=cases)
    ran = shell("test", "cases.yaml")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith("error: ")


@pytest.mark.parametrize("text", ["[1, 2]", "5", ""])
def test_what_is_no_file_of_cases_is_told_in_words_of_yaml(shell: Any, text: str) -> None:
    shell.write(jhext__yaml="profiles: []", cases__yaml=text)
    ran = shell("test", "cases.yaml")
    assert ran.code == 2
    assert "cases.yaml:1: must be a mapping; write a mapping" in ran.stderr


def test_an_include_that_is_no_list_is_told_in_words_of_yaml(shell: Any) -> None:
    shell.write(
        jhext__yaml="include: more.yaml\nprofiles: []\n",
        cases__yaml="cases: [{user: ada, expect: allowed}]\n",
    )
    ran = shell("test", "cases.yaml")
    assert "jhext.yaml:1: include: must be a list; write a list: [one, two]" in ran.stderr
