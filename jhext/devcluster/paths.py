"""What a URL of the Kubernetes API asks for."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import unknown_path
from .resources import NAMESPACES, Resource, find_resource


@dataclass(frozen=True)
class Target:
    """The kind, namespace, object and subresource that a URL names.

    Attributes
    ----------
    namespace
        None where the URL means every namespace, and for kinds that have none.
    name, subresource
        Empty where the URL names none.
    """

    resource: Resource
    namespace: str | None
    name: str = ""
    subresource: str = ""


def parse_path(path: str) -> Target:
    """Read the path of a request for objects.

    Raises
    ------
    ApiError
        404, when nothing is served there.
    """
    parts = path.strip("/").split("/")
    if parts[:2] == ["api", "v1"]:
        api_version, rest = "v1", parts[2:]
    elif parts[0] == "apis":
        api_version, rest = "/".join(parts[1:3]), parts[3:]
    else:
        raise unknown_path()
    namespace: str | None = None
    if rest[:1] == [NAMESPACES.plural] and len(rest) > 2 and rest[2] != "status":
        namespace, rest = rest[1], rest[2:]
    resource = find_resource(api_version, rest[0]) if rest else None
    if resource is None or len(rest) > 3 or (namespace is not None and not resource.namespaced):
        raise unknown_path()
    name, subresource = [*rest[1:], "", ""][:2]
    if subresource and subresource not in resource.subresources:
        raise unknown_path()
    if name and resource.namespaced and namespace is None:
        raise unknown_path()
    return Target(resource, namespace, name, subresource)
