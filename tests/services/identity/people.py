"""A web service that knows people, and has bad days."""

import asyncio
import gzip
import json
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Self

import trustme
from aiohttp import web

ANN = {
    "account": {"uidNumber": 1001, "gidNumber": "2001"},
    "homes": ["/nfs/2/ann"],
    "teams": [{"cn": "lab", "gid": 5001}],
}
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class People:
    """The service. It answers `answer`, by default what it knows of everybody."""

    def __init__(self, authority: trustme.CA, names: tuple[str, ...] = ("localhost",)) -> None:
        self.asked: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []
        self.answer: Answer = says(ANN)
        self.under_way = 0
        self.most_under_way = 0
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(*names).configure_cert(self._tls)
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/people/{{username}}?full=1"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Begin to serve, on the port of the last time if there was one."""
        application = web.Application()
        application.router.add_route("*", r"/{path:[\s\S]*}", self._serve)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """End, whoever is being served."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.asked[request.raw_path] += 1
        self.headers.append(dict(request.headers))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await self.answer(request)
        finally:
            self.under_way -= 1


def says(value: Any, status: int = 200, **headers: str) -> Answer:
    """Answer with JSON, or with a text as it is."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status, headers=headers)

    return answer


def says_one_after_the_other(*answers: Answer) -> Answer:
    """Answer each request in another way; the last way stays."""
    left = list(answers)

    async def answer(request: web.Request) -> web.StreamResponse:
        return await (left.pop(0) if len(left) > 1 else left[0])(request)

    return answer


def after(event: asyncio.Event, then: Answer) -> Answer:
    """Answer when an event has come."""

    async def answer(request: web.Request) -> web.StreamResponse:
        await event.wait()
        return await then(request)

    return answer


async def endless(request: web.Request) -> web.StreamResponse:
    """Answer without an end."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 65536)
        await asyncio.sleep(0)  # whoever reads it runs in the same loop


async def trickle(request: web.Request) -> web.StreamResponse:
    """Answer a byte at a time, never long silent and never done."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.01)


async def cut_off(request: web.Request) -> web.StreamResponse:
    """Promise a long answer and hang up in the middle."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"account": ')
    assert request.transport is not None
    request.transport.close()
    return response


async def hang_up(request: web.Request) -> web.StreamResponse:
    """Hang up without an answer."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def bomb(_: web.Request) -> web.StreamResponse:
    """Answer with 16 MiB of spaces in 16 KiB."""
    body = gzip.compress(b" " * 16_777_216)
    return web.Response(body=body, headers={"Content-Encoding": "gzip"})
