"""The web service that knows quotas, asked seldom and never for long."""

from __future__ import annotations

from functools import partial
from typing import Any

from jhext.identity.build import reader
from jhext.identity.cache import AskOnceCache
from jhext.identity.errors import IdentityError
from jhext.identity.pointers import Pointers
from jhext.identity.rest import RestSource, UrlTemplate
from jhext.identity.source import Workers

from .quota import QuotaSettings, placeholder_of

_REMEMBERED = 10.0
"""Seconds for which an answer, or that there is none, holds: a form and what is sent from it."""
_CONNECTIONS = 8


class QuotaService:
    """A session with the service.

    Parameters
    ----------
    settings
        Where it is.
    """

    def __init__(self, settings: QuotaSettings) -> None:
        self._workers = Workers(1)
        self._service = RestSource(
            "storage.quota",
            UrlTemplate(settings.url, placeholder_of(settings.url)),
            Pointers({}),
            headers={key: reader(value) for key, value in settings.headers.items()},
            workers=self._workers,
            timeout=settings.timeout,
            ca_file=settings.ca_file,
            connections=_CONNECTIONS,
        )
        self._answers = AskOnceCache[tuple[Any, IdentityError | None]](_REMEMBERED)

    async def ask(self, name: str) -> Any | None:
        """Give what the service says of a person or a claim; None where it does not know it.

        Raises
        ------
        IdentityError
            It does not answer, or nothing that can be read.
        """
        document, error = await self._answers.get(name, partial(self._ask, name))
        if error is not None:
            raise error
        return document

    async def _ask(self, name: str) -> tuple[Any, IdentityError | None]:
        try:
            return await self._service.document(name), None
        except IdentityError as error:
            return None, error

    async def close(self) -> None:
        """Close the connections."""
        self._answers.close()
        self._workers.close()
        await self._service.close()
