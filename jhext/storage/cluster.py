"""Claims in the cluster: read, made, changed and deleted, with patience and a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
from kubernetes_asyncio.client import V1DeleteOptions, V1Preconditions
from kubernetes_asyncio.client.exceptions import ApiException

from . import labels
from .volumes import Object

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
_PASSING = (408, 429, 500, 502, 503, 504)
"""Answers after which another try may do better."""


@dataclass(frozen=True)
class Claims:
    """The claims of one namespace.

    What fails for a moment is tried again until the deadline; then `ApiException`, `TimeoutError`
    or `aiohttp.ClientError` comes out.

    Parameters
    ----------
    api
        A ``CoreV1Api`` of kubernetes_asyncio.
    namespace
        The namespace.
    timeout
        Seconds for one answer.
    deadline
        Seconds for all tries of one request together.
    """

    api: Any
    namespace: str
    timeout: float = 3
    deadline: float = 30

    async def of_user(self, user: str) -> list[Object]:
        """List the claims of a person, those that KubeSpawner made among them."""
        selector = f"{labels.OWNER} in ({','.join(labels.names_in_labels(user))})"
        return await self._list(selector)

    async def all(self) -> list[Object]:
        """List all claims that belong to somebody, or were made by jhext."""
        owned = await self._list(labels.OWNER)
        shared = await self._list(f"{labels.CLAIM},!{labels.OWNER}")
        return owned + shared

    async def _list(self, selector: str) -> list[Object]:
        found = await self._ask(
            lambda: self.api.list_namespaced_persistent_volume_claim(
                self.namespace, label_selector=selector
            )
        )
        items: list[Object] = found["items"]
        return items

    async def read(self, name: str) -> Object | None:
        """Give a claim; None where there is none of this name."""
        try:
            found: Object = await self._ask(
                lambda: self.api.read_namespaced_persistent_volume_claim(name, self.namespace)
            )
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return found

    async def create(self, manifest: Object) -> Object | None:
        """Create a claim; None where one of this name turns out to be there, whosever it is.

        A request that nobody answered may have been carried out. And where a quota is used up,
        Kubernetes says that before it says that the claim exists.
        """
        try:
            made: Object = await self._ask(
                lambda: self.api.create_namespaced_persistent_volume_claim(
                    self.namespace, dict(manifest)
                )
            )
        except ApiException as error:
            if error.status == HTTPStatus.CONFLICT:
                return None
            if error.status == HTTPStatus.FORBIDDEN and await self.read(
                manifest["metadata"]["name"]
            ):
                return None
            raise
        return made

    async def patch(self, name: str, body: Object) -> None:
        """Change a claim."""
        await self._ask(
            lambda: self.api.patch_namespaced_persistent_volume_claim(
                name,
                self.namespace,
                dict(body),
                _content_type="application/merge-patch+json",
            )
        )

    async def delete(self, claim: Object) -> bool:
        """Delete a claim as it was read; say whether it was still that one."""
        metadata = claim["metadata"]
        same = V1Preconditions(uid=metadata["uid"], resource_version=metadata["resourceVersion"])
        try:
            await self._ask(
                lambda: self.api.delete_namespaced_persistent_volume_claim(
                    metadata["name"], self.namespace, body=V1DeleteOptions(preconditions=same)
                )
            )
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return True
            if error.status == HTTPStatus.CONFLICT:
                return False
            raise
        return True

    async def pods(self, user: str = "") -> list[Object]:
        """List the pods of a person, or all of the namespace, that have not ended."""
        more = {}
        if user:
            more["label_selector"] = f"{labels.OWNER} in ({','.join(labels.names_in_labels(user))})"
        found = await self._ask(lambda: self.api.list_namespaced_pod(self.namespace, **more))
        return [
            pod
            for pod in found["items"]
            if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
        ]

    async def _ask(self, request: Callable[[], Awaitable[Any]]) -> Any:
        loop = asyncio.get_running_loop()
        end, pause = loop.time() + self.deadline, _FIRST_PAUSE
        while True:
            try:
                async with asyncio.timeout(self.timeout):
                    answer = await request()
                return self.api.api_client.sanitize_for_serialization(answer)
            except (TimeoutError, aiohttp.ClientError, ApiException) as error:
                passing = not isinstance(error, ApiException) or error.status in _PASSING
                if not passing or loop.time() + pause >= end:
                    raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def claims_in(pod: Object) -> set[str]:
    """Give the names of the claims that a pod mounts."""
    return {
        volume["persistentVolumeClaim"]["claimName"]
        for volume in pod["spec"].get("volumes") or ()
        if volume.get("persistentVolumeClaim")
    }
