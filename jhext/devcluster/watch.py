"""Watching: the history and the coming changes as the events of one selection."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

from .errors import ApiError
from .resources import Object, Resource
from .selectors import Predicate
from .store import Change, Store

Event = tuple[str, Object]
"""The type of a watch event, and its object."""

BOOKMARK_SECONDS = 1.0
"""How long a quiet watch goes without a bookmark, where the client asked for them."""

_DEFAULT_TIMEOUT = (1800.0, 3600.0)


@dataclass(frozen=True)
class Selection:
    """What one list or watch is about."""

    resource: Resource
    namespace: str | None
    predicate: Predicate

    def includes(self, obj: Object | None) -> bool:
        """Return whether an object belongs to the selection; None, for no object, does not."""
        if obj is None:
            return False
        in_namespace = self.namespace in (None, obj["metadata"].get("namespace"))
        return in_namespace and self.predicate(obj)


def translate(change: Change, selection: Selection) -> Event | None:
    """Return what a change means to those who watch the selection; None for nothing.

    An object that comes to match appears as added, one that no longer does as deleted.
    """
    if change.resource is not selection.resource:
        return None
    was = selection.includes(change.previous)
    matches = selection.includes(change.object)
    if change.type == "DELETED":
        return ("DELETED", change.object) if was or matches else None
    if matches:
        return ("MODIFIED" if was else "ADDED"), change.object
    return ("DELETED", change.object) if was else None


async def watch(
    store: Store,
    selection: Selection,
    *,
    since: int | None,
    timeout_seconds: float | None,
    bookmarks: bool,
) -> AsyncIterator[Event]:
    """Yield the selection's events until the timeout, in seconds.

    Parameters
    ----------
    since
        The resourceVersion to continue from; None begins with what exists. One that is too old
        is answered by an ``ERROR`` event, as in Kubernetes.
    bookmarks
        Whether a quiet watch yields bookmarks.
    """
    lifetime = random.uniform(*_DEFAULT_TIMEOUT) if timeout_seconds is None else timeout_seconds  # noqa: S311 - only spreads reconnects
    loop = asyncio.get_running_loop()
    end = loop.time() + lifetime
    with store.subscribe() as queue:
        for event in _backlog(store, selection, since):
            yield event
            if event[0] == "ERROR":
                return
        while (left := end - loop.time()) > 0:
            try:
                async with asyncio.timeout(min(left, BOOKMARK_SECONDS) if bookmarks else left):
                    change = await queue.get()
            except TimeoutError:
                if bookmarks:
                    yield "BOOKMARK", bookmark(selection.resource, store.revision)
                continue
            if event_or_none := translate(change, selection):
                yield event_or_none


def _backlog(store: Store, selection: Selection, since: int | None) -> list[Event]:
    if since is None:
        existing = store.items(selection.resource, selection.namespace)
        return [("ADDED", obj) for obj in existing if selection.includes(obj)]
    try:
        changes = store.changes_since(since)
    except ApiError as expired:
        return [("ERROR", expired.status())]
    return [event for change in changes if (event := translate(change, selection))]


def bookmark(resource: Resource, revision: int) -> Object:
    """Return the object of a bookmark: nothing but the resourceVersion reached."""
    return {
        "kind": resource.kind,
        "apiVersion": resource.api_version,
        "metadata": {"resourceVersion": str(revision), "creationTimestamp": None},
    }
