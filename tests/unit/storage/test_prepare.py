"""The init containers: who sees what, as whom, and in which image."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from jhext.pod.finish import PodRefused, expected_of, finish
from jhext.pod.manifest import Manifest, notebook
from jhext.pod.settings import PodSettings
from jhext.pod.verify import Configured
from jhext.profiles.access import Person
from jhext.settings import Settings
from jhext.storage.home import HomeSettings, home_of, place
from jhext.storage.merge import add
from jhext.storage.prepare import (
    FILLS,
    MAKES,
    CopySettings,
    Directory,
    InitSettings,
    init_containers,
    put_first,
    through_root,
)
from jhext.storage.volumes import Owner, Volumes
from tests.unit.pod.pods import ANN, kubespawner_pod

OWNER = Owner(Person("ann"), ANN)
LAB = Directory("the directory /lab", "jhext-mount-lab", "lab", "2770", 5001)
HOMES = {
    "claim": {"type": "claim", "claim": "home"},
    "shared": {"type": "shared_claim", "claim": "homes"},
    "host_path": {"type": "host_path", "path": "/homes/{username}"},
    "nfs": {"type": "nfs", "server": "nfs", "path": "/homes/{initial}/{username}"},
}
CLAIMS = {"home": "claim-ann", "homes": "homes"}
CREATE = {"create": "user", "image": "python"}
CHOWN = {"create": "chown", "image": "python"}


def prepared(
    kind: str, init: dict[str, Any], *directories: Directory
) -> tuple[Manifest, dict[str, Any]]:
    """A pod with a home, and its init containers of ours by their names."""
    settings = InitSettings.model_validate(init)
    home = HomeSettings.model_validate({"source": HOMES[kind]})
    volumes = home_of(home, OWNER, CLAIMS)
    if settings.create != "no":
        volumes = through_root(volumes, place(home, OWNER))
    volumes += Volumes(tuple({"name": item.volume, "emptyDir": {}} for item in directories))
    manifest = kubespawner_pod(volumes=[], volume_mounts=[], extra_containers=[])
    notebook(manifest)["resources"] = {
        "limits": {"cpu": "2", "memory": "4Gi", "nvidia.com/gpu": "1"},
        "requests": {"cpu": "1"},
    }
    add(manifest, volumes)
    containers = init_containers(settings, OWNER, volumes, directories, notebook(manifest))
    put_first(manifest, containers)
    return manifest, {container["name"]: container for container in containers}


def plan_of(container: dict[str, Any]) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(container["args"][1].replace("$$", "$"))
    return plan


def roots(container: dict[str, Any]) -> list[tuple[str, str, int | None]]:
    directories = plan_of(container)["directories"]
    return [(item["root"], item["path"], item["owner"]) for item in directories]


@pytest.mark.parametrize(
    ("kind", "init", "expected"),
    [
        ("claim", {}, {FILLS: ("", None)}),
        ("claim", CREATE, {FILLS: ("", None)}),
        ("claim", CHOWN, {MAKES: ("", 1001)}),
        ("host_path", {}, {FILLS: ("", 1001)}),
        ("host_path", {"check_owner": False}, {FILLS: ("", None)}),
        ("host_path", CREATE, {MAKES: ("ann", 1001)}),
        ("host_path", {**CREATE, "check_owner": False}, {MAKES: ("ann", None)}),
        ("nfs", CHOWN, {MAKES: ("a/ann", 1001)}),
        ("nfs", CREATE | {"skel": "/etc/skel"}, {MAKES: ("a/ann", 1001), FILLS: ("", 1001)}),
        ("shared", CREATE, {MAKES: ("ann", 1001)}),
        ("shared", {}, {FILLS: ("", 1001)}),
    ],
)
def test_which_containers_look_at_which_directory(
    kind: str, init: dict[str, Any], expected: dict[str, tuple[str, int | None]]
) -> None:
    _, containers = prepared(kind, init)
    assert {name: roots(container) for name, container in containers.items()} == {
        name: [("/jhext/jhext-home", path, owner)] for name, (path, owner) in expected.items()
    }


@pytest.mark.parametrize("kind", ["host_path", "nfs"])
def test_a_home_that_may_be_made_is_mounted_by_way_of_its_root(kind: str) -> None:
    """Kubernetes looks for a volume before any init container could make it."""
    manifest, _ = prepared(kind, CREATE)
    (volume,) = manifest["spec"]["volumes"]
    source = volume.get("hostPath") or volume.get("nfs")
    assert source["path"] == "/homes"
    (mount,) = notebook(manifest)["volumeMounts"]
    assert mount["subPath"] in ("ann", "a/ann")
    manifest, _ = prepared(kind, {})
    (volume,) = manifest["spec"]["volumes"]
    assert (volume.get("hostPath") or volume.get("nfs"))["path"] in ("/homes/ann", "/homes/a/ann")


@pytest.mark.parametrize("kind", HOMES)
@pytest.mark.parametrize("create", [CREATE, CHOWN])
def test_image_of_the_person_sees_their_home_alone(kind: str, create: dict[str, Any]) -> None:
    """Volumes that others are in are seen by the operator's image, which copies nothing."""
    manifest, containers = prepared(kind, {**create, "skel": "/etc/skel"}, LAB)
    fills = containers[FILLS]
    assert fills["image"] == notebook(manifest)["image"]
    (mount,) = fills["volumeMounts"]
    (home,) = notebook(manifest)["volumeMounts"]
    assert mount == {**home, "mountPath": "/jhext/jhext-home"}
    makes = containers[MAKES]
    assert makes["image"] == "python"
    assert plan_of(makes)["fill"] is None
    assert {mount["name"] for mount in makes["volumeMounts"]} >= {"jhext-mount-lab"}
    assert all("subPath" not in mount for mount in makes["volumeMounts"])


