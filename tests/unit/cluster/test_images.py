"""Images are pulled on the nodes of their profiles, by pods that ask for no right."""

from __future__ import annotations

from typing import Any

import pytest

from jhext.cluster.images import Images, chart_values, images_of, manifests
from tests.pod_security import violations
from tests.unit.cluster.conftest import SMALL, Configured

GPU_NODE = {"node_selector": {"gpu": "yes"}}
BASE = "quay.io/jupyterhub/singleuser:latest"


def profile(name: str, overrides: dict[str, Any], **choices: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"display_name": name, "kubespawner_override": overrides}
    if choices:
        listed = {
            key: {"display_name": key, "kubespawner_override": value}
            for key, value in choices.items()
        }
        made["profile_options"] = {"option": {"display_name": "Option", "choices": listed}}
    return SMALL | made


Expected = dict[tuple[str, ...], tuple[str, ...]]


@pytest.mark.parametrize(
    ("profiles", "python", "expected"),
    [
        pytest.param([SMALL], "", {(): (BASE,)}, id="the hub's image"),
        pytest.param([SMALL], "c.KubeSpawner.image = 'a:1'", {(): ("a:1",)}, id="configured"),
        pytest.param(
            [profile("One", {"image": "a:1"}), profile("Two", {"image": "a:2"}), SMALL],
            "",
            {(): ("a:1", "a:2", BASE)},
            id="each once",
        ),
        pytest.param(
            [profile("GPU", GPU_NODE | {"image": "cuda:1"}), profile("CPU", {"image": "a:1"})],
            "",
            {("gpu",): ("cuda:1",), (): ("a:1",)},
            id="where they run",
        ),
        pytest.param(
            [profile("One", {"image": "a:1"}, x={"image": "b:1"}, y={"image": "b:2"})],
            "",
            {(): ("b:1", "b:2")},
            id="one of the choices is always taken",
        ),
        pytest.param(
            [
                SMALL
                | {
                    "profile_options": {
                        name: profile("", {}, x=choice)["profile_options"]["option"]
                        for name, choice in {
                            "image": {"image": "b:1"},
                            "size": {"cpu_limit": 1},
                        }.items()
                    }
                }
            ],
            "",
            {(): ("b:1",)},
            id="choices of something else",
        ),
        pytest.param(
            [profile("One", {"image": "a:1"}, x={"image": "b:1"}, y={})],
            "",
            {(): ("a:1", "b:1")},
            id="a choice that keeps the image",
        ),
        pytest.param(
            [profile("One", {"image": "a:1"}, x=GPU_NODE, y={})],
            "",
            {(): ("a:1",), ("gpu",): ("a:1",)},
            id="a choice of the node",
        ),
        pytest.param(
            [profile("One", {"image": "a:1", "node_selector": {"gpu": None}})],
            "c.KubeSpawner.node_selector = {'gpu': 'yes', 'ssd': 'yes'}",
            {("ssd",): ("a:1",)},
            id="merged as KubeSpawner does",
        ),
        pytest.param(
            [SMALL],
            "c.KubeSpawner.init_containers = {'b': {'name': 'x', 'image': 'x:1'}}",
            {(): (BASE, "x:1")},
            id="what else is in the pods",
        ),
        pytest.param(
            [profile("One", {"extra_containers": [{"name": "x", "image": "x:1"}]})],
            "c.ProfileKubeSpawner.allowed_sensitive_overrides = {'extra_containers'}",
            {(): (BASE, "x:1")},
            id="what else is in the pods of one profile",
        ),
    ],
)
def test_images(
    configured: Configured, profiles: list[Any], python: str, expected: Expected
) -> None:
    found = images_of(configured({"profiles": profiles}, python))
    assert {tuple(g.placement["node_selector"]): g.images for g in found.groups} == expected
    assert found.unknown == ()


@pytest.mark.parametrize(
    "python",
    ["c.KubeSpawner.image = 'a/{username}:1'", "c.KubeSpawner.tolerations = lambda spawner: []"],
)
def test_what_depends_on_the_person_is_told(configured: Configured, python: str) -> None:
    found = images_of(configured(python=python))
    assert (found.groups, len(found.unknown)) == ((), 1)


def test_d44_no_right_is_asked_for(configured: Configured) -> None:
    """The pods that pull pass the level "restricted" of Pod Security."""
    settings = {"profiles": [profile("GPU", GPU_NODE | {"image": "cuda:1"}), SMALL]}
    made = list(manifests(images_of(configured(settings), ["more:1"])))
    assert len(made) == 2
    for daemon_set in made:
        assert violations(daemon_set["spec"]["template"]) == []
        images = [c["image"] for c in daemon_set["spec"]["template"]["spec"]["initContainers"]]
        assert "more:1" in images


def test_platform_assigns_ids_to_those_who_pull_too(configured: Configured) -> None:
    """OpenShift's restricted constraint refuses every uid that is not of the namespace's range."""
    settings = {"profiles": [SMALL], "identity": {"mode": "platform"}}
    (made,) = manifests(images_of(configured(settings)))
    spec = made["spec"]["template"]["spec"]
    contexts = [each["securityContext"] for each in (*spec["initContainers"], *spec["containers"])]
    assert not any({"runAsUser", "runAsGroup"} & context.keys() for context in contexts)
    assert all(context["runAsNonRoot"] for context in contexts)


@pytest.mark.parametrize(
    ("image", "name", "tag"),
    [
        ("quay.io/lab/a:2026.1", "quay.io/lab/a", "2026.1"),
        ("registry:5000/lab/a", "registry:5000/lab/a", "latest"),
        ("registry:5000/a:1", "registry:5000/a", "1"),
        ("a", "a", "latest"),
        ("lab/a@sha256:00ff", "lab/a@sha256", "00ff"),
    ],
)
def test_chart_puts_them_together_as_they_were(image: str, name: str, tag: str) -> None:
    groups = [Images({}, (image,)), Images({"node_selector": {"gpu": "yes"}}, (image,))]
    pulled = {"extraImages": {"jhext-1": {"name": name, "tag": tag}}}
    assert chart_values(groups) == {"prePuller": pulled}
