"""Open Data Hub's overlays: everybody gets those that fitted them, as one profile."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from jhext.importers.odh import DATA_KEY, convert
from jhext.profiles.finding import ConfigurationError


def profiles(*overlays: dict[str, Any], **rest: Any) -> dict[str, dict[str, Any]]:
    settings = convert([{"profiles": list(overlays), **rest}]).settings
    return {profile["slug"]: profile for profile in settings["profiles"]}


def test_everybody_is_in_one_set_of_people() -> None:
    found = profiles(
        {"name": "globals"},
        {"name": "a", "users": ["ada", "bob"]},
        {"name": "b", "users": ["bob"]},
        {"name": "c", "users": ["*", "ada"]},
    )
    who = {
        slug: {key: value for key, value in profile.items() if "_users" in key or "_all" in key}
        for slug, profile in found.items()
    }
    assert who == {
        "notebook": {"allow_all": True, "blocked_users": ["ada", "bob"]},
        "notebook-a": {"allowed_users": ["ada"]},
        "notebook-a-b": {"allowed_users": ["bob"]},
    }


def test_later_overlays_win_and_lists_add_up() -> None:
    taint = {"key": "a", "effect": "NoSchedule"}
    found = profiles(
        {"name": "1", "env": {"A": 1, "B": 1}, "node_tolerations": [taint]},
        {"name": "2", "env": [{"name": "B", "value": "2"}], "node_tolerations": [{"key": "b"}]},
    )
    assert found["notebook"]["kubespawner_override"] == {
        "environment": {"A": "1", "B": "2"},
        "tolerations": {"a-NoSchedule": taint, "b": {"key": "b"}},
    }


@pytest.mark.parametrize(
    ("resources", "override"),
    [
        ({"limits": {"memory": "1Gi", "cpu": "500m"}}, {"mem_limit": "1G", "cpu_limit": 0.5}),
        (
            {"requests": {"memory": "500Mi", "cpu": 2}},
            {"mem_guarantee": "500M", "cpu_guarantee": 2},
        ),
        ({"mem_limit": "4G", "cpu_limit": 1}, {"mem_limit": "3906250K", "cpu_limit": 1}),
        ({"limits": {"memory": 1000}}, {"mem_limit": 1000}),
        ({"limits": {"memory": "lots"}}, {}),
        ({"requests": {"memory": "500m"}}, {}),
    ],
)
def test_d27_kubernetes_quantities(resources: dict[str, Any], override: dict[str, Any]) -> None:
    found = profiles({"name": "p", "resources": resources})["notebook"]
    assert found.get("kubespawner_override", {}) == override


def test_keys_of_any_kind_are_told() -> None:
    overlay = {"name": "p", 1: "x", "other": "y"}
    notes = convert([{"profiles": [overlay]}]).notes
    assert [note.path for note in notes if "no counterpart" in note.message] == ["1", "other"]


def test_braces_are_not_expanded() -> None:
    found = profiles({"name": "p", "env": {"CONF": '{"a": 1}'}})["notebook"]
    assert found["kubespawner_override"]["environment"] == {"CONF": '{{"a": 1}}'}


@pytest.mark.parametrize(
    ("config", "choices"),
    [
        ({}, []),
        ({"type": "checkbox", "gpuCheckbox": {"value": 2}}, ["none", "2"]),
        ({"type": "input", "gpuInput": {"limit": 2}}, ["none", "1", "2"]),
        ({"type": "dropdown", "gpuDropdown": {"start": 0, "end": 1}}, ["none", "1"]),
        ({"type": "dropdown", "gpuDropdown": {"range": {"start": 1, "end": 1}}}, ["none", "1"]),
        ({"type": "checkbox", "enabled": False}, []),
    ],
)
def test_d02_gpus_that_can_be_asked_for(config: dict[str, Any], choices: list[str]) -> None:
    """The limits of the user interface become choices, which no request can leave."""
    found = profiles({"name": "p"}, ui={"gpuConfig": config})["notebook"]
    options = found.get("profile_options", {})
    assert list(options.get("gpus", {}).get("choices", {})) == choices


@pytest.mark.parametrize(
    ("config", "choices"),
    [
        ({}, ["a-1", "b-1"]),
        ({"blacklist": ["a:1"]}, ["b-1"]),
        ({"whitelist": ["a:1"]}, ["a-1"]),
    ],
)
def test_d02_images_that_can_be_asked_for(config: dict[str, Any], choices: list[str]) -> None:
    found = profiles({"name": "p", "images": ["a:1", "b:1"]}, ui={"imageConfig": config})
    assert list(found["notebook"]["profile_options"]["image"]["choices"]) == choices


def test_config_maps_are_read_in_their_order() -> None:
    def config_map(name: str, value: str) -> dict[str, Any]:
        inner = {"profiles": [{"name": name, "env": {"WHO": value}}]}
        return {"metadata": {"name": name}, "data": {DATA_KEY: yaml.safe_dump(inner)}}

    found = convert([config_map("b", "b"), config_map("jupyter-singleuser-profiles", "first")])
    assert found.settings["profiles"][0]["kubespawner_override"]["environment"]["WHO"] == "b"


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"profiles": {}},
        {"profiles": ["globals"]},
        {"profiles": [{"name": "p", "users": "ada"}]},
        {"profiles": [{"name": "p", "env": 3}]},
        {
            "profiles": [{"name": "p"}],
            "ui": {"gpuConfig": {"type": "input", "gpuInput": {"limit": ""}}},
        },
        {"data": {DATA_KEY: "a: ["}},
    ],
)
def test_unreadable(document: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        convert([document])
