"""The clean-up: the garbage collector of owned objects, and the end of namespaces."""

from __future__ import annotations

from contextlib import suppress

from .errors import ApiError
from .registry import DeleteOptions, Registry
from .resources import ACCESS_REVIEWS, NAMESPACES, RESOURCES, SERVICE_ACCOUNTS, Object, Resource
from .store import Change

_STORED = tuple(resource for resource in RESOURCES if resource is not ACCESS_REVIEWS)


class CleanUpController:
    """Deletes what has lost its owner or its namespace."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store

    async def react(self, change: Change) -> None:
        """Delete what depended on a deleted object, and finish namespaces that are empty."""
        if change.resource is NAMESPACES:
            self._follow_namespace(change)
        elif change.type == "DELETED" and change.resource.namespaced:
            self._finish_namespace(change.object["metadata"]["namespace"])
        if change.type == "DELETED":
            self._collect_dependents(change.object["metadata"]["uid"])

    def _follow_namespace(self, change: Change) -> None:
        name = change.object["metadata"]["name"]
        if change.type == "ADDED":
            with suppress(ApiError):  # the namespace is being deleted again
                self._registry.create(SERVICE_ACCOUNTS, name, {"metadata": {"name": "default"}})
        elif change.type == "MODIFIED" and "deletionTimestamp" in change.object["metadata"]:
            for resource, obj in self._contents(name):
                if "deletionTimestamp" not in obj["metadata"]:
                    self._delete(resource, obj)
            self._finish_namespace(name)

    def _finish_namespace(self, name: str) -> None:
        namespace = self._store.find(NAMESPACES, "", name)
        if namespace and "deletionTimestamp" in namespace["metadata"] and not self._contents(name):
            self._registry.finalize_namespace(name)

    def _contents(self, namespace: str) -> list[tuple[Resource, Object]]:
        return [
            (resource, obj)
            for resource in _STORED
            if resource.namespaced
            for obj in self._store.items(resource, namespace)
        ]

    def _collect_dependents(self, uid: str) -> None:
        """Delete what was owned by the deleted object and nothing else that still exists."""
        living = {
            obj["metadata"]["uid"] for resource in _STORED for obj in self._store.items(resource)
        }
        for resource in _STORED:
            for obj in self._store.items(resource):
                owners = {
                    reference["uid"] for reference in obj["metadata"].get("ownerReferences") or ()
                }
                if uid in owners and not owners & living:
                    self._delete(resource, obj)

    def _delete(self, resource: Resource, obj: Object) -> None:
        metadata = obj["metadata"]
        self._registry.delete(
            resource, metadata.get("namespace", ""), metadata["name"], DeleteOptions()
        )
