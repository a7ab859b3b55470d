"""Whether a document has the types of its kind, by the models that kubernetes_asyncio ships."""

from __future__ import annotations

import base64
import re
from typing import Any

from kubernetes_asyncio.client import models

from ..units import parse_quantity
from .resources import CONFIG_MAPS, EVENTS, SECRETS, Object, Resource

_LIST = re.compile(r"^list\[(.+)\]$")
_MAPPING = re.compile(r"^dict\(str, (.+)\)$")
_SCALARS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "datetime": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
}
# The models call these strings, but they are quantities, which may be numbers too ("cpu": 2).
_QUANTITIES = frozenset({"limits", "requests", "capacity", "allocatable", "hard", "overhead"})


def type_problem(resource: Resource, obj: Object) -> str | None:
    """Return which known field of a document has the wrong type, or None when none has.

    Unknown fields are let through, as by Kubernetes without strict field validation.
    """
    model = "CoreV1Event" if resource is EVENTS else f"V1{resource.kind}"
    return _problem(model, obj, resource.kind) or _encoding_problem(resource, obj)


def _encoding_problem(resource: Resource, obj: Object) -> str | None:
    field = {SECRETS: "data", CONFIG_MAPS: "binaryData"}.get(resource, "")
    for key, value in (obj.get(field) or {}).items():
        try:
            base64.b64decode(value or "", validate=True)
        except ValueError as error:
            return f"{resource.kind}.{field}.{key}: {error}"
    return None


def _problem(type_name: str, value: Any, path: str) -> str | None:
    if value is None:
        return None
    if match := _LIST.match(type_name):
        if not isinstance(value, list):
            return f"{path}: expected a list, got {_name(value)}"
        if None in value:
            return f"{path}: has an empty item"
        found = (_problem(match[1], item, f"{path}[{i}]") for i, item in enumerate(value))
        return next(filter(None, found), None)
    if match := _MAPPING.match(type_name):
        if not isinstance(value, dict):
            return f"{path}: expected a map, got {_name(value)}"
        if path.rpartition(".")[2] in _QUANTITIES:
            return next(filter(None, map(_quantity_problem, value.values())), None)
        found = (_problem(match[1], item, f"{path}.{key}") for key, item in value.items())
        return next(filter(None, found), None)
    if type_name in _SCALARS:
        if not isinstance(value, _SCALARS[type_name]) or (
            isinstance(value, bool) and type_name != "bool"
        ):
            return f"{path}: expected {type_name}, got {_name(value)}"
        return None
    model = getattr(models, type_name, None)
    if model is None:  # "object": anything goes, such as a port's number or name
        return None
    if not isinstance(value, dict):
        return f"{path}: expected an object, got {_name(value)}"
    found = (
        _problem(model.openapi_types[attribute], value.get(key), f"{path}.{key}")
        for attribute, key in model.attribute_map.items()
    )
    return next(filter(None, found), None)


def _quantity_problem(value: Any) -> str | None:
    try:
        parse_quantity(value)
    except ValueError as error:
        return str(error)
    return None


def _name(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "bool"}
    return names.get(type(value), "number")
