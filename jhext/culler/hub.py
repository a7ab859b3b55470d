"""The hub's REST API as the culler uses it: pages that are retried, and requests that are not."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import aiohttp
from pydantic_core import from_json
from yarl import URL

from .verdict import printable

ATTEMPTS = 5
"""How often something is asked for before it is given up until the next pass."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_PAGES = {"Accept": "application/jupyterhub-pagination+json"}

T = TypeVar("T")


class HubError(Exception):
    """The hub did not do what it was asked for.

    Parameters
    ----------
    message
        What it was, and what came back; never a token.
    status
        The status of the answer, 0 where there was none.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed a little later."""
        return self.status in (0, 408, 429) or self.status >= 500

    @property
    def is_away(self) -> bool:
        """Whether the hub may not have been there."""
        return self.status in (0, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, read to its end."""

    status: int
    value: Any
    at: float
    """What the hub's clock said, in seconds since 1970."""


async def retried(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until there is an answer, with pauses that get longer and are never as long as others'.

    Raises
    ------
    HubError
        The last attempt failed, or another one would fail as well.
    """
    for attempt in range(ATTEMPTS):
        try:
            return await ask()
        except HubError as error:
            if attempt == ATTEMPTS - 1 or not error.may_pass:
                raise
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
        await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311 - no secret
    raise AssertionError


class Hub:
    """A session with the hub.

    Parameters
    ----------
    url
        Where the REST API is, as in JUPYTERHUB_API_URL.
    token
        The token of the service.
    timeout
        Seconds for one answer.
    page_size
        How many people a page has.
    connections
        How many requests are under way at the same time at most.
    tls
        Certificates, where the hub asks for them.
    count
        Is told the method and the status of each answer, 0 for none.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float = 60,
        page_size: int = 200,
        connections: int = 50,
        tls: ssl.SSLContext | None = None,
        count: Callable[[str, int], None] = lambda method, status: None,
    ) -> None:
        self._url = url.rstrip("/")
        self._page_size = page_size
        self._count = count
        self._tells_idle = False
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"token {token}"},
            timeout=aiohttp.ClientTimeout(total=timeout),
            connector=aiohttp.TCPConnector(limit=connections + 2, ssl=tls or True),
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

    async def me(self) -> Answer:
        """Ask who the token is for, what it may do, and what time it is.

        Raises
        ------
        HubError
            The hub does not answer, or does not know the token.
        """
        return await self._get("user")

    async def pages(
        self, state: str, failed: Callable[[HubError], None]
    ) -> AsyncIterator[list[Any]]:
        """Go through people, page by page. A page that cannot be had is told and left out.

        Parameters
        ----------
        state
            ``active`` or ``inactive``: people with or without a server.
        failed
            Is told of each page that is left out.

        Raises
        ------
        HubError
            Not even the first page can be had.
        """
        offset, total, size = 0, 1, self._page_size
        while offset < total:
            users: list[Any] = []
            following = offset + size
            query = f"state={state}&sort=id&offset={offset}&limit={self._page_size}"
            try:
                users, following, total = _page(await self._get(f"users?{query}", _PAGES))
            except HubError as error:
                if offset == 0 or not error.may_pass:
                    raise
                failed(error)
            yield users
            if following < total:
                size = following - offset  # the hub may have smaller pages
            offset = max(following, offset + 1)

    async def idle(self, unused: float, old: float, early: float) -> list[Any] | None:
        """Ask for the people with servers that nobody used, or that are old, for so many seconds.

        Parameters
        ----------
        unused, old
            The seconds.
        early
            How many seconds before they are due those are told that were granted shorter limits.

        Returns
        -------
        list or None
            As in a page; None where the hub has no such handler.

        Raises
        ------
        HubError
            The hub does not answer.
        """
        query = f"timeout={unused}&max_age={old}&warn_before={early}"
        found: list[Any] | None = await _if_found(self._get(f"jhext/idle?{query}"))
        self._tells_idle = found is not None
        return found

    async def servers_of(self, names: Sequence[str]) -> list[Any]:
        """Ask for all servers of some people, where the hub tells who is idle.

        Raises
        ------
        HubError
            The hub does not answer.
        """
        query = "&".join(f"user={quote(name, safe='')}" for name in names)
        found: list[Any] = (await self._get(f"jhext/idle?{query}")).value
        return found

    async def revoked(self, user: str = "") -> dict[str, str | None] | None:
        """Ask whose servers run without a right, by USER/NAME, and why; None for nobody can tell.

        Raises
        ------
        HubError
            The hub does not answer.
        """
        query = f"?user={quote(user, safe='')}" if user else ""
        found = await _if_found(self._get(f"jhext/revoked{query}"))
        return None if found is None else {item["server"]: item.get("reason") for item in found}

    async def put_notices(self, notices: Mapping[str, Mapping[str, Any]]) -> bool:
        """Have servers carry notices, by USER/NAME, and all others none.

        Returns
        -------
        bool
            Whether the hub has a handler for that.

        Raises
        ------
        HubError
            The hub did not do it, or nobody can tell.
        """
        try:
            await self._once("PUT", "jhext/notices", {}, json.dumps(notices))
        except HubError as error:
            if error.status == 404:
                return False
            raise
        return True

    async def user(self, name: str) -> Mapping[str, Any] | None:
        """Ask for one person, once; None where there is none, or no longer.

        Raises
        ------
        HubError
            The hub does not answer.
        """
        value = await _if_found(self._once("GET", f"users/{quote(name, safe='')}"))
        if value is None or isinstance(value, Mapping):
            return value
        raise HubError("what the hub says about somebody is no object")

    async def running(self, name: str) -> Mapping[str, Any] | None:
        """Ask for one person with the servers that run, once, as cheaply as the hub can tell.

        Returns
        -------
        Mapping or None
            As in a page; None where nothing runs.

        Raises
        ------
        HubError
            The hub does not answer.
        """
        if not self._tells_idle:
            return await self.user(name)
        found = await _if_found(self._once("GET", f"jhext/idle?user={quote(name, safe='')}"))
        return next((user for user in found or () if user["name"] == name), None)

    async def stop(self, user: str, server: str, *, remove: bool = False) -> int:
        """Stop a server, once; 204 when it has stopped and 202 when it is about to.

        Raises
        ------
        HubError
            It was not stopped, or nobody can tell.
        """
        path = f"users/{quote(user, safe='')}/server"
        if server:
            path += f"s/{quote(server, safe='')}"
        body = json.dumps({"remove": True}) if remove else None
        return (await self._once("DELETE", path, {}, body)).status

    async def delete_user(self, name: str) -> int:
        """Delete somebody from the hub, once.

        Raises
        ------
        HubError
            Nobody was deleted, or nobody can tell.
        """
        return (await self._once("DELETE", f"users/{quote(name, safe='')}")).status

    async def _get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return await retried(lambda: self._once("GET", path, headers))

    async def _once(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> Answer:
        what, status = f"{method} {path}", 0
        try:
            async with self._session.request(
                method,
                # What is quoted stays quoted: a name may hold what separates parts of a path.
                URL(f"{self._url}/{path}", encoded=True),
                headers=headers,
                data=body,
                allow_redirects=False,
            ) as response:
                content = await response.read()
                status = response.status
                date = response.headers.get("Date", "")
        except TimeoutError:
            raise HubError(f"{what}: no answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise HubError(f"{what}: {type(error).__name__}") from None
        finally:
            self._count(method, status)
        if status >= 300:
            raise HubError(f"{what}: {status} {_message(content)}".rstrip(), status)
        if method != "GET":
            return Answer(status, None, _time(date))
        try:
            # A hub of 10,000 sends ten megabytes in a pass; this reads them twice as fast as json.
            return Answer(status, from_json(content, cache_strings="keys"), _time(date))
        except ValueError:
            raise HubError(f"{what}: the answer is not whole") from None


async def _if_found(asked: Awaitable[Answer]) -> Any:
    """Give what the hub has there; None where it has nothing."""
    try:
        return (await asked).value
    except HubError as error:
        if error.status == 404:
            return None
        raise


def _page(answer: Answer) -> tuple[list[Any], int, int]:
    """Take a page apart: the people, where the next page begins, and how many there are.

    The hub may give fewer at a time than it was asked for.
    """
    try:
        users, place = answer.value["items"], answer.value["_pagination"]
        total = int(place["total"])
        following = int(place["next"]["offset"]) if place["next"] else total
        return list(users), following, total
    except (KeyError, TypeError, ValueError):
        raise HubError("a page of people has another form than JupyterHub's") from None


def _message(content: bytes) -> str:
    """Give what the hub says about an error, shortened; it names the scopes that are missing."""
    try:
        message = json.loads(content)["message"]
    except (ValueError, KeyError, TypeError):
        return ""
    return printable(str(message)[:200])


def _time(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return time.time()