def test_they_need_no_more_than_the_server() -> None:
    """Nor a device: a pod is given as many as its largest container asks for."""
    _, containers = prepared("claim", {})
    resources = containers[FILLS]["resources"]
    assert resources == {"limits": {"cpu": "2", "memory": "4Gi"}, "requests": {"cpu": "1"}}


def test_kubernetes_reads_no_variable_in_it() -> None:
    _, containers = prepared("claim", {"directories": {"$(HOME)": "0755"}})
    source, plan = containers[FILLS]["args"]
    assert "$" not in source.replace("$$", "")
    assert "$(" not in plan.replace("$$", "")
    assert plan_of(containers[FILLS])["fill"]["directories"][0]["path"] == "$(HOME)"


def test_full_home_is_told_and_the_rescue_profile_starts_all_the_same() -> None:
    init = {"room": {"free": "10M", "rescue_profile": "rescue"}, "skel": "/etc/skel"}
    plan = plan_of(prepared("claim", init)[1][FILLS])
    assert plan["room"] == {
        "bytes": 10 * 2**20,
        "hint": "To make room, start the profile rescue.",
    }
    settings = InitSettings.model_validate(init)
    home = HomeSettings.model_validate({"source": HOMES["claim"]})
    volumes = home_of(home, OWNER, CLAIMS)
    (container,) = init_containers(settings, OWNER, volumes, (), {"image": "i"}, rescues=True)
    plan = plan_of(container)
    assert (plan["room"], plan["fill"]) == (None, None)


def finished(
    manifest: Manifest, containers: dict[str, Any], *privileged: str
) -> list[dict[str, Any]]:
    settings = PodSettings(privileged_containers=frozenset(privileged))
    expected = expected_of(ANN, "/home/jovyan", settings)
    configured = Configured.of(containers.values(), manifest["spec"].get("volumes", ()))
    finish(manifest, expected, settings, configured)
    own = (MAKES, FILLS)
    return [item for item in manifest["spec"]["initContainers"] if item["name"] in own]


def test_d44_unprivileged_ones_run_as_the_person() -> None:
    manifest, containers = prepared("shared", CREATE | {"skel": "/etc/skel"})
    for container in finished(manifest, containers):
        context = container["securityContext"]
        assert (context["runAsUser"], context["runAsGroup"]) == (1001, 2001)
        assert context["runAsNonRoot"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["allowPrivilegeEscalation"] is False


def test_only_what_makes_directories_is_root_and_only_where_that_is_listed() -> None:
    init = CHOWN | {"skel": "/etc/skel"}
    makes, fills = finished(*prepared("shared", init), MAKES)
    assert makes["securityContext"]["runAsUser"] == 0
    assert makes["securityContext"]["capabilities"]["drop"] == ["ALL"]
    assert fills["securityContext"]["runAsUser"] == 1001
    with pytest.raises(PodRefused):
        finished(*prepared("shared", init))


@pytest.mark.parametrize("key", ["image", "command", "args", "volumeMounts"])
def test_changed_by_a_hook_it_is_not_sent(key: str) -> None:
    manifest, containers = prepared("shared", CHOWN)
    manifest["spec"]["initContainers"][0][key] = "changed"
    with pytest.raises(PodRefused):
        finished(manifest, containers, MAKES)


def test_to_put_them_first_again_changes_nothing() -> None:
    manifest, containers = prepared("shared", CHOWN)
    before = json.dumps(manifest)
    put_first(manifest, list(containers.values()))
    assert json.dumps(manifest) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"create": "root"},
        {"mode": 448},
        {"mode": "0799"},
        {"mode": "rwx"},
        {"skel": "etc/skel"},
        {"copies": [{"source": "/a", "target": "../b"}]},
        {"copies": [{"source": "/a", "target": "/b"}]},
        {"copies": [{"source": "/a", "when": "reset"}]},
        {"directories": {"a/../b": "0755"}},
    ],
)
def test_errors_before_anybody_comes(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        InitSettings.model_validate(wrong)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({}, "section identity"),
        ({"identity": {"mode": "platform"}}, "section identity"),
        ({"identity": {"sources": [{"type": "host"}]}}, "pod.privileged_containers: [jhext-dir"),
    ],
)
def test_root_gives_directories_away_only_where_that_is_configured(
    more: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValidationError) as error:
        Settings.model_validate({"storage": {"init": CHOWN}, **more})
    assert problem in str(error.value)


def test_root_may_give_directories_away() -> None:
    Settings.model_validate(
        {
            "storage": {"init": CHOWN},
            "identity": {"sources": [{"type": "host"}]},
            "pod": {"privileged_containers": [MAKES]},
        }
    )


def test_d47_nothing_that_deletes_is_to_be_asked_for() -> None:
    """What is copied never takes the place of anything, and there is no way to say that it does."""
    whens = CopySettings.model_json_schema()["properties"]["when"]["enum"]
    assert whens == ["if_empty", "sync"]
