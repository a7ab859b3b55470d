"""The Kubernetes API over HTTP: requests → operations on the registry → answers."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

import yaml
from aiohttp import web

from . import discovery
from .errors import ApiError, bad_request, unknown_path
from .faults import Faults
from .logs import LogFiles, read_log
from .patch import APPLY_PATCH
from .paths import Target, parse_path
from .registry import DeleteOptions, Registry
from .resources import ACCESS_REVIEWS, PODS, Object, Resource
from .selectors import Predicate, field_predicate, label_predicate
from .table import table
from .watch import Selection, watch

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# As a real API server, which shows no more than this to those it does not know.
_PUBLIC_PATHS = frozenset({"/healthz", "/livez", "/readyz"})


class KubernetesApi:
    """The request handlers.

    Parameters
    ----------
    token
        The bearer token that every request for objects must carry.
    """

    def __init__(self, registry: Registry, logs: LogFiles, faults: Faults, token: str) -> None:
        self._registry = registry
        self._store = registry.store
        self._logs = logs
        self._faults = faults
        self._authorization = f"Bearer {token}".encode()

    def application(self) -> web.Application:
        """Return the application to serve."""
        application = web.Application(
            middlewares=[_failures_as_status, self._admit], client_max_size=8 * 2**20
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
        given = request.headers.get("Authorization", "").encode()
        if request.path not in _PUBLIC_PATHS and not hmac.compare_digest(
            given, self._authorization
        ):
            raise ApiError(401, "Unauthorized", "Unauthorized")
        await self._faults.apply(request)
        return await handler(request)

    async def _objects(self, request: web.Request) -> web.StreamResponse:
        target = parse_path(request.path)
        match target.subresource:
            case "log":
                return await self._log(request, target)
            case "eviction":
                return await self._evict(request, target)
            case "binding":
                return await self._bind(request, target)
        if not target.name:
            return await self._collection(request, target)
        match request.method:
            case "GET" if _flag(request, "watch"):
                return await self._watch(request, target)
            case "GET":
                obj = self._store.get(target.resource, target.namespace or "", target.name)
                return _answer(request, target.resource, obj)
            case "PUT" | "PATCH":
                return await self._write(request, target)
            case "DELETE":
                return await self._delete(request, target)
        raise _method_not_allowed()

    async def _collection(self, request: web.Request, target: Target) -> web.StreamResponse:
        match request.method:
            case "GET" if ACCESS_REVIEWS is target.resource:
                raise _method_not_allowed()
            case "GET" if _flag(request, "watch"):
                return await self._watch(request, target)
            case "GET":
                return self._list(request, target)
            case "POST" if target.resource is ACCESS_REVIEWS:
                review = await _read_object(request)
                return web.json_response({**review, "status": {"allowed": True}}, status=201)
            case "POST" if target.namespace is not None or not target.resource.namespaced:
                body = await _read_object(request)
                created = self._registry.create(
                    target.resource, target.namespace or "", body, dry_run=_is_dry_run(request)
                )
                return _answer(request, target.resource, created, status=201)
            case "DELETE":
                return await self._delete_collection(request, target)
        raise _method_not_allowed()

    def _list(self, request: web.Request, target: Target) -> web.StreamResponse:
        resource = target.resource
        selection = _selection(request, target)
        found = self._store.items(resource, target.namespace)
        objects = [obj for obj in found if selection.includes(obj)]
        metadata: Object = {"resourceVersion": str(self._store.revision)}
        limit = _number(request, "limit") or 0
        if limit:
            last = _read_continue(request.query.get("continue", ""))
            objects = [obj for obj in objects if _position(obj) > last]
            if len(objects) > limit:
                metadata["continue"] = _write_continue(_position(objects[limit - 1]))
                metadata["remainingItemCount"] = len(objects) - limit
            objects = objects[:limit]
        if _wants_table(request):
            return web.json_response(table(resource, objects, metadata))
        return web.json_response(_list_document(resource, metadata, objects))

    async def _watch(self, request: web.Request, target: Target) -> web.StreamResponse:
        events = watch(
            self._store,
            _selection(request, target),
            since=_number(request, "resourceVersion") or None,
            timeout_seconds=_number(request, "timeoutSeconds"),
            bookmarks=_flag(request, "allowWatchBookmarks"),
        )
        response = web.StreamResponse(
            headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"}
        )
        await response.prepare(request)
        as_table = _wants_table(request)
        async for event_type, obj in events:
            shown = obj
            if as_table and event_type not in ("ERROR", "BOOKMARK"):
                shown = table(target.resource, [obj], {})
            line = json.dumps({"type": event_type, "object": shown}) + "\n"
            await response.write(line.encode())
        return response

    async def _write(self, request: web.Request, target: Target) -> web.StreamResponse:
        resource, namespace = target.resource, target.namespace or ""
        body = await _read_body(request)
        dry_run = _is_dry_run(request)
        if request.method == "PUT":
            written = self._registry.replace(
                resource,
                namespace,
                target.name,
                _require_object(body),
                subresource=target.subresource,
                dry_run=dry_run,
            )
            return _answer(request, resource, written)
        is_apply = request.content_type == APPLY_PATCH
        if is_apply and not self._store.find(resource, namespace, target.name):
            created = self._registry.create(
                resource, namespace, _require_object(body), dry_run=dry_run
            )
            return _answer(request, resource, created, status=201)
        written = self._registry.patch(
            resource,
            namespace,
            target.name,
            body,
            request.content_type,
            subresource=target.subresource,
            dry_run=dry_run,
        )
        return _answer(request, resource, written)

    async def _delete(self, request: web.Request, target: Target) -> web.StreamResponse:
        resource, namespace = target.resource, target.namespace or ""
        options = await _delete_options(request)
        deleted = self._registry.delete(
            resource, namespace, target.name, options, dry_run=_is_dry_run(request)
        )
        if resource.returns_deleted or self._store.find(resource, namespace, target.name):
            return _answer(request, resource, deleted)
        details = {
            "name": target.name,
            "kind": resource.plural,
            "uid": deleted["metadata"]["uid"],
        }
        return web.json_response(_success(details=details))

    async def _delete_collection(self, request: web.Request, target: Target) -> web.StreamResponse:
        resource = target.resource
        options = await _delete_options(request)
        selection = _selection(request, target)
        selected = [
            obj for obj in self._store.items(resource, target.namespace) if selection.includes(obj)
        ]
        deleted = [
            self._registry.delete(
                resource,
                obj["metadata"].get("namespace", ""),
                obj["metadata"]["name"],
                options,
                dry_run=_is_dry_run(request),
            )
            for obj in selected
        ]
        metadata = {"resourceVersion": str(self._store.revision)}
        return web.json_response(_list_document(resource, metadata, deleted))

    async def _bind(self, request: web.Request, target: Target) -> web.StreamResponse:
        if request.method != "POST":
            raise _method_not_allowed()
        body = await _read_object(request)
        node = (body.get("target") or {}).get("name")
        if not node:
            raise bad_request("target.name: Required value")
        self._registry.bind(target.namespace or "", target.name, node)
        return web.json_response(_success(), status=201)

    async def _evict(self, request: web.Request, target: Target) -> web.StreamResponse:
        if request.method != "POST":
            raise _method_not_allowed()
        body = await _read_object(request)
        options = DeleteOptions.parse(body.get("deleteOptions") or {}, None)
        self._registry.delete(target.resource, target.namespace or "", target.name, options)
        return web.json_response(_success(), status=201)

    async def _log(self, request: web.Request, target: Target) -> web.StreamResponse:
        if request.method != "GET":
            raise _method_not_allowed()
        namespace, name = target.namespace or "", target.name
        pod = self._store.get(PODS, namespace, name)
        container = request.query.get("container") or pod["spec"]["containers"][0]["name"]
        status = _container_status(pod, container)
        if status is None and not any(
            container == spec["name"]
            for field in ("containers", "initContainers")
            for spec in pod["spec"].get(field) or ()
        ):
            raise bad_request(f"container {container} is not valid for pod {name}")
        run = (status or {}).get("restartCount", 0)
        if _flag(request, "previous"):
            run -= 1
        path = self._logs.path(pod, container, run)
        if run < 0 or not path.exists():
            raise bad_request(
                f'previous terminated container "{container}" in pod "{name}" not found'
                if run < 0 or _flag(request, "previous")
                else f'container "{container}" in pod "{name}" is waiting to start: '
                "ContainerCreating"
            )

        def running() -> bool:
            found = self._store.find(PODS, namespace, name)
            state = (_container_status(found, container) or {}) if found else {}
            return _flag(request, "follow") and "running" in state.get("state", {})

        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        lines = _number(request, "tailLines")
        async for chunk in read_log(path, tail_lines=lines, running=running):
            await response.write(chunk)
        return response


def _container_status(pod: Object, container: str) -> Object | None:
    status = pod.get("status", {})
    for field in ("containerStatuses", "initContainerStatuses"):
        for found in status.get(field) or ():
            if found["name"] == container:
                return dict(found)
    return None


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


def _selection(request: web.Request, target: Target) -> Selection:
    labels = label_predicate(request.query.get("labelSelector", ""))
    fields = field_predicate(request.query.get("fieldSelector", ""), target.resource)
    named: Predicate = (
        (lambda obj: bool(obj["metadata"]["name"] == target.name)) if target.name else labels
    )
    return Selection(
        target.resource,
        target.namespace,
        lambda obj: named(obj) and labels(obj) and fields(obj),
    )


def _answer(
    request: web.Request, resource: Resource, obj: Object, status: int = 200
) -> web.StreamResponse:
    if request.method == "GET" and _wants_table(request):
        metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        return web.json_response(table(resource, [obj], metadata))
    return web.json_response(obj, status=status)


def _list_document(resource: Resource, metadata: Object, objects: list[Object]) -> Object:
    return {
        "kind": f"{resource.kind}List",
        "apiVersion": resource.api_version,
        "metadata": metadata,
        "items": objects,
    }


def _success(**fields: Any) -> Object:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", **fields}


def _method_not_allowed() -> ApiError:
    return ApiError(
        405,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
    )


def _wants_table(request: web.Request) -> bool:
    return "as=Table" in request.headers.get("Accept", "")


def _is_dry_run(request: web.Request) -> bool:
    return request.query.get("dryRun") == "All"


def _flag(request: web.Request, name: str) -> bool:
    # kubernetes_asyncio sends Python's "True".
    return request.query.get(name, "").lower() in ("true", "1")


def _number(request: web.Request, name: str) -> int | None:
    text = request.query.get(name)
    if not text:
        return None
    if not text.isdecimal():
        raise bad_request(f"{name}: Invalid value: {text!r}: must be a whole number, 0 or more")
    return int(text)


def _position(obj: Object) -> list[str]:
    """Return where an object stands in a list of its kind."""
    return [obj["metadata"].get("namespace", ""), obj["metadata"]["name"]]


def _write_continue(position: list[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _read_continue(token: str) -> list[str]:
    if not token:
        return []
    try:
        namespace, name = json.loads(base64.urlsafe_b64decode(token))
        return [str(namespace), str(name)]
    except (ValueError, TypeError) as error:
        raise bad_request("continue key is not valid") from error


async def _delete_options(request: web.Request) -> DeleteOptions:
    body = await _read_body(request)
    return DeleteOptions.parse(_require_object(body), request.query.get("gracePeriodSeconds"))


async def _read_object(request: web.Request) -> Object:
    return _require_object(await _read_body(request))


def _require_object(body: Any) -> Object:
    if not isinstance(body, dict):
        raise bad_request("the object provided is unrecognized: not a JSON object")
    return body


async def _read_body(request: web.Request) -> Any:
    """Return the request's document; an empty body is an empty object.

    Raises
    ------
    ApiError
        400 when it cannot be read, 415 for Kubernetes' binary formats.
    """
    content = await request.read()
    if not content:
        return {}
    if "protobuf" in request.content_type or "cbor" in request.content_type:
        raise ApiError(
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json, application/yaml",
        )
    try:
        return yaml.safe_load(content) if "yaml" in request.content_type else json.loads(content)
    except (ValueError, yaml.YAMLError) as error:
        raise bad_request(f"the object provided is unrecognized: {error}") from error


_FIXED = {
    **dict.fromkeys(_PUBLIC_PATHS, _ok),
    "/version": _document(discovery.VERSION),
    "/openapi/v2": _document(discovery.OPENAPI),
    "/api": _document(discovery.CORE_VERSIONS),
    "/apis": _document(discovery.groups()),
}
