"""A web service that knows everybody, slowly; it can be ended while it is asked."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from typing import Any, Self

from aiohttp import web


class IdentityService:
    """
    The service, in the event loop of a test.

    Parameters
    ----------
    people
        What it says of each.
    tls
        Its certificate; without one it speaks HTTP.
    authorization
        What it wants in the header of this name; empty if nothing.

    Attributes
    ----------
    delay
        Seconds before it answers.
    under_way, most_under_way
        How many wait for an answer, and how many have waited at the same time at most.
    first_asked, last_answered
        When, on the monotonic clock.
    """

    def __init__(
        self,
        port: int,
        people: Mapping[str, Mapping[str, Any]],
        tls: ssl.SSLContext | None = None,
        authorization: str = "",
    ) -> None:
        self._port = port
        self._people = people
        self._tls = tls
        self._authorization = authorization
        self._runner: web.AppRunner | None = None
        self.delay = 0.0
        self.under_way = self.most_under_way = 0
        self.first_asked = self.last_answered = 0.0
        self.asked = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Begin to serve, again on the same port."""
        application = web.Application()
        application.router.add_get("/people/{name}", self._serve)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, "127.0.0.1", self._port, ssl_context=self._tls, reuse_address=True
        )
        await site.start()

    async def stop(self) -> None:
        """End, whoever waits for an answer."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self, request: web.Request) -> web.Response:
        self.first_asked = self.first_asked or time.monotonic()
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        if self._authorization not in ("", request.headers.get("Authorization")):
            raise web.HTTPUnauthorized
        self.asked.set()
        try:
            await asyncio.sleep(self.delay)
        finally:
            self.under_way -= 1
        self.last_answered = time.monotonic()
        if (person := self._people.get(request.match_info["name"])) is None:
            raise web.HTTPNotFound
        answer = web.json_response(person)
        answer.force_close()  # nothing is to outlive the loop
        return answer
