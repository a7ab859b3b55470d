"""The rules of Kubernetes that the embedded cluster enforces on a whole object.

Only what keeps the cluster itself consistent: names, labels, references inside a pod. Whether a
manifest is one that Kubernetes takes is for a real API server to say.
"""

from __future__ import annotations

import re
from typing import Any

from .errors import invalid
from .resources import NAMESPACES, PODS, SERVICES, Object, Resource

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SERVICE_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_LABEL_KEY = re.compile(
    r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
)

_MAX_NAME = 253
_MAX_LABEL = 63

# What of a pod's spec may still change (ValidatePodUpdate of Kubernetes), beside the images.
_MUTABLE_POD_FIELDS = frozenset(
    {"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"}
)


def validate(resource: Resource, obj: Object) -> None:
    """Refuse an object that Kubernetes would not store.

    Raises
    ------
    ApiError
        422, naming the first field that is wrong.
    """
    _validate_name(resource, obj)
    _validate_labels(resource, obj)
    if resource is PODS:
        _validate_pod(obj)


def _validate_name(resource: Resource, obj: Object) -> None:
    name = obj["metadata"].get("name") or ""
    field = "metadata.name"
    if not name:
        raise invalid(resource, name, field, "Required value: name or generateName is required")
    if resource is SERVICES:
        well_formed = _SERVICE_NAME.fullmatch(name) and len(name) <= _MAX_LABEL
        kind_of_name = "DNS-1035 label"
    elif resource is NAMESPACES:
        well_formed = _DNS_LABEL.fullmatch(name) and len(name) <= _MAX_LABEL
        kind_of_name = "DNS-1123 label"
    else:
        well_formed = _SUBDOMAIN.fullmatch(name) and len(name) <= _MAX_NAME
        kind_of_name = "DNS-1123 subdomain"
    if not well_formed:
        raise invalid(
            resource, name, field, f'Invalid value: "{name}": must be a valid {kind_of_name}'
        )


def _validate_labels(resource: Resource, obj: Object) -> None:
    name = obj["metadata"]["name"]
    for key, value in (obj["metadata"].get("labels") or {}).items():
        if not _LABEL_KEY.fullmatch(key):
            raise invalid(resource, name, "metadata.labels", f'Invalid value: "{key}": label key')
        if not _LABEL_VALUE.fullmatch(value) or len(value) > _MAX_LABEL:
            raise invalid(
                resource, name, "metadata.labels", f'Invalid value: "{value}": label value'
            )


def _validate_pod(pod: Object) -> None:
    name, spec = pod["metadata"]["name"], pod["spec"]
    if not spec.get("containers"):
        raise invalid(PODS, name, "spec.containers", "Required value")
    volumes = [volume.get("name") for volume in spec.get("volumes") or ()]
    seen: set[str] = set()
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field) or ()):
            path = f"spec.{field}[{index}]"
            for required in ("name", "image"):
                if not container.get(required):
                    raise invalid(PODS, name, f"{path}.{required}", "Required value")
            if not _DNS_LABEL.fullmatch(container["name"]):
                raise invalid(PODS, name, f"{path}.name", f'Invalid value: "{container["name"]}"')
            if container["name"] in seen:
                raise invalid(PODS, name, f"{path}.name", f'Duplicate value: "{container["name"]}"')
            seen.add(container["name"])
            for number, mount in enumerate(container.get("volumeMounts") or ()):
                if mount.get("name") not in volumes:
                    raise invalid(
                        PODS,
                        name,
                        f"{path}.volumeMounts[{number}].name",
                        f'Not found: "{mount.get("name")}"',
                    )


def validate_update(resource: Resource, old: Object, new: Object) -> None:
    """Refuse a change to what cannot change once it is created.

    Raises
    ------
    ApiError
        422, when a pod's spec differs in more than images and the few fields that may.
    """
    if resource is PODS and _fixed_part(new["spec"]) != _fixed_part(old["spec"]):
        raise invalid(
            resource,
            old["metadata"]["name"],
            "spec",
            "Forbidden: pod updates may not change fields other than "
            "`spec.containers[*].image`, `spec.initContainers[*].image`, "
            "`spec.activeDeadlineSeconds` or `spec.tolerations`",
        )


def _fixed_part(spec: Object) -> dict[str, Any]:
    fixed = {key: value for key, value in spec.items() if key not in _MUTABLE_POD_FIELDS}
    for field in ("containers", "initContainers"):
        fixed[field] = [
            {key: value for key, value in container.items() if key != "image"}
            for container in spec.get(field) or ()
        ]
    return fixed
