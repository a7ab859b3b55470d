"""What creating, changing and deleting means: the semantics of the API over the store."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from .clock import timestamp
from .defaults import fill_defaults, new_object
from .errors import ApiError, already_exists, bad_request, conflict, invalid, not_found
from .patch import apply_patch
from .resources import NAMESPACES, PODS, Object, Resource
from .schema import type_problem
from .store import Store
from .validation import validate, validate_update

# Set by the server alone: a write keeps what is stored.
_SERVER_METADATA = (
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generateName",
)


@dataclass(frozen=True)
class DeleteOptions:
    """How an object is to be deleted.

    Attributes
    ----------
    grace_period
        Seconds between SIGTERM and SIGKILL for a pod's processes; None for what the pod says.
    uid, resource_version
        What the object must have for the deletion to happen; None for any.
    """

    grace_period: int | None = None
    uid: str | None = None
    resource_version: str | None = None

    @classmethod
    def parse(cls, body: Object, query_grace_period: str | None) -> DeleteOptions:
        """Read the options from a request's body and query.

        Raises
        ------
        ApiError
            400, when the grace period is no whole number.
        """
        given = body.get("gracePeriodSeconds") if query_grace_period is None else query_grace_period
        preconditions = body.get("preconditions") or {}
        try:
            grace_period = None if given is None else int(given)
        except ValueError as error:
            raise bad_request(f"invalid gracePeriodSeconds: {given!r}") from error
        return cls(grace_period, preconditions.get("uid"), preconditions.get("resourceVersion"))


class Registry:
    """The operations of the API, each one a single step without waiting.

    Parameters
    ----------
    store
        Where the objects are.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def create(
        self, resource: Resource, namespace: str, body: Object, *, dry_run: bool = False
    ) -> Object:
        """Create an object and return it as stored.

        Raises
        ------
        ApiError
            400, 403, 404, 409 or 422, as Kubernetes decides.
        """
        if body.get("kind") not in (None, "", resource.kind):
            raise bad_request(
                f'{body["kind"]} in version "{body.get("apiVersion")}" cannot be handled as a '
                f"{resource.kind}: no kind matches"
            )
        body = _decoded(resource, body)
        if resource.namespaced:
            self._check_namespace(resource, namespace, body)
        obj = new_object(resource, namespace, body)
        validate(resource, obj)
        name = obj["metadata"]["name"]
        if self.store.find(resource, namespace, name):
            raise already_exists(resource, name)
        return obj if dry_run else self.store.put(resource, obj)

    def _check_namespace(self, resource: Resource, namespace: str, body: Object) -> None:
        stated = (body.get("metadata") or {}).get("namespace")
        if stated not in (None, "", namespace):
            raise bad_request(
                "the namespace of the provided object does not match the namespace sent on the "
                "request"
            )
        if "deletionTimestamp" in self.store.get(NAMESPACES, "", namespace)["metadata"]:
            raise ApiError(
                403,
                "Forbidden",
                f"{resource.qualified_name} is forbidden: unable to create new content in "
                f"namespace {namespace} because it is being terminated",
                kind=resource.plural,
            )

    def replace(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        new: Object,
        *,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Object:
        """Write another state of an object and return it as stored.

        Parameters
        ----------
        subresource
            ``status`` to write the status and nothing else, empty for all but the status.

        Raises
        ------
        ApiError
            400, 404, 409 or 422, as Kubernetes decides.
        """
        old = self.store.get(resource, namespace, name)
        wanted = self._merged_with_stored(resource, old, _decoded(resource, new), subresource)
        fill_defaults(resource, wanted)
        validate(resource, wanted)
        validate_update(resource, old, wanted)
        if dry_run or _content(wanted) == _content(old):
            return wanted
        if _is_released(wanted):
            return self.store.remove(resource, wanted)
        return self.store.put(resource, wanted)

    def _merged_with_stored(
        self, resource: Resource, old: Object, new: Object, subresource: str
    ) -> Object:
        """Return what of ``new`` a write may change, on top of what is stored."""
        name, stored = old["metadata"]["name"], old["metadata"]
        given = new.get("metadata") or {}
        if given.get("name", name) != name:
            raise bad_request(
                f"the name of the object ({given['name']}) does not match the name on the URL "
                f"({name})"
            )
        if given.get("resourceVersion") not in (None, "", stored["resourceVersion"]):
            raise conflict(
                resource,
                name,
                "the object has been modified; please apply your changes to the latest version "
                "and try again",
            )
        if given.get("uid") not in (None, "", stored["uid"]):
            raise conflict(
                resource,
                name,
                f"Precondition failed: UID in precondition: {given['uid']}, "
                f"UID in object meta: {stored['uid']}",
            )
        metadata = {key: value for key, value in given.items() if key not in _SERVER_METADATA}
        metadata.update({key: stored[key] for key in _SERVER_METADATA if key in stored})
        metadata["resourceVersion"] = stored["resourceVersion"]
        if subresource == "status":
            return {**old, "metadata": metadata, "status": new.get("status") or {}}
        wanted = {
            **new,
            "apiVersion": old["apiVersion"],
            "kind": old["kind"],
            "metadata": metadata,
        }
        if "status" in resource.subresources:
            wanted["status"] = old.get("status", {})
        return wanted

    def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        patch: Any,
        content_type: str,
        *,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Object:
        """Change an object by a patch and return it as stored.

        Raises
        ------
        ApiError
            400, 404, 409, 415 or 422, as Kubernetes decides.
        """
        old = self.store.get(resource, namespace, name)
        new = apply_patch(copy.deepcopy(old), patch, content_type)
        if problem := type_problem(resource, new):
            raise invalid(resource, name, "patch", f"Invalid value: {problem}")
        return self.replace(
            resource, namespace, name, new, subresource=subresource, dry_run=dry_run
        )

    def bind(self, namespace: str, name: str, node: str) -> Object:
        """Put a pod on a node.

        Raises
        ------
        ApiError
            404 for a pod that does not exist, 409 for one that is on a node already.
        """
        pod = self.store.get(PODS, namespace, name)
        if pod["spec"].get("nodeName"):
            raise conflict(
                PODS, name, f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"'
            )
        return self.store.put(PODS, {**pod, "spec": {**pod["spec"], "nodeName": node}})

    def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        options: DeleteOptions,
        *,
        dry_run: bool = False,
    ) -> Object:
        """Delete an object, or begin to, and return its last or present state.

        A pod on a node is only marked: whoever runs it deletes it with a grace period of 0 when
        its processes are gone. So is an object with finalizers, until the last one is removed.

        Raises
        ------
        ApiError
            404 or 409, as Kubernetes decides.
        """
        obj = self.store.get(resource, namespace, name)
        metadata = obj["metadata"]
        for field, wanted, word in (
            ("uid", options.uid, "UID"),
            ("resourceVersion", options.resource_version, "ResourceVersion"),
        ):
            if wanted is not None and wanted != metadata[field]:
                raise conflict(
                    resource,
                    name,
                    f"Precondition failed: {word} in precondition: {wanted}, "
                    f"{word} in object meta: {metadata[field]}",
                )
        if dry_run:
            return obj
        grace = _grace_period(resource, obj, options)
        held = bool(metadata.get("finalizers")) or resource is NAMESPACES
        if grace == 0 and not held:
            return self.store.remove(resource, obj)
        running_grace = metadata.get("deletionGracePeriodSeconds")
        if running_grace is not None and (options.grace_period is None or running_grace <= grace):
            return obj
        marked = {
            **obj,
            "metadata": {
                **metadata,
                "deletionTimestamp": timestamp(grace),
                "deletionGracePeriodSeconds": grace,
            },
        }
        if resource is NAMESPACES:
            marked["status"] = {**obj["status"], "phase": "Terminating"}
        return self.store.put(resource, marked)

    def finalize_namespace(self, name: str) -> None:
        """Remove a namespace that is being deleted and empty."""
        namespace = self.store.find(NAMESPACES, "", name)
        if namespace is None:
            raise not_found(NAMESPACES, name)
        self.store.remove(NAMESPACES, namespace)


def _decoded(resource: Resource, body: Object) -> Object:
    """Return a document without its nulls, which say nothing in Kubernetes.

    Raises
    ------
    ApiError
        400, when a field has the wrong type.
    """
    if problem := type_problem(resource, body):
        raise bad_request(
            f'{resource.kind} in version "{resource.api_version}" cannot be handled as a '
            f"{resource.kind}: {problem}"
        )
    decoded: Object = _without_nulls(body)
    return decoded


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _grace_period(resource: Resource, obj: Object, options: DeleteOptions) -> int:
    if resource is not PODS:
        return 0
    if not obj["spec"].get("nodeName") or obj["status"].get("phase") in ("Succeeded", "Failed"):
        return 0
    if options.grace_period is not None:
        return max(options.grace_period, 0)
    return int(obj["spec"]["terminationGracePeriodSeconds"])


def _content(obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
    return {**obj, "metadata": metadata}


def _is_released(obj: Object) -> bool:
    """Return whether an object being deleted has nothing left that holds it."""
    metadata = obj["metadata"]
    return (
        obj["kind"] != NAMESPACES.kind
        and "deletionTimestamp" in metadata
        and not metadata.get("finalizers")
        and not metadata.get("deletionGracePeriodSeconds")
    )
