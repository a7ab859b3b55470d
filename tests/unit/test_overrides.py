"""Overrides on a spawner, and taking them back."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from traitlets import TraitError

from jhext.overrides import AppliedOverrides

# Each: what is configured, the overrides, and what they make of it.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "unset": ({}, {"mem_limit": "1G"}, {"mem_limit": 1024**3}),
    "set": ({"mem_limit": "2G"}, {"mem_limit": "1G"}, {"mem_limit": 1024**3}),
    "to none": ({"mem_limit": "2G"}, {"mem_limit": None}, {"mem_limit": None}),
    "default that is computed": ({}, {"namespace": "x"}, {"namespace": "x"}),
    "list": ({"cmd": ["a"]}, {"cmd": ["b"]}, {"cmd": ["b"]}),
    "dict": (
        {"environment": {"A": "1", "B": "1"}},
        {"environment": {"A": None, "B": "2", "C": "2"}},
        {"environment": {"B": "2", "C": "2"}},
    ),
    "nested dict": (
        {"lifecycle_hooks": {"postStart": {"a": {"x": 1, "y": 1}}}},
        {"lifecycle_hooks": {"postStart": {"a": {"x": None, "z": 1}}}},
        {"lifecycle_hooks": {"postStart": {"a": {"y": 1, "z": 1}}}},
    ),
    "dict over list": (
        {"volumes": [{"name": "a"}]},
        {"volumes": {"b": {}}},
        {"volumes": {"b": {}}},
    ),
    "list over dict": ({"volumes": {"a": {}}}, {"volumes": [{}]}, {"volumes": [{}]}),
    "callable": ({"image": "a"}, {"image": lambda s: s.image + "b"}, {"image": "ab"}),
}


@pytest.mark.parametrize(("configured", "overrides", "made"), CASES.values(), ids=CASES)
async def test_d40_apply_and_undo(
    make_spawner: Any, configured: dict[str, Any], overrides: Any, made: dict[str, Any]
) -> None:
    """F-06."""
    spawner = make_spawner(**copy.deepcopy(configured))
    twin = make_spawner(**copy.deepcopy(configured))
    written = copy.deepcopy(overrides)
    applied = AppliedOverrides(spawner)
    for _ in range(2):
        applied.apply(overrides)
        assert {name: getattr(spawner, name) for name in made} == made
        applied.undo()
        assert {n: getattr(spawner, n) for n in made} == {n: getattr(twin, n) for n in made}
    assert overrides == written


async def test_undo_goes_back_behind_all_that_was_applied(make_spawner: Any) -> None:
    spawner = make_spawner(environment={"A": "base"}, image="base")
    applied = AppliedOverrides(spawner)
    applied.apply({"environment": {"A": "profile", "B": "profile"}, "image": "profile"})
    applied.apply({"environment": {"B": "choice"}})
    assert spawner.environment == {"A": "profile", "B": "choice"}
    applied.undo()
    assert (spawner.environment, spawner.image) == ({"A": "base"}, "base")
    spawner.image = "hook"
    applied.undo()
    assert spawner.image == "hook"


async def test_d40_undo_after_an_override_that_fails_half_way(make_spawner: Any) -> None:
    spawner = make_spawner(environment={"A": "base"})
    applied = AppliedOverrides(spawner)
    with pytest.raises(TraitError):
        applied.apply({"environment": {"A": "x"}, "image": "x", "mem_limit": "much"})
    applied.undo()
    assert spawner.environment == {"A": "base"}
    assert spawner.image != "x"


async def coroutine() -> str:
    return "x"


async def test_callable_that_gives_a_coroutine_is_an_error(make_spawner: Any) -> None:
    spawner = make_spawner()
    with pytest.raises(TypeError, match="environment is async"):
        AppliedOverrides(spawner).apply({"environment": lambda spawner: coroutine()})
    assert spawner.environment == {}


async def test_callable_that_gives_a_callable_is_called_once(make_spawner: Any) -> None:
    def hook(spawner: Any, pod: Any) -> Any:
        return pod

    spawner = make_spawner()
    AppliedOverrides(spawner).apply({"modify_pod_hook": lambda spawner: hook})
    assert spawner.modify_pod_hook is hook


async def test_d40_values_of_overrides_do_not_end_up_in_the_spawner(make_spawner: Any) -> None:
    value = {"a": {"name": "a", "list": [1]}}
    for given_value in (value, lambda spawner: value):
        spawner = make_spawner()
        applied = AppliedOverrides(spawner)
        applied.apply({"volumes": given_value})
        applied.apply({"volumes": {"a": {"name": "changed", "more": 1}}})
        spawner.volumes["a"]["list"].append(2)
    assert value == {"a": {"name": "a", "list": [1]}}


names = st.sampled_from(["environment", "extra_labels", "cmd", "image", "mem_limit", "volumes"])
values = {
    "environment": st.dictionaries(st.sampled_from("AB"), st.none() | st.just("v")),
    "extra_labels": st.dictionaries(st.sampled_from("ab"), st.none() | st.just("v")),
    "cmd": st.lists(st.just("c"), max_size=2),
    "image": st.sampled_from(["x", "y"]),
    "mem_limit": st.sampled_from(["1G", None]),
    "volumes": st.lists(st.just({"name": "v"}))
    | st.dictionaries(st.sampled_from("ab"), st.just({})),
}
override = names.flatmap(lambda name: values[name].map(lambda value: {name: value}))


@given(sequence=st.lists(override, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
async def test_d40_whatever_was_applied_nothing_is_left(make_spawner: Any, sequence: Any) -> None:
    spawner = make_spawner(environment={"A": "base"}, volumes={"a": {"name": "base"}})
    before = copy.deepcopy({name: getattr(spawner, name) for name in values})
    applied = AppliedOverrides(spawner)
    for overrides in sequence:
        applied.apply(overrides)
    applied.undo()
    assert {name: getattr(spawner, name) for name in values} == before
