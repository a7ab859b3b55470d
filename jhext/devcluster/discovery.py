"""The documents by which clients such as kubectl find out what the API serves."""

from __future__ import annotations

from .resources import RESOURCES, Object, Resource

VERSION: Object = {
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.0-jhext",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "",
}

CORE_VERSIONS: Object = {
    "kind": "APIVersions",
    "versions": ["v1"],
    "serverAddressByClientCIDRs": [],
}

OPENAPI: Object = {
    "swagger": "2.0",
    "info": {"title": "Kubernetes", "version": VERSION["gitVersion"]},
    "paths": {},
}
"""No schemas: whoever validates by them (``kubectl apply``) needs ``--validate=false``."""

_SUBRESOURCE_KINDS = {"binding": "Binding", "eviction": "Eviction"}
_SUBRESOURCE_VERBS = {"log": ["get"], "binding": ["create"], "eviction": ["create"]}


def groups() -> Object:
    """Return the list of API groups."""
    names = sorted({resource.group for resource in RESOURCES if resource.group})
    return {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [_group(name) for name in names],
    }


def group(name: str) -> Object | None:
    """Return the description of one API group, or None when it is not served."""
    if not any(resource.group == name for resource in RESOURCES):
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name)}


def _group(name: str) -> Object:
    version = {"groupVersion": f"{name}/v1", "version": "v1"}
    return {"name": name, "versions": [version], "preferredVersion": version}


def resources(api_version: str) -> Object | None:
    """Return the resources of one group and version, or None when it is not served."""
    found = [resource for resource in RESOURCES if resource.api_version == api_version]
    if not found:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": api_version,
        "resources": [entry for resource in found for entry in _entries(resource)],
    }


def _entries(resource: Resource) -> list[Object]:
    main: Object = {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        main["shortNames"] = list(resource.short_names)
    if resource.plural in ("pods", "services"):
        main["categories"] = ["all"]
    return [
        main,
        *(
            {
                "name": f"{resource.plural}/{name}",
                "singularName": "",
                "namespaced": resource.namespaced,
                "kind": _SUBRESOURCE_KINDS.get(name, resource.kind),
                "verbs": _SUBRESOURCE_VERBS.get(name, ["get", "patch", "update"]),
            }
            for name in resource.subresources
        ),
    ]
