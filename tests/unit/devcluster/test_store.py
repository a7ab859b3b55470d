"""The store and its history."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.devcluster.errors import ApiError
from jhext.devcluster.resources import CONFIG_MAPS, NAMESPACES, SECRETS
from jhext.devcluster.selectors import label_predicate
from jhext.devcluster.store import Change, Store, follow
from jhext.devcluster.watch import Selection, translate, watch

from .conftest import eventually

WRITES = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["put", "remove"]), st.booleans()),
    max_size=30,
)


def config_map(name: str, watched: bool = False, namespace: str = "n") -> dict[str, Any]:
    labels = {"watched": "yes"} if watched else {}
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels}}


def write(store: Store, writes: list[tuple[str, str, bool]]) -> None:
    for name, action, watched in writes:
        if action == "put":
            store.put(CONFIG_MAPS, config_map(name, watched))
        elif obj := store.find(CONFIG_MAPS, "n", name):
            store.remove(CONFIG_MAPS, obj)


@given(before=WRITES, after=WRITES)
def test_whoever_watches_ends_with_what_is_there(
    before: list[tuple[str, str, bool]], after: list[tuple[str, str, bool]]
) -> None:
    """List, then the events since: a reflector's view is the store's, for any selection."""
    store = Store()
    selection = Selection(CONFIG_MAPS, "n", label_predicate("watched=yes"))
    write(store, before)
    view = {
        obj["metadata"]["name"]: obj
        for obj in store.items(CONFIG_MAPS, "n")
        if selection.includes(obj)
    }
    revision = store.revision
    write(store, after)
    for change in store.changes_since(revision):
        if not (event := translate(change, selection)):
            continue
        event_type, obj = event
        name = obj["metadata"]["name"]
        assert (event_type == "ADDED") is (name not in view)
        if event_type == "DELETED":
            del view[name]
        else:
            view[name] = obj
    found = [obj for obj in store.items(CONFIG_MAPS, "n") if selection.includes(obj)]
    assert view == {obj["metadata"]["name"]: obj for obj in found}


@given(writes=WRITES)
def test_revisions_only_grow(writes: list[tuple[str, str, bool]]) -> None:
    store = Store()
    first = store.revision
    write(store, writes)
    revisions = [change.revision for change in store.changes_since(first)]
    assert revisions == sorted(set(revisions))
    assert [str(revision) for revision in revisions] == [
        change.object["metadata"]["resourceVersion"] for change in store.changes_since(first)
    ]


def test_stored_objects_are_not_changed_by_a_write() -> None:
    store = Store()
    first = store.put(CONFIG_MAPS, config_map("a"))
    version = first["metadata"]["resourceVersion"]
    store.put(CONFIG_MAPS, {**first, "data": {"x": "y"}})
    assert "data" not in first
    assert first["metadata"]["resourceVersion"] == version


def test_namespaces_and_kinds_apart() -> None:
    store = Store()
    store.put(CONFIG_MAPS, config_map("a", namespace="m"))
    store.put(CONFIG_MAPS, config_map("a", namespace="n"))
    store.put(NAMESPACES, {"metadata": {"name": "n"}})
    assert len(store.items(CONFIG_MAPS)) == 2
    assert len(store.items(CONFIG_MAPS, "n")) == 1
    assert store.find(SECRETS, "n", "a") is None
    assert store.find(NAMESPACES, "ignored", "n")
    with pytest.raises(ApiError) as missing:
        store.get(CONFIG_MAPS, "o", "a")
    assert (missing.value.code, missing.value.reason) == (404, "NotFound")


def test_history_ends_somewhere() -> None:
    store = Store(history=3)
    first = store.revision
    for name in "abcd":
        store.put(CONFIG_MAPS, config_map(name))
    assert len(store.changes_since(first + 1)) == 3
    with pytest.raises(ApiError) as expired:
        store.changes_since(first)
    assert (expired.value.code, expired.value.reason) == (410, "Expired")


def test_versions_of_an_earlier_cluster_are_too_old() -> None:
    """A hub that outlives the cluster lists anew instead of waiting for what never comes."""
    earlier = Store()
    earlier.put(CONFIG_MAPS, config_map("a"))
    later = Store()
    later.revision = later._oldest = earlier.revision + 1000  # a second has passed
    with pytest.raises(ApiError):
        later.changes_since(earlier.revision)


async def test_watch_tells_when_it_comes_too_late() -> None:
    store = Store()
    selection = Selection(CONFIG_MAPS, None, lambda obj: True)
    events = [
        event
        async for event in watch(store, selection, since=1, timeout_seconds=5, bookmarks=False)
    ]
    assert [event_type for event_type, _ in events] == ["ERROR"]
    assert events[0][1]["code"] == 410


async def test_one_bad_object_does_not_stop_a_controller() -> None:
    store, seen, warnings = Store(), [], []

    async def react(change: Change) -> None:
        name = change.object["metadata"]["name"]
        if name == "bad":
            raise KeyError(name)
        seen.append(name)

    with store.subscribe() as changes:
        following = asyncio.create_task(follow(changes, react, warnings.append))
        for name in ("bad", "good"):
            store.put(CONFIG_MAPS, config_map(name))
        await eventually(lambda: seen == ["good"])
        following.cancel()
    assert ["configmaps bad: KeyError('bad')" in warning for warning in warnings] == [True]


def test_other_kinds_are_no_event() -> None:
    change = Change(1, SECRETS, "ADDED", config_map("a"), None)
    assert translate(change, Selection(CONFIG_MAPS, None, lambda obj: True)) is None
