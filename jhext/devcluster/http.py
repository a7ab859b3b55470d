"""The Kubernetes API over HTTP: who is let in, what is served where, failures as Status."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from aiohttp import web

from . import discovery
from .errors import ApiError, unknown_path
from .faults import Faults
from .handlers import ObjectHandlers
from .request import ApiRequest
from .resources import Object

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_MAX_BODY = 8 * 2**20

# As a real API server, which shows no more than this to those it does not know.
_PUBLIC_PATHS = frozenset({"/healthz", "/livez", "/readyz"})


class KubernetesApi:
    """The API as an application to serve.

    Parameters
    ----------
    token
        The bearer token that every request for objects must carry.
    """

    def __init__(self, handlers: ObjectHandlers, faults: Faults, token: str) -> None:
        self._handlers = handlers
        self._faults = faults
        self._authorization = f"Bearer {token}".encode()

    def application(self) -> web.Application:
        """Return the application."""
        application = web.Application(
            middlewares=[_failures_as_status, self._admit], client_max_size=_MAX_BODY
        )
        application.add_routes(
            [
                *(web.get(f"{path}{{slash:/?}}", handler) for path, handler in _FIXED.items()),
                web.get("/api/{version}{slash:/?}", _resources),
                web.get("/apis/{group}{slash:/?}", _group),
                web.get("/apis/{group}/{version}{slash:/?}", _resources),
                web.route("*", "/{path:.*}", self._objects),
            ]
        )
        return application

    @web.middleware
    async def _admit(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Let only those in who know the token, and let what they ask meet the faults."""
        given = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        known = hmac.compare_digest(given, self._authorization)
        if not known and request.path not in _PUBLIC_PATHS:
            raise ApiError(401, "Unauthorized", "Unauthorized")
        ended = await self._faults.apply(request)
        return await handler(request) if ended is None else ended

    async def _objects(self, request: web.Request) -> web.StreamResponse:
        return await self._handlers.handle(ApiRequest(request))


@web.middleware
async def _failures_as_status(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as error:
        headers = {}
        if "retryAfterSeconds" in error.details:
            headers["Retry-After"] = str(error.details["retryAfterSeconds"])
        return web.json_response(error.status(), status=error.code, headers=headers)
    except web.HTTPRequestEntityTooLarge as error:
        too_large = ApiError(413, "RequestEntityTooLarge", str(error.text))
        return web.json_response(too_large.status(), status=too_large.code)


async def _ok(request: web.Request) -> web.StreamResponse:
    return web.Response(text="ok")


def _document(document: Object) -> _Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.json_response(document)

    return handler


async def _group(request: web.Request) -> web.StreamResponse:
    document = discovery.group(request.match_info["group"])
    if document is None:
        raise unknown_path()
    return web.json_response(document)


async def _resources(request: web.Request) -> web.StreamResponse:
    group, version = request.match_info.get("group"), request.match_info["version"]
    document = discovery.resources(f"{group}/{version}" if group else version)
    if document is None:
        raise unknown_path()
    return web.json_response(document)


_FIXED = {
    **dict.fromkeys(_PUBLIC_PATHS, _ok),
    "/version": _document(discovery.VERSION),
    "/openapi/v2": _document(discovery.OPENAPI),
    "/api": _document(discovery.CORE_VERSIONS),
    "/apis": _document(discovery.groups()),
}
