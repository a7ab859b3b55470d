"""What a pod refers to: secrets, config maps, its own fields, and its resources."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping

from ..units import parse_quantity
from .resources import CONFIG_MAPS, SECRETS, Object
from .selectors import field_value
from .store import Store

_MAP_ENTRY = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


class ReferenceNotFoundError(LookupError):
    """Something that a pod refers to is not there: it may come, so the pod waits."""


def secret_data(store: Store, namespace: str, name: str) -> dict[str, bytes]:
    """Return what a secret holds.

    Raises
    ------
    ReferenceNotFoundError
        When it does not exist.
    """
    secret = store.find(SECRETS, namespace, name)
    if secret is None:
        raise ReferenceNotFoundError(f'secret "{name}" not found')
    return {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}


def config_map_data(store: Store, namespace: str, name: str) -> dict[str, bytes]:
    """Return what a config map holds.

    Raises
    ------
    ReferenceNotFoundError
        When it does not exist.
    """
    config_map = store.find(CONFIG_MAPS, namespace, name)
    if config_map is None:
        raise ReferenceNotFoundError(f'configmap "{name}" not found')
    text = {key: value.encode() for key, value in (config_map.get("data") or {}).items()}
    binary = config_map.get("binaryData") or {}
    return {**text, **{key: base64.b64decode(value) for key, value in binary.items()}}


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
