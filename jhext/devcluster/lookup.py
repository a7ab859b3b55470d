"""What a pod refers to: secrets, config maps, its own fields, and its resources."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping

from ..units import parse_quantity
from .resources import SECRETS, Object, Resource
from .selectors import field_value
from .store import Store

_MAP_ENTRY = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


class ReferenceNotFoundError(LookupError):
    """Something that a pod refers to is not there: it may come, so the pod waits."""


def referenced_data(
    store: Store, resource: Resource, namespace: str, reference: Object
) -> dict[str, bytes] | None:
    """Return what the secret or config map of a reference holds.

    None stands for one that is missing and optional.

    Raises
    ------
    ReferenceNotFoundError
        When it is missing and not optional.
    """
    obj = store.find(resource, namespace, reference["name"])
    if obj is None:
        if reference.get("optional"):
            return None
        raise ReferenceNotFoundError(f'{resource.kind.lower()} "{reference["name"]}" not found')
    data = obj.get("data") or {}
    encoded = data if resource is SECRETS else obj.get("binaryData") or {}
    text = {} if resource is SECRETS else data
    return {
        **{key: value.encode() for key, value in text.items()},
        **{key: base64.b64decode(value) for key, value in encoded.items()},
    }


def pod_field(pod: Object, path: str) -> str:
    """Return a field of a pod by the path of a ``fieldRef``; a missing one is empty.

    All labels or all annotations come as lines of ``key="value"``.
    """
    if match := _MAP_ENTRY.fullmatch(path):
        return str((pod["metadata"].get(match[1]) or {}).get(match[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        entries: Mapping[str, str] = pod["metadata"].get(path.partition(".")[2]) or {}
        return "\n".join(f"{key}={json.dumps(entries[key])}" for key in sorted(entries))
    return field_value(pod, path)


def container_resource(container: Object, reference: Object, capacity: Mapping[str, str]) -> str:
    """Return an amount by a ``resourceFieldRef``, in units of its divisor, rounded up.

    Parameters
    ----------
    capacity
        What the node has: the limit of a container without one.
    """
    which, _, name = reference["resource"].partition(".")
    amounts = (container.get("resources") or {}).get(which) or {}
    amount = amounts.get(name, capacity.get(name, 0) if which == "limits" else 0)
    divisor = parse_quantity(reference.get("divisor") or 1) or 1
    return str(math.ceil(parse_quantity(amount) / divisor))
