"""Values that are shared and cannot be changed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes_asyncio.client import V1Container

from jhext.profiles.freeze import FrozenDict, FrozenList, freeze, share, thaw

CHANGES: dict[str, Callable[[Any], Any]] = {
    "set item": lambda value: value["list"].__setitem__(0, 1),
    "delete item": lambda value: value["list"].__delitem__(0),
    "append": lambda value: value["list"].append(1),
    "extend": lambda value: value["list"].extend([1]),
    "add in place": lambda value: value["list"].__iadd__([1]),
    "multiply in place": lambda value: value["list"].__imul__(2),
    "insert": lambda value: value["list"].insert(0, 1),
    "pop": lambda value: value["list"].pop(),
    "remove": lambda value: value["list"].remove(0),
    "reverse": lambda value: value["list"].reverse(),
    "sort": lambda value: value["list"].sort(),
    "clear": lambda value: value["list"].clear(),
    "set key": lambda value: value.__setitem__("a", 1),
    "delete key": lambda value: value.__delitem__("list"),
    "update": lambda value: value.update(a=1),
    "merge in place": lambda value: value.__ior__({"a": 1}),
    "setdefault": lambda value: value.setdefault("a", 1),
    "pop key": lambda value: value.pop("list"),
    "popitem": lambda value: value.popitem(),
    "clear dict": lambda value: value.clear(),
    "deep": lambda value: value["inner"]["list"].append(1),
    "in a tuple": lambda value: value["tuple"][0].append(1),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_d40_frozen_values_refuse_changes(change: Callable[[Any], Any]) -> None:
    original = {"list": [0], "inner": {"list": [0]}, "tuple": ([0],)}
    frozen = freeze(original)
    with pytest.raises(TypeError, match="shared by all spawners"):
        change(frozen)
    assert thaw(frozen) == {"list": [0], "inner": {"list": [0]}, "tuple": [[0]]}


def test_every_method_that_changes_is_covered() -> None:
    reading = {"copy", "get", "items", "keys", "values", "fromkeys", "count", "index"}
    for frozen, plain in ((FrozenDict, dict), (FrozenList, list)):
        public = {name for name in vars(plain) if not name.startswith("_")} - reading
        changing = public | {"__setitem__", "__delitem__"}
        assert all(getattr(frozen, name) is FrozenDict._refuse for name in changing)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
)


@given(json)
def test_thawing_gives_what_was_frozen(value: Any) -> None:
    original = copy.deepcopy(value)
    frozen = freeze(value)
    assert frozen == original
    assert freeze(frozen) is frozen
    assert copy.deepcopy(frozen) == original
    thawed = thaw(frozen)
    assert thawed == original
    assert _kinds(thawed) <= {dict, list, str, int, bool, type(None)}
    assert value == original


def _kinds(value: Any) -> set[type]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {type(value)}.union(*map(_kinds, inner))


def test_d40_thawed_values_share_nothing_that_can_change() -> None:
    container = V1Container(name="a", image="a:1", args=["x"])
    frozen = freeze({"containers": [container], "names": {"set"}, "call": print})
    thawed = thaw(frozen)
    thawed["containers"][0].args.append("y")
    thawed["names"].add("z")
    assert container.args == ["x"]
    assert frozen["names"] == {"set"}
    assert thawed["call"] is print


def test_d40_shared_value_is_frozen_once_and_never_copied() -> None:
    value = [{"display_name": "A"}]
    shared = share(value)
    assert share(value) is shared
    assert copy.deepcopy(shared) is shared
    assert shared.value == value
    assert share(list(value)) is not shared
