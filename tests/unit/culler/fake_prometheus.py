"""Prometheus' HTTP API as the culler uses it, with answers that are asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.unit.culler.fake_hub import NOW


def vector(*values: str) -> dict[str, Any]:
    result = [{"metric": {"gpu": str(n)}, "value": [NOW, text]} for n, text in enumerate(values)]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


@dataclass
class FakePrometheus:
    """
    Prometheus.

    Attributes
    ----------
    answer
        What it answers with: a value for JSON, a text as it is, or the number of a status; or what
        gives one of them for a query.
    """

    answer: Callable[[str], Any] | Any = field(default_factory=vector)
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FakePrometheus]:
        application = web.Application()
        application.router.add_post("/prom/api/v1/query", self._query)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/prom/"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _query(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.asked.append((str(form["query"]), request.headers.get("Authorization", "")))
        answer = self.answer(str(form["query"])) if callable(self.answer) else self.answer
        if isinstance(answer, int):
            return web.Response(status=self.answer, headers={"Location": "/prom/api/v1/query"})
        if isinstance(answer, str):
            return web.Response(text=answer)
        return web.json_response(answer)
