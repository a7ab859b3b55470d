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
    if "status" in resource.subresources:
        obj.pop("status", None)
    _FILL.get(resource, _fill_nothing)(obj)
    return obj


def _fill_nothing(obj: Object) -> None:
    """Leave an object of a kind without defaults as it is."""


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
    pod["status"] = {"phase": "Pending", "qosClass": _qos_class(spec)}


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
    claim["status"] = {"phase": "Pending"}
    finalizers = claim["metadata"].get("finalizers") or []
    if CLAIM_PROTECTION not in finalizers:
        claim["metadata"]["finalizers"] = [*finalizers, CLAIM_PROTECTION]


def _fill_namespace(namespace: Object) -> None:
    namespace["spec"] = {"finalizers": ["kubernetes"]}
    namespace["status"] = {"phase": "Active"}


def _fill_service(service: Object) -> None:
    spec = service["spec"] = _with_defaults(
        service.get("spec"), type="ClusterIP", sessionAffinity="None"
    )
    if spec["type"] != "ExternalName" and not spec.get("clusterIP"):
        number = next(_service_addresses)
        spec["clusterIP"] = f"10.96.{number // 250 % 250}.{number % 250 + 1}"
    if spec.get("ports"):
        spec["ports"] = [
            _with_defaults(port, protocol="TCP", targetPort=port.get("port"))
            for port in spec["ports"]
        ]
    service["status"] = {"loadBalancer": {}}


def fill_secret(secret: Object) -> None:
    """Turn ``stringData`` into ``data``, as on every write of a secret."""
    secret.setdefault("type", "Opaque")
    if text := secret.pop("stringData", None):
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in text.items()}
        secret["data"] = {**(secret.get("data") or {}), **encoded}


def _with_defaults(document: Object | None, **defaults: Any) -> Object:
    given = {key: value for key, value in (document or {}).items() if value is not None}
    return {**defaults, **given}


_FILL = {
    PODS: _fill_pod,
    CLAIMS: _fill_claim,
    NAMESPACES: _fill_namespace,
    SERVICES: _fill_service,
    SECRETS: fill_secret,
}
