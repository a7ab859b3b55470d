"""Keys that are short for overrides, and amounts in other spellings than KubeSpawner's."""

from __future__ import annotations

from typing import Any

import pytest
from kubespawner import KubeSpawner

from jhext.profiles.retired import RETIRED
from jhext.profiles.shorthand import write_out
from jhext.profiles.written import Written, as_written

from .conftest import Check

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
TERM = {"matchExpressions": [{"key": "gpu", "operator": "Exists"}]}
NEIGHBOUR = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "lab"}}}
WEIGHTED = {"weight": 1, "podAffinityTerm": NEIGHBOUR}
TOLERATION = {"key": "gpu", "operator": "Exists"}


def written(**keys: Any) -> Written:
    (profile,) = as_written([{"slug": "a", "display_name": "A", **keys}])
    return profile


def overrides(**keys: Any) -> Any:
    result, found = write_out(written(**keys))
    assert not found
    assert set(result.value) == {"slug", "display_name", "kubespawner_override"}
    return result.value["kubespawner_override"]


@pytest.mark.parametrize(
    ("short", "means"),
    [
        ({"start_timeout": "10m"}, {"start_timeout": "10m"}),
        ({"http_timeout": 30}, {"http_timeout": 30}),
        ({"default_url": "/lab"}, {"default_url": "/lab"}),
        ({"environment": {"A": "1"}}, {"environment": {"A": "1"}}),
        ({"node": {}}, {}),
        ({"node": {"selector": {"pool": "gpu"}}}, {"node_selector": {"pool": "gpu"}}),
        ({"node": {"tolerations": [TOLERATION]}}, {"tolerations": [TOLERATION]}),
        ({"node": {"priority_class": "course"}}, {"priority_class_name": "course"}),
        ({"node": {"scheduler": "packing"}}, {"scheduler_name": "packing"}),
    ],
)
def test_each_means_an_override(short: Any, means: Any) -> None:
    assert overrides(**short) == means


def test_affinity_as_kubernetes_writes_it(make_catalog: Check) -> None:
    affinity = {
        "nodeAffinity": {
            REQUIRED: {"nodeSelectorTerms": [TERM]},
            PREFERRED: [{"weight": 1, "preference": TERM}],
        },
        "podAffinity": {REQUIRED: [NEIGHBOUR], PREFERRED: [WEIGHTED]},
        "podAntiAffinity": {REQUIRED: [NEIGHBOUR], PREFERRED: [WEIGHTED]},
    }
    profile = {"display_name": "A", "allow_all": True, "node": {"affinity": affinity}}
    (checked,) = make_catalog([profile]).profiles
    assert checked.kubespawner_override == {
        "node_affinity_required": [TERM],
        "node_affinity_preferred": [{"weight": 1, "preference": TERM}],
        "pod_affinity_required": [NEIGHBOUR],
        "pod_affinity_preferred": [WEIGHTED],
        "pod_anti_affinity_required": [NEIGHBOUR],
        "pod_anti_affinity_preferred": [WEIGHTED],
    }


def test_they_join_the_overrides() -> None:
    keys = {
        "environment": {"A": "1"},
        "node": {"selector": {"a": "1"}},
        "kubespawner_override": {
            "cpu_limit": 1,
            "environment": {"B": "1"},
            "node_selector": {"b": "1"},
        },
    }
    assert overrides(**keys) == {
        "cpu_limit": 1,
        "environment": {"B": "1", "A": "1"},
        "node_selector": {"b": "1", "a": "1"},
    }


