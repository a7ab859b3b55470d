"""What the API server fills into a new object: metadata, defaults of the kind, its first status."""

from __future__ import annotations

import base64
import itertools
import secrets
import uuid
from typing import Any

from .clock import timestamp
from .resources import CLAIMS, NAMESPACES, PODS, SECRETS, SERVICES, Object, Resource

CLAIM_PROTECTION = "kubernetes.io/pvc-protection"
"""The finalizer that keeps a claim for as long as a pod uses it."""

# Kubernetes' own alphabet for generated names: no vowels, no letters that look like digits.
_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5

_service_addresses = itertools.count(1)


def new_object(resource: Resource, namespace: str, body: Object) -> Object:
    """Return ``body`` as the object that is to be created."""
    metadata = dict(body.get("metadata") or {})
    if not metadata.get("name") and metadata.get("generateName"):
        suffix = "".join(secrets.choice(_SUFFIX_ALPHABET) for _ in range(_SUFFIX_LENGTH))
        metadata["name"] = metadata["generateName"] + suffix
    for key in ("resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
        metadata.pop(key, None)
    metadata.pop("namespace", None)
    if resource.namespaced:
        metadata["namespace"] = namespace
    metadata["uid"] = str(uuid.uuid4())
    metadata["creationTimestamp"] = timestamp()
    obj = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        **{key: value for key, value in body.items() if key not in ("apiVersion", "kind")},
        "metadata": metadata,
    }
    obj.pop("status", None)
    begin = {
        PODS: _begin_pod,
        CLAIMS: _begin_claim,
        NAMESPACES: _begin_namespace,
        SERVICES: _begin_service,
    }
    fill_defaults(resource, obj)
    if resource in begin:
        begin[resource](obj)
    return obj


def fill_defaults(resource: Resource, obj: Object) -> None:
    """Fill what an object leaves open, as on every write."""
    fill = {
        PODS: _fill_pod,
        CLAIMS: _fill_claim,
        SERVICES: _fill_service,
        SECRETS: _fill_secret,
    }
    if resource in fill:
        fill[resource](obj)


def _fill_pod(pod: Object) -> None:
    spec = pod["spec"] = _with_defaults(
        pod.get("spec"),
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        securityContext={},
        schedulerName="default-scheduler",
        enableServiceLinks=True,
    )
    for field in ("containers", "initContainers"):
        if spec.get(field):
            spec[field] = [_filled_container(container) for container in spec[field]]


def _begin_pod(pod: Object) -> None:
    pod["status"] = {"phase": "Pending", "qosClass": _qos_class(pod["spec"])}


def _filled_container(container: Object) -> Object:
    image = container.get("image") or ""
    latest = image.endswith(":latest") or ":" not in image.rpartition("/")[2]
    filled = _with_defaults(
        container,
        imagePullPolicy="Always" if latest and "@" not in image else "IfNotPresent",
        resources={},
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
    )
    if filled.get("ports"):
        filled["ports"] = [_with_defaults(port, protocol="TCP") for port in filled["ports"]]
    return filled


def _qos_class(spec: Object) -> str:
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    resources = [container.get("resources") or {} for container in containers]
    if not any(r.get("requests") or r.get("limits") for r in resources):
        return "BestEffort"
    for r in resources:
        limits, requests = r.get("limits") or {}, r.get("requests") or {}
        if not {"cpu", "memory"} <= limits.keys() or any(
            requests.get(name, limits[name]) != limits[name] for name in ("cpu", "memory")
        ):
            return "Burstable"
    return "Guaranteed"


def _fill_claim(claim: Object) -> None:
    claim["spec"] = _with_defaults(claim.get("spec"), volumeMode="Filesystem")


def _begin_claim(claim: Object) -> None:
    claim["status"] = {"phase": "Pending"}
    finalizers = claim["metadata"].get("finalizers") or []
    if CLAIM_PROTECTION not in finalizers:
        claim["metadata"]["finalizers"] = [*finalizers, CLAIM_PROTECTION]


def _begin_namespace(namespace: Object) -> None:
    namespace["spec"] = {"finalizers": ["kubernetes"]}
    namespace["status"] = {"phase": "Active"}


def _fill_service(service: Object) -> None:
    spec = service["spec"] = _with_defaults(
        service.get("spec"), type="ClusterIP", sessionAffinity="None"
    )
    if spec.get("ports"):
        spec["ports"] = [
            _with_defaults(port, protocol="TCP", targetPort=port.get("port"))
            for port in spec["ports"]
        ]


def _begin_service(service: Object) -> None:
    spec = service["spec"]
    if spec["type"] != "ExternalName" and not spec.get("clusterIP"):
        number = next(_service_addresses)
        spec["clusterIP"] = f"10.96.{number // 250 % 250}.{number % 250 + 1}"
    service["status"] = {"loadBalancer": {}}


def _fill_secret(secret: Object) -> None:
    secret.setdefault("type", "Opaque")
    if text := secret.pop("stringData", None):
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in text.items()}
        secret["data"] = {**(secret.get("data") or {}), **encoded}


def _with_defaults(document: Object | None, **defaults: Any) -> Object:
    return {**defaults, **(document or {})}
