"""Nothing is left behind by a start, nothing is shared; what was granted is remembered."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from kubernetes_asyncio.client import V1Container, V1ObjectMeta, V1Pod
from traitlets.config import Config

from jhext.refusal import Reason
from tests.unit.spawning import (
    GPU,
    LAB_AND_GPU,
    PROFILES,
    TEXT,
    granted_to,
    overridden,
    refusal_of,
)

# Nothing is left behind, nothing is shared


async def test_f06_profile_leaves_nothing_for_the_next(make_spawner: Any) -> None:
    """D-40."""
    spawner = make_spawner(PROFILES, groups=LAB_AND_GPU, environment={"A": "base", "B": "base"})
    base = overridden(spawner)
    await granted_to(spawner, GPU)
    with_gpu = overridden(spawner)
    assert with_gpu["environment"] == {"A": "gpu", "B": "base", "G": "gpu", "I": "std"}
    await granted_to(spawner, {"profile": "small"})
    assert spawner.environment == {"A": "small", "B": "base", "S": "small"}
    assert (spawner.extra_resource_limits, spawner.volumes) == ({}, base["volumes"])
    await granted_to(spawner, GPU)
    assert overridden(spawner) == with_gpu
    await refusal_of(spawner, {"profile": "gone"})
    assert overridden(spawner) == base
    await granted_to(spawner, GPU)
    spawner.clear_state()
    assert overridden(spawner) == base
    assert "jhext" not in spawner.get_state()


async def test_f06_what_hooks_set_stays(make_spawner: Any) -> None:
    """A reset of everything would take away what the hooks of this start have just set."""
    spawner = make_spawner(PROFILES, groups=LAB_AND_GPU)
    await granted_to(spawner, GPU)
    spawner.clear_state()
    spawner.environment["HOOK"] = "1"
    spawner.node_selector = {"hook": "1"}
    await granted_to(spawner, {"profile": "small"})
    assert spawner.environment == {"A": "small", "S": "small", "HOOK": "1"}
    assert spawner.node_selector == {"hook": "1"}
    await granted_to(spawner, GPU)
    assert spawner.environment["HOOK"] == "1"
    assert spawner.node_selector == {"hook": "1"}


async def test_d10_applied_once_in_a_start(make_spawner: Any) -> None:
    calls = []
    profiles = [
        {
            "display_name": "P",
            "allow_all": True,
            "kubespawner_override": {
                "volumes": [{"name": "profile"}],
                "image": lambda spawner: calls.append(1) or "x:1",  # type: ignore[func-returns-value]
            },
        }
    ]
    spawner = make_spawner(profiles, options={})
    await spawner.load_user_options()
    spawner.volumes.append({"name": "hook"})
    await spawner.load_user_options()
    assert spawner.volumes == [{"name": "profile"}, {"name": "hook"}]
    assert len(calls) == 1


async def test_d10_decided_by_another_rule_is_applied_once_too(make_spawner: Any) -> None:
    rules = {"allowed_users": ["ann"], "allow_if": "true"}
    choices = {"c": {"display_name": "C", **rules}}
    profiles = [
        {
            "display_name": "P",
            **rules,
            "kubespawner_override": {"volumes": [{"name": "profile"}]},
            "profile_options": {"o": {"display_name": "O", "choices": choices}},
        }
    ]
    listed = copy.deepcopy(profiles)
    spawner = make_spawner(lambda spawner: listed, options={})
    await spawner.load_user_options()
    spawner.volumes.append({"name": "hook"})
    spawner.user.name = "bob"
    await spawner.load_user_options()
    assert spawner.volumes == [{"name": "profile"}, {"name": "hook"}]


async def test_d10_options_apply_after_the_profile(make_spawner: Any) -> None:
    profile = {
        "display_name": "P",
        "allow_all": True,
        "kubespawner_override": {"image": "p:1", "environment": {"A": "p", "B": "p"}},
        "profile_options": {
            "z": {
                "display_name": "Z",
                "choices": {
                    "c": {
                        "display_name": "C",
                        "kubespawner_override": {
                            "image": "z:1",
                            "environment": {"B": "z", "C": "z"},
                        },
                    }
                },
            },
            "a": {
                "display_name": "A",
                "choices": {
                    "c": {
                        "display_name": "C",
                        "kubespawner_override": {
                            "image": "a:1",
                            "environment": {"C": "a", "A": None},
                        },
                    }
                },
            },
        },
    }
    spawner = make_spawner([profile], options={})
    await spawner.load_user_options()
    assert (spawner.image, spawner.environment) == ("a:1", {"B": "z", "C": "a"})


async def test_d40_hundred_starts_change_nothing_that_is_configured(make_spawner: Any) -> None:
    config = Config()
    config.KubeSpawner.profile_list = copy.deepcopy(PROFILES)
    config.KubeSpawner.environment = {"BASE": "1"}
    config.KubeSpawner.volumes = [{"name": "base"}]
    before = repr(config)
    manifests: dict[Any, set[str]] = {}
    for n in range(100):
        groups = [("lab",), ("gpu",), LAB_AND_GPU][n % 3]
        spawner = make_spawner(config=config, user=f"user-{n}", groups=groups, options={})
        await spawner.load_user_options()
        seen = json.dumps(overridden(spawner), default=str)
        manifests.setdefault(groups, set()).add(seen)
        spawner.environment["USER"] = str(n)
        spawner.volumes.append({"name": str(n)})
        spawner.cmd.append(str(n)) if spawner.cmd else None
    assert repr(config) == before
    assert all(len(seen) == 1 for seen in manifests.values())


async def test_d40_objects_in_overrides_are_not_shared(make_spawner: Any) -> None:
    config = Config()
    container = V1Container(name="init", image="x:1", env=[])
    shared = {"nested": {"list": ["theirs"]}}
    config.KubeSpawner.profile_list = [
        {
            "display_name": "P",
            "allow_all": True,
            "kubespawner_override": {
                "init_containers": [container],
                "volumes": lambda spawner: shared["nested"]["list"],
                "lifecycle_hooks": lambda spawner: shared,
            },
        }
    ]
    ann, bob = (make_spawner(config=config, user=user, options={}) for user in ("ann", "bob"))
    await ann.load_user_options()
    ann.init_containers[0].env.append("ann's")
    ann.volumes.append("ann's")
    ann.lifecycle_hooks["nested"]["list"].append("ann's")
    await bob.load_user_options()
    assert bob.init_containers[0].env == []
    assert bob.volumes == ["theirs"]
    assert shared == {"nested": {"list": ["theirs"]}} == bob.lifecycle_hooks


async def test_d14_results_of_one_person_reach_no_other(make_spawner: Any) -> None:
    class Token(str):
        __slots__ = ()

        def __repr__(self) -> str:
            return "'***'"

    cached: list[dict[str, Any]] = [{"display_name": "P", "allow_all": True}]

    def own(spawner: Any) -> Any:
        # The same list, changed in place, as a careless cache would.
        name = spawner.user.name
        cached[0]["kubespawner_override"] = {"environment": {"T": Token(name)}}
        cached[1:] = [{"display_name": f"Of {name}", "allow_all": True}]
        return cached

    config = Config({"KubeSpawner": {"profile_list": own}})
    spawners = [make_spawner(config=config, user=user) for user in ("ann", "bob", "ann")]
    for spawner in spawners:
        name = spawner.user.name
        await granted_to(spawner, {"profile": "p"})
        assert spawner.environment == {"T": name}
        assert f"Of {name}" in await spawner.get_options_form()
    for spawner in spawners:
        other = "bob" if spawner.user.name == "ann" else "ann"
        assert (await refusal_of(spawner, {"profile": f"of-{other}"})).reason == Reason.PROFILE


async def test_d14_what_a_hook_allows_one_spawner_it_allows_no_other(make_spawner: Any) -> None:
    override = {"kubespawner_override": {"service_account": "admin"}}
    profiles = [{"display_name": "P", "allow_all": True, **override}]
    config = Config({"KubeSpawner": {"profile_list": profiles}})
    trusted = make_spawner(config=config, options={})
    trusted.allowed_sensitive_overrides = {"service_account"}
    assert await granted_to(trusted) == "p"
    assert (await refusal_of(make_spawner(config=config), {})).status_code == 503


async def test_one_list_for_all_spawners(make_spawner: Any) -> None:
    config = Config({"KubeSpawner": {"profile_list": copy.deepcopy(PROFILES)}})
    one, other = make_spawner(config=config), make_spawner(config=config)
    assert one.profile_list is other.profile_list
    with pytest.raises(TypeError, match="shared by all spawners"):
        one.profile_list[0]["allow_all"] = True
    assert copy.deepcopy(one.profile_list) == PROFILES


# What is remembered and sent


async def test_state_keeps_what_was_granted_over_a_restart(make_spawner: Any) -> None:
    spawner = make_spawner(PROFILES, groups=["gpu"], options={TEXT: "ok/x"})
    await spawner.load_user_options()
    state = json.loads(json.dumps(spawner.get_state()))
    assert state["jhext"]["profile"] == "gpu"
    assert state["jhext"]["choices"] == {TEXT: "ok/x"}
    assert state["jhext"]["policy"]
    restarted = make_spawner(PROFILES, groups=["gpu"], options={"profile": "small"})
    restarted.load_state(state)
    assert restarted.get_state()["jhext"] == state["jhext"]
    restarted.clear_state()
    assert "jhext" not in restarted.get_state()
    restarted.load_state({})
    assert "jhext" not in restarted.get_state()


async def test_labels_tell_what_was_granted(make_spawner: Any) -> None:
    profile = {"display_name": "Ünï/cödé", "slug": "Ünï/cödé", "allow_all": True}
    spawner = make_spawner([profile], user="Ann@example.org", name="lab", options={})
    await spawner.load_user_options()
    pod = V1Pod(metadata=V1ObjectMeta(labels={"keep": "1", "jhext.io/profile": "forged"}))
    for _ in range(2):
        pod = await spawner.before_pod_create(pod)
    labels = pod.metadata.labels
    assert labels["keep"] == "1"
    assert labels["jhext.io/server"] == "lab"
    assert labels["jhext.io/component"] == spawner.component_label
    for key in ("profile", "user"):
        value = labels[f"jhext.io/{key}"]
        assert value.isascii()
        assert value != "forged"
        assert len(value) <= 63
