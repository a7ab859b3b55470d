"""Looking at a cluster: its version, what the hub may do, the namespace, the classes, the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from kubernetes_asyncio.client import AuthorizationV1Api, CoreV1Api, StorageV1Api, VersionApi
from kubernetes_asyncio.client.exceptions import ApiException
from kubernetes_asyncio.config import ConfigException

from ..cluster.rbac import Need
from ..kube import connected
from .model import Cluster, StorageClass

T = TypeVar("T")

DEADLINE = 10.0
"""Seconds for one answer."""

_LEVEL = "pod-security.kubernetes.io/enforce"
_DEFAULT = "storageclass.kubernetes.io/is-default-class"


async def look_at_cluster(
    needs: Sequence[Need], namespace: str = "", kubeconfig: Path | None = None, account: str = ""
) -> Cluster:
    """Ask a cluster.

    Parameters
    ----------
    needs
        What the hub does in it.
    namespace
        Where the servers are; by default that of this pod, or of the kubeconfig's context.
    kubeconfig
        By default the service account's, or as kubectl finds it.
    account
        The service account that the hub runs as; empty where whoever asks is the hub.
    """
    try:
        async with connected(namespace, kubeconfig) as (client, inside):
            return await _look(client, inside, needs, account)
    except ApiException as error:
        return Cluster(problem=f"the cluster answers {error.status} {error.reason}")
    except ConfigException as error:
        return Cluster(problem=f"no cluster is known: {error}")
    except (aiohttp.ClientError, OSError) as error:
        return Cluster(problem=f"the cluster does not answer: {type(error).__name__}: {error}")


async def _look(client: Any, namespace: str, needs: Sequence[Need], account: str) -> Cluster:
    async with asyncio.timeout(DEADLINE):
        version, _, headers = await VersionApi(client).get_code_with_http_info()
    reviews = AuthorizationV1Api(client)
    user = f"system:serviceaccount:{namespace}:{account}" if account else ""
    answers = await asyncio.gather(
        *(_unless_forbidden(_may(reviews, need, namespace, user)) for need in needs)
    )
    space = await _unless_forbidden(CoreV1Api(client).read_namespace(namespace))
    classes = await _unless_forbidden(StorageV1Api(client).list_storage_class())
    return Cluster(
        namespace,
        version=_version(version.major, version.minor),
        allowed={
            (need.resource, need.verb): answer
            for need, answer in zip(needs, answers, strict=True)
            if answer is not None
        },
        pod_security=None if space is None else (space.metadata.labels or {}).get(_LEVEL, ""),
        storage_classes=None if classes is None else dict(map(_class_of, classes.items)),
        skew=_skew(headers, datetime.now(UTC)),
    )


async def _unless_forbidden(answer: Awaitable[T]) -> T | None:
    try:
        async with asyncio.timeout(DEADLINE):
            return await answer
    except ApiException as error:
        if error.status in (401, 403, 404):
            return None
        raise


async def _may(reviews: Any, need: Need, namespace: str, user: str) -> bool:
    """Ask whether the hub may do something; as another by the review that says so of others."""
    attributes = {"resource": need.resource, "verb": need.verb}
    if need.namespaced:
        attributes["namespace"] = namespace
    spec = {"resourceAttributes": attributes} | ({"user": user} if user else {})
    ask = (
        reviews.create_subject_access_review if user else reviews.create_self_subject_access_review
    )
    return bool((await ask({"spec": spec})).status.allowed)


def _version(major: str, minor: str) -> tuple[int, int] | None:
    """Read what a server says of itself, such as 1 and 33+; one built by hand says nothing."""
    digits = minor.rstrip("+")
    return (int(major), int(digits)) if major.isdigit() and digits.isdigit() else None


def _class_of(item: Any) -> tuple[str, StorageClass]:
    is_default = (item.metadata.annotations or {}).get(_DEFAULT) == "true"
    return item.metadata.name, StorageClass(bool(item.allow_volume_expansion), is_default)


def _skew(headers: Mapping[str, str], now: datetime) -> float | None:
    date = headers.get("Date")
    return (parsedate_to_datetime(date) - now).total_seconds() if date else None
