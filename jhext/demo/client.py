"""A person's browser, or a program with a token, that talks to the hub over HTTP."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import aiohttp
from yarl import URL

# what a browser says about its own requests; the hub and the servers look at it
_NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}
_SCRIPT = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}


class ServerFailed(Exception):  # noqa: N818 (it is not this program's error)
    """A server that was asked for did not come up, or did not end, in time."""


@dataclass(frozen=True)
class Answer:
    """An answer of the hub or of a server, read to its end."""

    status: int
    url: URL
    text: str

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.text)


class HubClient:
    """
    One session with a hub: with cookies once :meth:`login` was called, or with a token.

    Parameters
    ----------
    url
        Where the proxy listens, such as ``http://127.0.0.1:8000``.
    token
        An API token, to be sent with each request.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self.url = URL(url)
        self._session = aiohttp.ClientSession(
            # the proxy ends a connection that has been idle for five seconds, maybe just now
            connector=aiohttp.TCPConnector(keepalive_timeout=2),
            # a browser has no qualms about cookies of an address without a name
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            headers={"Authorization": f"token {token}"} if token else {},
            timeout=aiohttp.ClientTimeout(total=60),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def get(self, path: str) -> Answer:
        """Open a page, following redirects."""
        return await self._request("GET", path, headers=_NAVIGATION)

    async def post(self, path: str, fields: Mapping[str, str]) -> Answer:
        """Send a form, with the XSRF token of this session."""
        return await self._request(
            "POST", path, data={**fields, "_xsrf": self._xsrf(path)}, headers=_NAVIGATION
        )

    async def request(self, method: str, path: str, body: Any = None) -> Answer:
        """Call a REST interface the way a script of a page does. ``body`` is sent as JSON."""
        return await self._request(
            method,
            path,
            data=None if body is None else json.dumps(body),
            headers={
                **_SCRIPT,
                "X-XSRFToken": self._xsrf(path),
                "Content-Type": "application/json",
                "Referer": str(self.url / "hub/home"),
            },
        )

    async def api(self, method: str, path: str, body: Any = None) -> Answer:
        """Call the REST API of the hub; ``path`` is what follows ``/hub/api``."""
        return await self.request(method, f"/hub/api{path}", body)

    async def login(self, name: str, password: str) -> Answer:
        """Log in; the status is 403 when the hub does not want to."""
        await self.get("/hub/login")
        return await self.post(
            "/hub/login?next=/hub/home", {"username": name, "password": password}
        )

    async def new_token(self, name: str) -> str:
        """Make an API token that may do what its owner may."""
        answer = await self.api("POST", f"/users/{quote(name)}/tokens", {"note": "jhext demo"})
        token: str = answer.json()["token"]
        return token

    async def wait_for_server(self, name: str, server: str = "", seconds: float = 90) -> None:
        """
        Wait until a server that was asked for is ready.

        Raises
        ------
        ServerFailed
            Its start failed, or the time is over.
        """
        end = time.monotonic() + seconds
        while (model := await self.server(name, server)) is None or not model["ready"]:
            if model is None:
                raise ServerFailed(f"the start of {name}/{server} failed")
            if time.monotonic() > end:
                raise ServerFailed(f"{name}/{server} is not ready after {seconds:g} s")
            await asyncio.sleep(0.2)

    async def server(self, name: str, server: str = "") -> dict[str, Any] | None:
        """Return what the hub says about a server that runs, starts or stops; else None."""
        answer = await self.api("GET", f"/users/{quote(name)}")
        servers: dict[str, dict[str, Any]] = answer.json()["servers"]
        model = servers.get(server)
        return model if model and (model["ready"] or model["pending"]) else None

    async def stop_server(self, name: str, server: str = "", seconds: float = 60) -> Answer:
        """
        Ask for the end of a server and wait for it; return what was said to the request.

        Raises
        ------
        ServerFailed
            It has not ended in time.
        """
        end = time.monotonic() + seconds
        path = f"/users/{quote(name)}/" + (f"servers/{quote(server)}" if server else "server")
        answer = await self.api("DELETE", path)
        while await self.server(name, server) is not None:
            if time.monotonic() > end:
                raise ServerFailed(f"{name}/{server} has not stopped after {seconds:g} s")
            await asyncio.sleep(0.2)
        return answer

    @asynccontextmanager
    async def websocket(self, path: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open a websocket, as a script of a page does."""
        async with self._session.ws_connect(
            self.url.join(URL(path)), headers={"Sec-Fetch-Mode": "websocket"}
        ) as socket:
            yield socket

    async def _request(self, method: str, path: str, **more: Any) -> Answer:
        async with self._session.request(method, self.url.join(URL(path)), **more) as response:
            return Answer(response.status, response.url, await response.text())

    def _xsrf(self, path: str) -> str:
        """Return the token that a form or a script on this path sends along."""
        cookie = self._session.cookie_jar.filter_cookies(self.url.join(URL(path))).get("_xsrf")
        return cookie.value if cookie else ""
