"""The objects of the cluster, and the history of their changes by resourceVersion."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from .errors import ApiError, not_found
from .resources import Object, Resource

ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True)
class Change:
    """One write: what it left, and what was there before (None for a new object)."""

    revision: int
    resource: Resource
    type: ChangeType
    object: Object
    previous: Object | None


class Store:
    """Every object by kind, namespace and name.

    A stored object is never changed in place: a write replaces it, so whoever has read one may
    keep it. All methods return without waiting, hence need no lock in one event loop.

    Parameters
    ----------
    history
        How many changes are kept for watches that come back; older ones are answered with 410.
    """

    def __init__(self, history: int = 5000) -> None:
        # A client that outlives a restart must find its resourceVersion too old, not in the
        # future; hence the clock, which outruns any number of writes.
        self.revision = int(time.time() * 1000)
        self._objects: dict[Resource, dict[tuple[str, str], Object]] = {}
        self._history: deque[Change] = deque(maxlen=history)
        self._oldest = self.revision
        self._subscribers: set[asyncio.Queue[Change]] = set()

    def find(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """Return an object, or None; ``namespace`` is ignored for kinds that have none."""
        key = (namespace if resource.namespaced else "", name)
        return self._objects.get(resource, {}).get(key)

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """Return an object.

        Raises
        ------
        ApiError
            404, when it does not exist.
        """
        obj = self.find(resource, namespace, name)
        if obj is None:
            raise not_found(resource, name)
        return obj

    def items(self, resource: Resource, namespace: str | None = None) -> list[Object]:
        """Return the objects of a kind by namespace and name; None means every namespace."""
        return [
            obj
            for key, obj in sorted(self._objects.get(resource, {}).items())
            if namespace is None or key[0] == namespace
        ]

    def put(self, resource: Resource, obj: Object) -> Object:
        """Store a new object or another state of one; the caller hands ``obj`` over."""
        objects = self._objects.setdefault(resource, {})
        previous = objects.get(_key(obj))
        return self._record(resource, "MODIFIED" if previous else "ADDED", obj, previous)

    def remove(self, resource: Resource, obj: Object) -> Object:
        """Take an object out and return its last state; the caller hands ``obj`` over."""
        previous = self._objects[resource].pop(_key(obj))
        return self._record(resource, "DELETED", obj, previous)

    def _record(
        self, resource: Resource, change_type: ChangeType, obj: Object, previous: Object | None
    ) -> Object:
        self.revision += 1
        stored = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.revision)}}
        if change_type != "DELETED":
            self._objects[resource][_key(stored)] = stored
        if len(self._history) == self._history.maxlen:
            self._oldest = self._history[0].revision
        change = Change(self.revision, resource, change_type, stored, previous)
        self._history.append(change)
        for queue in self._subscribers:
            queue.put_nowait(change)
        return stored

    def changes_since(self, revision: int) -> list[Change]:
        """Return what was written after ``revision``.

        Raises
        ------
        ApiError
            410, when that history is no longer kept.
        """
        if revision < self._oldest:
            raise ApiError(410, "Expired", f"too old resource version: {revision} ({self._oldest})")
        return [change for change in self._history if change.revision > revision]

    @contextmanager
    def subscribe(self) -> Iterator[asyncio.Queue[Change]]:
        """Give a queue that receives every change from now on."""
        queue: asyncio.Queue[Change] = asyncio.Queue()
        self._subscribers.add(queue)
        try:
            yield queue
        finally:
            self._subscribers.discard(queue)


async def follow(
    changes: asyncio.Queue[Change],
    react: Callable[[Change], Awaitable[None]],
    warn: Callable[[str], None],
) -> None:
    """Let something react to one change after the other, until cancelled.

    What it cannot deal with is told to ``warn``, and does not keep it from what comes next.
    """
    while True:
        change = await changes.get()
        try:
            await react(change)
        except Exception as error:
            name = change.object["metadata"]["name"]
            warn(f"{react.__qualname__}: {change.resource.plural} {name}: {error!r}")


def _key(obj: Object) -> tuple[str, str]:
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]
