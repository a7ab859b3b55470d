"""What the hub may do in the cluster: each verb with what it is for, and no more than is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .features import Features

Manifest = dict[str, Any]
API_GROUP = "rbac.authorization.k8s.io"
PODS, EVENTS, CLAIMS, SECRETS = "pods", "events", "persistentvolumeclaims", "secrets"


@dataclass(frozen=True)
class Need:
    """Something that the hub does to a resource of the core API.

    Parameters
    ----------
    resource, verb
        What it does, as Kubernetes calls it.
    reason
        What for.
    used
        Whether a configuration has it do that.
    namespaced
        Whether the resource is in a namespace.
    """

    resource: str
    verb: str
    reason: str
    used: Callable[[Features], bool]
    namespaced: bool = True


def _always(_: Features) -> bool:
    return True


def _events(features: Features) -> bool:
    return features.events


def _claims(features: Features) -> bool:
    return features.claims


def _services(features: Features) -> bool:
    return features.services or features.internal_ssl


def _certificates(features: Features) -> bool:
    return features.internal_ssl


NEEDS: tuple[Need, ...] = (
    Need(PODS, "create", "starting a server", _always),
    Need(PODS, "delete", "stopping a server", _always),
    Need(PODS, "list", "seeing when a pod is ready, and when it ends", _always),
    Need(PODS, "watch", "the same, as it happens", _always),
    Need(EVENTS, "list", "the messages while a server starts", _events),
    Need(EVENTS, "watch", "the same, as it happens", _events),
    Need(CLAIMS, "create", "claims of people", _claims),
    Need(CLAIMS, "delete", "claims that go with a server or a person", _claims),
    Need(CLAIMS, "get", "claims that are not labelled as the person's", _claims),
    Need(CLAIMS, "list", "which claims a person has", _claims),
    Need(CLAIMS, "patch", "claims that grow", lambda features: features.growing_claims),
    *(
        Need("services", verb, "a Service for each server", _services)
        for verb in ("create", "delete", "get")
    ),
    *(
        Need(SECRETS, verb, "the certificates of each server", _certificates)
        for verb in ("create", "delete", "get")
    ),
    *(
        Need(SECRETS, verb, "the token of a person's login", lambda features: features.tokens)
        for verb in ("create", "delete", "get", "patch")
    ),
    Need(
        "namespaces",
        "create",
        "a namespace for each person",
        lambda features: features.user_namespaces,
        namespaced=False,
    ),
)
"""All that a hub with jhext ever does in a cluster."""


def needs_of(features: Features) -> list[Need]:
    """Give what a hub does with these features."""
    return [need for need in NEEDS if need.used(features)]


def rules_of(features: Features) -> list[Manifest]:
    """Give the rules of the Role, one for each resource."""
    verbs: dict[str, set[str]] = {}
    for need in needs_of(features):
        verbs.setdefault(need.resource, set()).add(need.verb)
    return [
        {"apiGroups": [""], "resources": [resource], "verbs": sorted(found)}
        for resource, found in verbs.items()
    ]


def manifests(
    features: Features, namespace: str, account: str = "hub", name: str = "hub"
) -> Iterator[Manifest]:
    """Give the Role and its binding; where people have namespaces, the ClusterRole and its.

    Parameters
    ----------
    features
        What the hub uses.
    namespace
        Where the hub is, and where people have no namespaces of their own, its servers too.
    account
        The service account that the hub runs as.
    name
        What both are called.
    """
    kind = "ClusterRole" if features.user_namespaces else "Role"
    placed = {"namespace": namespace} if kind == "Role" else {}
    version = f"{API_GROUP}/v1"
    yield {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, **placed},
        "rules": rules_of(features),
    }
    yield {
        "apiVersion": version,
        "kind": f"{kind}Binding",
        "metadata": {"name": name, **placed},
        "roleRef": {"apiGroup": API_GROUP, "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }
