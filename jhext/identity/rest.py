"""Identities from a web service: one GET a person, fields by JSON pointers."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

import aiohttp
from yarl import URL

from jhext.profiles.finding import ConfigurationError

from .errors import IdentityRefused, IdentityUnavailable, Reason
from .ids import shown
from .pointers import Pointers
from .source import Answer, Person, Source, Workers

PLACEHOLDER = "{username}"
"""What stands in the URL for the hub's name of the person."""


class UrlTemplate:
    """The address at which one person is found.

    Parameters
    ----------
    template
        An absolute URL with the placeholder in its path or its query.
    placeholder
        What stands in it for what is asked about.

    Raises
    ------
    ValueError
        When it is not one, or when the placeholder is where it could name another host.
    """

    def __init__(self, template: str, placeholder: str = PLACEHOLDER) -> None:
        parts = urlsplit(template)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ValueError("not an absolute http or https URL")
        if parts.username is not None or parts.password is not None:
            raise ValueError("a password does not belong into a URL: give a header")
        if placeholder not in parts.path + parts.query:
            raise ValueError(f"no {placeholder} in the path or the query")
        rest = template.replace(placeholder, "")
        if placeholder in parts.netloc or "{" in rest or "}" in rest:
            raise ValueError(f"{placeholder} in the path or the query is the only placeholder")
        self._template, self._placeholder = template, placeholder
        self.plain = parts.scheme == "http"

    def url(self, username: str) -> URL:
        """Put in the name of a person, every special character of it quoted."""
        if username in (".", ".."):  # a dot cannot be quoted in a path
            raise IdentityRefused(Reason.INVALID, f"{shown(username)} cannot be part of a URL")
        quoted = quote(username, safe="")
        return URL(self._template.replace(self._placeholder, quoted), encoded=True)


class RestSource(Source):
    """Asks a web service.

    The answer to a person it knows is 200 and JSON, to one it does not know 404. Everything else
    means that it is not available. Redirects are not followed: they could lead the headers, and
    with them a token, to somewhere else.

    Parameters
    ----------
    name
        The name of the source.
    url
        Where to ask.
    pointers
        Where the fields are in the answer.
    headers
        What is sent along. Each value is read anew for each person, so that tokens may change.
    workers
        Where files are read: those of headers, and the certificates.
    timeout
        Seconds for one answer.
    max_bytes
        How long an answer may be.
    ca_file
        Certificates to trust in place of the system's.
    connections
        How many may be open at the same time.
    """

    def __init__(
        self,
        name: str,
        url: UrlTemplate,
        pointers: Pointers,
        *,
        headers: Mapping[str, Callable[[], str]],
        workers: Workers,
        timeout: float = 5,
        max_bytes: int = 262_144,
        ca_file: str | None = None,
        connections: int = 32,
    ) -> None:
        super().__init__(name)
        self._url = url
        self._pointers = pointers
        self._headers = dict(headers)
        self._workers = workers
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._ca_file = ca_file
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def lookup(self, person: Person) -> Answer | None:
        """Ask about a person; see `Source.lookup`."""
        document = await self.document(person.name)
        return None if document is None else self._pointers.pick(document)

    async def document(self, name: str) -> Any | None:
        """Ask about somebody or something by its name, and give the whole answer.

        Raises
        ------
        IdentityUnavailable
            There is no answer, or none that can be read.
        """
        url = self._url.url(name)
        headers = await self._workers.run(self._read_headers)
        session = await self._open()
        try:
            async with session.get(url, headers=headers, allow_redirects=False) as response:
                if response.status == 404:
                    return None
                if response.status != 200:
                    raise IdentityUnavailable(
                        f"{self.name}: answered {response.status}",
                        transient=response.status >= 500 or response.status == 429,
                    )
                return self._parse(await self._body(response))
        except TimeoutError:
            raise IdentityUnavailable(f"{self.name}: no answer in {self._timeout} s") from None
        except aiohttp.ClientError as error:
            raise IdentityUnavailable(f"{self.name}: {type(error).__name__}") from error

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _read_headers(self) -> dict[str, str]:
        try:
            return {name: read() for name, read in self._headers.items()}
        except ConfigurationError as error:
            self._broken(str(error))

    async def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            tls = await self._workers.run(partial(ssl.create_default_context, cafile=self._ca_file))
            if self._session is None:  # nobody else opened one meanwhile
                self._session = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(ssl=tls, limit=self._connections),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    timeout=aiohttp.ClientTimeout(total=self._timeout),
                    # Compressed, a small answer could grow into one that fills the memory.
                    headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                    auto_decompress=False,
                )
        return self._session

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._max_bytes:
                self._broken(f"an answer of more than {self._max_bytes} bytes")
        return bytes(body)

    def _parse(self, body: bytes) -> Any:
        try:
            return json.loads(body, object_pairs_hook=_without_duplicates, parse_constant=_no_json)
        except (ValueError, RecursionError):
            self._broken("an answer that is not JSON, or has a key twice")

    def _broken(self, what: str) -> NoReturn:
        raise IdentityUnavailable(f"{self.name}: {what}", transient=False)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object; of two different values for one key nobody could say which one holds."""
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key twice")
    return document


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