@pytest.mark.parametrize(
    ("short", "override", "path", "what"),
    [
        ({"start_timeout": 60}, {"start_timeout": 60}, "start_timeout", "start_timeout"),
        ({"default_url": "/a"}, {"default_url": "/b"}, "default_url", "default_url"),
        ({"environment": {"A": "1"}}, {"environment": {"A": "1"}}, "environment", "A"),
        ({"node": {"selector": {"a": "1"}}}, {"node_selector": {"a": "2"}}, "node.selector", "a"),
        ({"node": {"tolerations": []}}, {"tolerations": []}, "node.tolerations", "tolerations"),
        ({"environment": {"A": "1"}}, {"environment": None}, "environment", "environment"),
    ],
)
def test_to_say_the_same_twice_is_an_error(short: Any, override: Any, path: str, what: str) -> None:
    _, found = write_out(written(**short, kubespawner_override=override))
    assert [(item.level, item.path) for item in found] == [("error", path)]
    assert f"kubespawner_override says {what} too" in found[0].message


def test_one_may_replace_what_the_base_says_in_the_other_way(make_catalog: Check) -> None:
    catalog = make_catalog(
        [
            {"slug": "base", "abstract": True, "start_timeout": "1h", "environment": {"A": "1"}},
            {
                "display_name": "A",
                "extends": "base",
                "allow_all": True,
                "kubespawner_override": {"start_timeout": 60, "environment": {"A": "2"}},
            },
        ]
    )
    override = catalog.profiles[0].kubespawner_override
    assert override == {"start_timeout": 60, "environment": {"A": "2"}}


@pytest.mark.parametrize(
    ("keys", "path", "message"),
    [
        ({"start_timeout": "soon"}, "start_timeout", "no duration"),
        ({"start_timeout": "500ms"}, "start_timeout", "whole seconds"),
        ({"default_url": 5}, "default_url", "valid string"),
        ({"environment": ["A=1"]}, "environment", "must be a mapping"),
        ({"node": {"selectors": {}}}, "node.selectors", "did you mean 'selector'?"),
        ({"node": {"selector": {"a": 1}}}, "node.selector.a", "valid string"),
        ({"node": {"affinity": {"nodeAfinity": {}}}}, "node.affinity.nodeAfinity", "nodeAffinity"),
        ({"environment": {}, "kubespawner_override": []}, "kubespawner_override", "a mapping"),
        ({"start_timout": 5}, "start_timout", "did you mean 'start_timeout'?"),
    ],
)
def test_faults_are_found(check: Check, keys: Any, path: str, message: str) -> None:
    (error,) = check([{"display_name": "A", "allow_all": True, **keys}]).errors
    assert error.path == path
    assert message in str(error)


# Amounts, wherever overrides stand

AMOUNTS = [
    ({"mem_limit": "4Gi"}, {"mem_limit": 4 * 2**30}),
    ({"mem_limit": "4G"}, {"mem_limit": 4 * 2**30}),
    ({"mem_guarantee": "500Mi"}, {"mem_guarantee": 500 * 2**20}),
    ({"cpu_limit": "1500m", "cpu_guarantee": "500m"}, {"cpu_limit": 1.5, "cpu_guarantee": 0.5}),
    ({"start_timeout": "1h30m", "http_timeout": "90"}, {"start_timeout": 5400, "http_timeout": 90}),
    ({"mem_limit": 4096, "cpu_limit": 2}, {"mem_limit": 4096, "cpu_limit": 2}),
    ({"mem_limit": None}, {"mem_limit": None}),
    ({"storage_capacity": "10G"}, {"storage_capacity": "10G"}),
]


@pytest.mark.parametrize(("override", "read"), AMOUNTS)
def test_f14_amounts_are_understood_in_every_override(
    make_catalog: Check, override: Any, read: Any
) -> None:
    choice = {"display_name": "C", "kubespawner_override": override}
    options = {"size": {"display_name": "Size", "choices": {"c": choice}}}
    profile = {"display_name": "A", "allow_all": True, "kubespawner_override": override}
    (checked,) = make_catalog([profile | {"profile_options": options}]).profiles
    assert checked.kubespawner_override == read
    assert checked.profile_options["size"].choices["c"].kubespawner_override == read


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ({"mem_limit": "4GiB"}, "no quantity"),
        ({"mem_limit": "500m"}, "did you mean 500Mi?"),
        ({"cpu_limit": "two"}, "no quantity"),
        ({"start_timeout": "1w"}, "no duration"),
    ],
)
def test_f14_other_amounts_are_errors(check: Check, override: Any, message: str) -> None:
    profile = {"display_name": "A", "allow_all": True, "kubespawner_override": override}
    (error,) = check([profile]).errors
    assert error.path == f"kubespawner_override.{next(iter(override))}"
    assert message in str(error)


