"""The ids of a pod, and what it may not do."""

from dataclasses import replace
from typing import Any

import pytest

from jhext.identity.model import Group
from jhext.pod.finish import expected_on_platform, finish
from jhext.pod.manifest import Manifest, containers
from jhext.pod.security import CONTAINER_IDS, POD_IDS, ids_of, secure
from jhext.pod.settings import PodSettings
from jhext.pod.verify import Configured, verify
from tests.unit.pod.pods import ANN, CLOUD_METADATA, kubespawner_pod

PLAIN = PodSettings()
IDS = ids_of(ANN, PLAIN)
CONTAINER = {
    "runAsUser": 1001,
    "runAsGroup": 2001,
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}


def secured(settings: PodSettings = PLAIN, **changes: Any) -> Manifest:
    manifest = kubespawner_pod(**changes)
    secure(manifest, ids_of(ANN, settings), settings)
    return manifest


def test_d20_pod_and_every_container_run_under_the_persons_ids() -> None:
    manifest = secured(extra_pod_config={"ephemeralContainers": [{"name": "debug"}]})
    assert manifest["spec"]["securityContext"] == {
        "runAsUser": 1001,
        "runAsGroup": 2001,
        "supplementalGroups": [5001, 5003],
        "fsGroup": 2001,
        "fsGroupChangePolicy": "OnRootMismatch",
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    contexts = {
        container["name"]: container["securityContext"] for _, container in containers(manifest)
    }
    assert contexts == dict.fromkeys(["notebook", "sidecar", "motd", "debug"], CONTAINER)


@pytest.mark.parametrize(
    "changes",
    [
        {"uid": 0, "gid": 0, "fs_gid": 0, "supplemental_gids": [0, 4]},
        {"container_security_context": {"runAsUser": 0, "runAsNonRoot": False}},
        {"pod_security_context": {"runAsUser": 0, "supplementalGroups": [0]}},
        {"extra_container_config": {"securityContext": {"runAsUser": 0}}},
        {"extra_container_config": {"security_context": {"runAsUser": 7}}},
        {"extra_pod_config": {"securityContext": {"runAsUser": 0}}},
        {"extra_pod_config": {"security_context": None}},
        {"allow_privilege_escalation": True},
        {"allow_privilege_escalation": None},
    ],
)
def test_d21_nothing_that_kubespawner_offers_changes_the_ids(changes: dict[str, Any]) -> None:
    manifest = secured(**changes)
    assert manifest["spec"]["containers"][0]["securityContext"] == CONTAINER
    context = manifest["spec"]["securityContext"]
    assert {key: context[key] for key in POD_IDS} == {
        "runAsUser": 1001,
        "runAsGroup": 2001,
        "supplementalGroups": [5001, 5003],
        "fsGroup": 2001,
    }


def test_other_keys_of_security_contexts_stay() -> None:
    manifest = secured(
        pod_security_context={
            "seLinuxOptions": {"level": "s0"},
            "fsGroupChangePolicy": "Always",
            "seccompProfile": {"type": "Localhost", "localhostProfile": "x.json"},
        },
        container_security_context={"readOnlyRootFilesystem": True},
    )
    context = manifest["spec"]["securityContext"]
    assert context["seLinuxOptions"] == {"level": "s0"}
    assert context["fsGroupChangePolicy"] == "Always"
    assert context["seccompProfile"]["type"] == "Localhost"
    assert manifest["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize(
    "asked",
    [
        {"runAsUser": 0},
        {"privileged": True},
        {"capabilities": {"add": ["NET_ADMIN"]}},
        {"procMount": "Unmasked"},
    ],
)
def test_what_a_container_asks_for_beyond_is_left_for_the_check(asked: dict[str, Any]) -> None:
    container = {"name": "odd", "image": "x", "securityContext": asked}
    manifest = secured(init_containers=[container])
    context = manifest["spec"]["initContainers"][0]["securityContext"]
    assert {key: context[key] for key in asked} == asked


def test_a_listed_container_stays_as_it_is() -> None:
    settings = PodSettings(privileged_containers=frozenset({"block-cloud-metadata", "notebook"}))
    manifest = secured(
        settings,
        init_containers=[CLOUD_METADATA, {"name": "motd", "image": "x"}],
        pod_security_context={"runAsNonRoot": True},
    )
    listed, motd = manifest["spec"]["initContainers"]
    assert listed == CLOUD_METADATA
    assert motd["securityContext"] == CONTAINER
    assert manifest["spec"]["containers"][0]["securityContext"] == CONTAINER
    assert "runAsNonRoot" not in manifest["spec"]["securityContext"]


@pytest.mark.parametrize(("fs_group", "found"), [("primary", 2001), ("none", None), (5001, 5001)])
def test_the_group_of_volumes(fs_group: Any, found: int | None) -> None:
    context = secured(PodSettings(fs_group=fs_group))["spec"]["securityContext"]
    assert context.get("fsGroup") == found
    assert ("fsGroupChangePolicy" in context) == (found is not None)


def test_groups_for_everybody_and_of_the_image() -> None:
    settings = PodSettings(supplemental_gids=frozenset({7, 2001}), image_family="docker-stacks")
    assert ids_of(ANN, settings).supplemental == (7, 100, 5001, 5003)
    alone = replace(ANN, groups=(Group("staff", 2001),))
    assert ids_of(alone, PLAIN).supplemental == ()


def test_the_policy_for_groups_of_images_is_sent_where_it_is_wanted() -> None:
    context = secured(PodSettings(supplemental_groups_policy="Strict"))["spec"]["securityContext"]
    assert context["supplementalGroupsPolicy"] == "Strict"


def test_on_a_platform_no_id_is_asked_for() -> None:
    manifest = kubespawner_pod(uid=1000, gid=5, fs_gid=100, supplemental_gids=[7])
    secure(manifest, None, PLAIN)
    assert manifest["spec"]["securityContext"] == {
        "seccompProfile": {"type": "RuntimeDefault"},
        "runAsNonRoot": True,
    }
    for _, container in containers(manifest):
        assert not container["securityContext"].keys() & set(CONTAINER_IDS)
        assert container["securityContext"]["runAsNonRoot"] is True


def test_on_a_platform_everybody_is_in_the_groups_of_the_operator() -> None:
    """Such as the group of docker-stacks, whose images are for any uid, but not for any group."""
    settings = PodSettings(image_family="docker-stacks", supplemental_gids=[70])
    manifest = kubespawner_pod(supplemental_gids=[7])
    expected = expected_on_platform("ann", "/home/jovyan", settings)
    finish(manifest, expected, settings, Configured())
    context = manifest["spec"]["securityContext"]
    assert context.keys() & set(POD_IDS) == {"supplementalGroups"}
    assert context["supplementalGroups"] == [70, 100]
    variables = manifest["spec"]["containers"][0]["env"]
    assert {"name": "NB_UMASK", "value": "002"} in variables
    context["supplementalGroups"] = [70, 100, 7]
    assert verify(manifest, expected, settings, Configured())


def test_somebody_who_may_be_root_is_root() -> None:
    manifest = kubespawner_pod()
    secure(manifest, ids_of(replace(ANN, uid=0), PLAIN), PLAIN)
    assert manifest["spec"]["securityContext"]["runAsUser"] == 0
    assert "runAsNonRoot" not in manifest["spec"]["securityContext"]
    assert "runAsNonRoot" not in manifest["spec"]["containers"][0]["securityContext"]


@pytest.mark.parametrize(
    ("changes", "automount"),
    [
        ({}, False),
        ({"extra_pod_config": {"automountServiceAccountToken": None}}, False),
        ({"service_account": "dask"}, None),
        ({"automount_service_account_token": True}, True),
        ({"service_account": "dask", "automount_service_account_token": False}, False),
    ],
)
def test_a_token_is_there_only_when_asked_for(
    changes: dict[str, Any], automount: bool | None
) -> None:
    assert secured(**changes)["spec"].get("automountServiceAccountToken") is automount


def test_service_links_are_off_unless_asked_for() -> None:
    assert secured()["spec"]["enableServiceLinks"] is False
    asked = secured(extra_pod_config={"enableServiceLinks": True})
    assert asked["spec"]["enableServiceLinks"] is True
