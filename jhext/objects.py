"""Objects of one kind in the cluster: read, made, changed and deleted, with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

import aiohttp
from kubernetes_asyncio.client import V1DeleteOptions, V1Preconditions
from kubernetes_asyncio.client.exceptions import ApiException

Object = Mapping[str, Any]
"""An object of the cluster, with Kubernetes' own keys."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
_PASSING = (408, 429, 500, 502, 503, 504)
"""Answers after which another try may do better."""


@dataclass(frozen=True)
class Objects:
    """The objects of one kind in one namespace.

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

    kind: ClassVar[str]
    """As the methods of the client call it, such as ``secret``."""

    api: Any
    namespace: str
    timeout: float = 3
    deadline: float = 30

    async def read(self, name: str) -> Object | None:
        """Give an object; None where there is none of this name."""
        try:
            found: Object = await self.ask(lambda: self._method("read")(name, self.namespace))
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return found

    async def create(self, manifest: Object) -> Object | None:
        """Create an object; None where one of this name turns out to be there, whosever it is.

        A request that nobody answered may have been carried out. And where a quota is used up,
        Kubernetes says that before it says that the object exists.
        """
        try:
            made: Object = await self.ask(
                lambda: self._method("create")(self.namespace, dict(manifest))
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
        """Change an object."""
        await self.ask(
            lambda: self._method("patch")(
                name, self.namespace, dict(body), _content_type="application/merge-patch+json"
            )
        )

    async def delete(self, found: Object) -> bool:
        """Delete an object as it was read; say whether it was still that one.

        Without a ``resourceVersion`` it may have changed since then.
        """
        metadata = found["metadata"]
        same = V1Preconditions(
            uid=metadata["uid"], resource_version=metadata.get("resourceVersion")
        )
        try:
            await self.ask(
                lambda: self._method("delete")(
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

    def _method(self, verb: str) -> Callable[..., Awaitable[Any]]:
        method: Callable[..., Awaitable[Any]] = getattr(self.api, f"{verb}_namespaced_{self.kind}")
        return method

    async def ask(self, request: Callable[[], Awaitable[Any]]) -> Any:
        """Send a request until it is answered, and give the answer in plain form."""
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
