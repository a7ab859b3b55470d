"""The table of Kubernetes kinds that the embedded cluster serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]
"""A Kubernetes object as its JSON document."""

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")

_OBJECT_FIELDS = {"metadata.name": "metadata.name", "metadata.namespace": "metadata.namespace"}


@dataclass(frozen=True, eq=False)
class Resource:
    """One kind, and what the API offers for it.

    Attributes
    ----------
    fields
        Label of a field selector → path in the object, beside name and namespace. Every other
        label is refused, as by Kubernetes.
    returns_deleted
        Whether DELETE answers with the object that is gone instead of a ``Status``.
    """

    plural: str
    kind: str
    group: str = ""
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = VERBS
    fields: Mapping[str, str] = field(default_factory=dict)
    returns_deleted: bool = False

    @property
    def api_version(self) -> str:
        """Group and version as ``apiVersion`` has them."""
        return f"{self.group}/v1" if self.group else "v1"

    @property
    def qualified_name(self) -> str:
        """The name that messages use, such as ``pods`` or ``leases.coordination.k8s.io``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def selectable_fields(self) -> Mapping[str, str]:
        """Every label that a field selector may name → its path in the object."""
        return {**_OBJECT_FIELDS, **self.fields}


def _same(*paths: str) -> dict[str, str]:
    return {path: path for path in paths}


PODS = Resource(
    "pods",
    "Pod",
    short_names=("po",),
    subresources=("status", "log", "binding", "eviction"),
    fields=_same(
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    returns_deleted=True,
)
CLAIMS = Resource(
    "persistentvolumeclaims",
    "PersistentVolumeClaim",
    short_names=("pvc",),
    subresources=("status",),
    returns_deleted=True,
)
SERVICES = Resource("services", "Service", short_names=("svc",), subresources=("status",))
SECRETS = Resource("secrets", "Secret", fields=_same("type"))
CONFIG_MAPS = Resource("configmaps", "ConfigMap", short_names=("cm",))
SERVICE_ACCOUNTS = Resource(
    "serviceaccounts", "ServiceAccount", short_names=("sa",), returns_deleted=True
)
EVENTS = Resource(
    "events",
    "Event",
    short_names=("ev",),
    fields={
        **_same(
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "type",
        ),
        "source": "source.component",
    },
)
NAMESPACES = Resource(
    "namespaces",
    "Namespace",
    namespaced=False,
    short_names=("ns",),
    subresources=("status",),
    fields=_same("status.phase"),
    returns_deleted=True,
)
NODES = Resource(
    "nodes",
    "Node",
    namespaced=False,
    short_names=("no",),
    subresources=("status",),
    fields=_same("spec.unschedulable"),
)
ACCESS_REVIEWS = Resource(
    "selfsubjectaccessreviews",
    "SelfSubjectAccessReview",
    group="authorization.k8s.io",
    namespaced=False,
    verbs=("create",),
)

RESOURCES = (
    CONFIG_MAPS,
    EVENTS,
    NAMESPACES,
    NODES,
    CLAIMS,
    PODS,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    ACCESS_REVIEWS,
)
"""Every kind that is served."""

_BY_PATH = {(resource.api_version, resource.plural): resource for resource in RESOURCES}


def find_resource(api_version: str, plural: str) -> Resource | None:
    """Return the kind that a URL names, or None when it is not served."""
    return _BY_PATH.get((api_version, plural))
