"""What OpenShift does with a Template, and what it asks of a Route, as published."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Object = dict[str, Any]

_REFERENCE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_GENERATED = re.compile(r"\[([^\]]+)\]\{(\d+)\}")


def processed(template: Object, given: Mapping[str, str]) -> list[Object]:
    """
    Fill in the parameters of a Template as ``oc process`` does, and strictly.

    Raises
    ------
    ValueError
        A parameter is given, used or declared that is not, or has no value.
    """
    parameters = {item["name"]: item for item in template["parameters"]}
    used = set(_REFERENCE.findall(str(template["objects"])))
    for names, where in ((given.keys(), "given"), (used, "used")):
        if unknown := names - parameters.keys():
            raise ValueError(f"{where} and not declared: {sorted(unknown)}")
    if unused := parameters.keys() - used:
        raise ValueError(f"declared and not used: {sorted(unused)}")
    values = {name: given.get(name) or _default(item) for name, item in parameters.items()}
    labels = template.get("labels", {})
    return [_labelled(_filled(item, values), labels) for item in template["objects"]]


def _default(parameter: Object) -> str:
    if "value" in parameter:
        return str(parameter["value"])
    if parameter.get("generate") != "expression":
        raise ValueError(f"{parameter['name']} is required")
    found = _GENERATED.fullmatch(parameter["from"])
    if found is None:
        raise ValueError(f"{parameter['name']}: {parameter['from']}")
    return found[1][0] * int(found[2])


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    return (
        _REFERENCE.sub(lambda found: values[found[1]], value) if isinstance(value, str) else value
    )


def _labelled(made: Object, labels: Mapping[str, str]) -> Object:
    metadata = made["metadata"]
    return {**made, "metadata": {**metadata, "labels": {**metadata.get("labels", {}), **labels}}}


def _one_of(*allowed: str | None) -> Callable[[Any], bool]:
    return allowed.__contains__


# Path, and what may be there, by the schema of route.openshift.io/v1.
ROUTE: list[tuple[str, Callable[[Any], bool]]] = [
    ("spec.to.kind", _one_of("Service", "", None)),
    ("spec.to.name", bool),
    ("spec.port.targetPort", bool),
    ("spec.tls.termination", _one_of("edge", "passthrough", "reencrypt")),
    ("spec.tls.insecureEdgeTerminationPolicy", _one_of("Allow", "None", "Redirect", "", None)),
    ("spec.wildcardPolicy", _one_of("None", "Subdomain", "", None)),
]


def faults_of_route(route: Object) -> list[str]:
    """List what is missing in a Route or not allowed there."""

    def at(path: str) -> Any:
        value: Any = route
        for key in path.split("."):
            value = (value or {}).get(key)
        return value

    return [path for path, allows in ROUTE if not allows(at(path))]
