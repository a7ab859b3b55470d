"""The environment of a container, and the commands in which its variables are expanded."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .lookup import (
    ReferenceNotFoundError,
    container_resource,
    pod_field,
    referenced_data,
)
from .resources import CONFIG_MAPS, SECRETS, Object
from .store import Store

_REFERENCE = re.compile(r"\$\$|\$\(([^()]*)\)")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Return a text with each ``$(NAME)`` replaced, as Kubernetes does it.

    ``$$(NAME)`` stands for ``$(NAME)``, and a name that is not known is left as it is.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        return variables.get(match[1], match[0])

    return _REFERENCE.sub(value, text)


def container_environment(
    store: Store, pod: Object, container: Object, capacity: Mapping[str, str]
) -> dict[str, str]:
    """Return the variables that a container's ``envFrom`` and ``env`` stand for.

    Parameters
    ----------
    capacity
        What the node has, for references to limits that are not set.

    Raises
    ------
    ReferenceNotFoundError
        When a secret, config map or key that is not optional is missing.
    """
    variables: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        variables |= _from_source(store, pod["metadata"]["namespace"], source)
    for entry in container.get("env") or ():
        if reference := entry.get("valueFrom"):
            value = _from_reference(store, pod, container, reference, capacity)
            if value is None:
                continue
        else:
            value = expand(entry.get("value") or "", variables)
        variables[entry["name"]] = value
    return variables


def _from_source(store: Store, namespace: str, source: Object) -> dict[str, str]:
    prefix = source.get("prefix") or ""
    for field, resource in (("secretRef", SECRETS), ("configMapRef", CONFIG_MAPS)):
        if reference := source.get(field):
            data = referenced_data(store, resource, namespace, reference) or {}
            return {f"{prefix}{key}": _text(value) for key, value in data.items()}
    return {}


def _from_reference(
    store: Store, pod: Object, container: Object, source: Object, capacity: Mapping[str, str]
) -> str | None:
    if field := source.get("fieldRef"):
        return pod_field(pod, field["fieldPath"])
    if resource := source.get("resourceFieldRef"):
        return container_resource(container, resource, capacity)
    namespace = pod["metadata"]["namespace"]
    for field, resource in (("secretKeyRef", SECRETS), ("configMapKeyRef", CONFIG_MAPS)):
        if reference := source.get(field):
            data = referenced_data(store, resource, namespace, reference) or {}
            if reference["key"] in data:
                return _text(data[reference["key"]])
            if not reference.get("optional"):
                raise ReferenceNotFoundError(
                    f"couldn't find key {reference['key']} in {resource.kind} "
                    f"{namespace}/{reference['name']}"
                )
    return None


def _text(value: bytes) -> str:
    return value.decode(errors="surrogateescape")  # the process gets the same bytes