def test_free_text_may_be_an_amount(make_catalog: Check) -> None:
    text = {"enabled": True, "kubespawner_override": {"mem_limit": "{value}"}}
    options = {"size": {"display_name": "Size", "unlisted_choice": text}}
    profile = {"display_name": "A", "allow_all": True, "profile_options": options}
    (checked,) = make_catalog([profile]).profiles
    unlisted = checked.profile_options["size"].unlisted_choice
    assert unlisted.kubespawner_override == {"mem_limit": "{value}"}


# Names from before KubeSpawner 0.10


def test_retired_names_are_those_of_kubespawner() -> None:
    kubespawners = {
        old: KubeSpawner._deprecated_traits.get(new, (new,))[0]
        for old, (new, _) in KubeSpawner._deprecated_traits.items()
        if old.count("singleuser_") < 2  # two of them are one there, for want of a comma
    }
    assert RETIRED.items() >= kubespawners.items()
    assert RETIRED.keys() - kubespawners.keys() == {
        "singleuser_allow_privilege_escalation",
        "singleuser_lifecycle_hooks",
    }
    assert set(RETIRED.values()) <= set(KubeSpawner.class_trait_names())


def test_retired_names_are_understood_and_told(make_catalog: Check) -> None:
    choice = {"display_name": "C", "kubespawner_override": {"image_spec": "c:1"}}
    text = {"enabled": True, "kubespawner_override": {"singleuser_image_spec": "{value}"}}
    option = {"display_name": "I", "choices": {"c": choice}, "unlisted_choice": text}
    base = {"slug": "b", "abstract": True, "kubespawner_override": {"image_spec": "b:1"}}
    override = {"image": "a:1", "user_storage_capacity": "1Gi"}
    profile = {
        "display_name": "A",
        "allow_all": True,
        "extends": "b",
        "kubespawner_override": override,
        "profile_options": {"i": option},
    }
    catalog = make_catalog([base, profile])
    (checked,) = catalog.profiles
    assert checked.kubespawner_override == {"image": "a:1", "storage_capacity": "1Gi"}
    image = checked.profile_options["i"]
    assert image.choices["c"].kubespawner_override == {"image": "c:1"}
    assert image.unlisted_choice.kubespawner_override == {"image": "{value}"}
    assert {(item.level, item.path, item.message) for item in catalog.findings} == {
        ("warning", "kubespawner_override.image_spec", "is called image now"),
        ("warning", "kubespawner_override.user_storage_capacity", "is called storage_capacity now"),
        (
            "warning",
            "profile_options.i.choices.c.kubespawner_override.image_spec",
            "is called image now",
        ),
        (
            "warning",
            "profile_options.i.unlisted_choice.kubespawner_override.singleuser_image_spec",
            "is called image now",
        ),
    }


TWICE = "is called image now, which is there too"


@pytest.mark.parametrize(
    ("override", "messages"),
    [
        ({"singleuser_uid": 0}, ["may widen rights"]),
        ({"image_spec": "a", "image": "b"}, [TWICE]),
        ({"image_spec": "a", "singleuser_image_spec": "b"}, [TWICE, TWICE]),
    ],
)
def test_retired_names_open_no_way_around(check: Check, override: Any, messages: list[str]) -> None:
    profile = {"display_name": "A", "allow_all": True, "kubespawner_override": override}
    catalog = check([profile])
    for error, message in zip(catalog.errors, messages, strict=True):
        assert error.message.startswith(message)
    assert not catalog.profiles
