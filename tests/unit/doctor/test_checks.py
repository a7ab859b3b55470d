"""What is said about what was seen: a table of worlds, and the lines that they come to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jhext.cluster.features import Features
from jhext.cluster.rbac import needs_of
from jhext.doctor.checks import lines_of
from jhext.doctor.model import Answer, Cluster, Line, StorageClass, World
from jhext.doctor.plan import Claim, Plan
from jhext.profiles.finding import Finding

CLAIMS = Features(claims=True)
ALL = {(need.resource, need.verb): True for need in needs_of(CLAIMS)}
FAST = StorageClass(expands=True, is_default=True)
SLOW = StorageClass(expands=False, is_default=False)
PLAN = Plan(features=CLAIMS, hardened=True, claims={"home": Claim(None, grows=True)})
CLUSTER = Cluster(
    namespace="jhub",
    version=(1, 33),
    allowed=ALL,
    pod_security="restricted",
    storage_classes={"fast": FAST, "slow": SLOW},
    skew=-1.5,
)
LOST = Finding("error", "c.JupyterHub.services", "", "jhext-culler is missing", suggestion="append")


def world(**cluster: Any) -> World:
    return World(cluster=replace(CLUSTER, **cluster))


def bad(lines: list[Line]) -> list[tuple[str, str]]:
    return [(line.check, line.level) for line in lines if line.level != "ok"]


def test_all_is_well() -> None:
    answers = {
        "directory": Answer("ldap: ada", answer="uid 1"),
        "login_directory": Answer("LDAPAuthenticator: ada", answer="ada"),
        "provider": Answer("x", answer="y"),
    }
    plan = replace(PLAN, enables_auth_state=True, database="hub.sqlite")
    seen = World(CLUSTER, **answers, keys_problem="", spawners_indexed=True)
    lines = lines_of(plan, seen)
    assert bad(lines) == []
    assert [line.check for line in lines] == [
        *("version", "rights", "pod security", "storage classes", "clock"),
        *("directory", "directory of logins", "provider of logins", "auth_state", "database"),
    ]


CASES: dict[str, tuple[Plan, World, tuple[str, str], str]] = {
    "no cluster": (PLAN, world(problem="no answer"), ("cluster", "error"), "no answer"),
    "old": (PLAN, world(version=(1, 19)), ("version", "warning"), "1.19"),
    "may not": (
        PLAN,
        world(allowed=ALL | {("pods", "watch"): False}),
        ("rights", "error"),
        "may not watch pods",
    ),
    "not known": (
        PLAN,
        world(allowed={key: True for key in ALL if key[0] != "events"}),
        ("rights", "warning"),
        "list events, watch events",
    ),
    "level unreadable": (PLAN, world(pod_security=None), ("pod security", "warning"), "cannot"),
    "level too low": (PLAN, world(pod_security=""), ("pod security", "warning"), "nothing"),
    "privileged container": (
        replace(PLAN, privileged=("the container block-cloud-metadata",)),
        world(pod_security="baseline"),
        ("pod security", "error"),
        "block-cloud-metadata",
    ),
    "volumes that restricted refuses": (
        replace(PLAN, unrestricted=("volumes of type nfs",)),
        world(),
        ("pod security", "error"),
        "restricted refuses volumes of type nfs",
    ),
    "KubeSpawner's pods": (
        replace(PLAN, hardened=False),
        world(),
        ("pod security", "warning"),
        "refuses pods",
    ),
    "classes unreadable": (
        PLAN,
        world(storage_classes=None),
        ("storage classes", "warning"),
        "cannot be read",
    ),
    "no default class": (
        PLAN,
        world(storage_classes={"slow": SLOW}),
        ("storage classes", "error"),
        "no default",
    ),
    "no such class": (
        replace(PLAN, claims={"home": Claim("fsat", grows=False)}),
        world(),
        ("storage classes", "error"),
        "there is no fsat",
    ),
    "class that does not grow": (
        replace(PLAN, claims={"home": Claim("slow", grows=True)}),
        world(),
        ("storage classes", "error"),
        "do not grow",
    ),
    "clock": (PLAN, world(skew=-30.0), ("clock", "warning"), "30 s"),
    "wrong clock": (PLAN, world(skew=90.0), ("clock", "error"), "90 s"),
    "directory": (
        PLAN,
        World(directory=Answer("ldap: ada", problem="no route")),
        ("directory", "error"),
        "ldap: ada: no route",
    ),
    "directory of logins": (
        PLAN,
        World(login_directory=Answer("LDAPAuthenticator: ada", problem="no route")),
        ("directory of logins", "error"),
        "no route",
    ),
    "provider": (
        PLAN,
        World(provider=Answer("https://id", problem="404")),
        ("provider of logins", "error"),
        "404",
    ),
    "auth_state is not kept": (
        replace(PLAN, needs_auth_state="identity has the source github"),
        World(keys_problem=""),
        ("auth_state", "error"),
        "github",
    ),
    "no key": (
        replace(PLAN, enables_auth_state=True),
        World(),
        ("auth_state", "error"),
        "no key",
    ),
    "key that is none": (
        replace(PLAN, enables_auth_state=True),
        World(keys_problem="a key is none"),
        ("auth_state", "error"),
        "a key is none",
    ),
    "wiring": (replace(PLAN, lost=(LOST,)), World(), ("wiring", "error"), "is missing"),
    "scopes": (
        replace(PLAN, culler_scopes=("delete:servers",)),
        World(),
        ("culler", "error"),
        "delete:servers",
    ),
    "two cullers": (
        replace(PLAN, other_cullers=("idle-culler",)),
        World(),
        ("culler", "warning"),
        "idle-culler",
    ),
    "hooks": (
        replace(PLAN, hooks={"pre_spawn_hook": ("Spawner", "KubeSpawner")}),
        World(),
        ("hooks", "warning"),
        "Spawner and for KubeSpawner",
    ),
    "database": (
        replace(PLAN, database="hub.sqlite"),
        World(spawners_indexed=False),
        ("database", "warning"),
        "hub.sqlite",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_one_thing_is_wrong(case: str) -> None:
    plan, seen, expected, text = CASES[case]
    lines = [line for line in lines_of(plan, seen) if line.level != "ok"]
    assert bad(lines) == [expected]
    assert text in lines[0].message
    assert lines[0].fix


@pytest.mark.parametrize("has", [{"unrestricted": ("nfs",)}, {"privileged": ("host_path",)}])
def test_a_level_that_refuses_volumes_is_not_advised(has: Any) -> None:
    assert bad(lines_of(replace(PLAN, **has), world(pod_security=""))) == []


def test_d33_each_missing_verb_is_named() -> None:
    for key, need in ((key, key) for key in ALL):
        lines = lines_of(PLAN, world(allowed=ALL | {key: False}))
        (line,) = (line for line in lines if line.level == "error")
        assert f"may not {need[1]} {need[0]}" in line.message
        assert "jhext rbac" in line.fix


@pytest.mark.parametrize(("level", "fix"), [("ok", "do something"), ("error", "")])
def test_what_is_not_well_has_a_fix(level: Any, fix: str) -> None:
    with pytest.raises(ValueError, match="fix"):
        Line("x", level, "y", fix)
