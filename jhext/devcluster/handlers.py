"""What is done with a request for objects: operations on the registry, and their answers."""

from __future__ import annotations

import base64
import json
from typing import Any

from aiohttp import web

from .errors import ApiError, bad_request
from .logs import LogFiles, read_log
from .patch import APPLY_PATCH
from .registry import DeleteOptions, Registry
from .request import ApiRequest
from .resources import ACCESS_REVIEWS, PODS, Object
from .table import table
from .watch import watch


class ObjectHandlers:
    """The handlers, by what the path names and the method."""

    def __init__(self, registry: Registry, logs: LogFiles) -> None:
        self._registry = registry
        self._store = registry.store
        self._logs = logs

    async def handle(self, request: ApiRequest) -> web.StreamResponse:
        """Answer a request.

        Raises
        ------
        ApiError
            When it is refused.
        """
        if request.resource is ACCESS_REVIEWS:
            return await self._review(request)
        match request.target.subresource, request.method:
            case "log", "GET":
                return await self._log(request)
            case "eviction", "POST":
                return await self._evict(request)
            case "binding", "POST":
                return await self._bind(request)
            case "log" | "eviction" | "binding", _:
                raise _method_not_allowed()
        match request.method:
            case "GET" if request.flag("watch"):
                return await self._watch(request)
            case "GET":
                return self._get(request) if request.name else self._list(request)
            case "POST" if not request.name:
                return await self._create(request)
            case "PUT" | "PATCH" if request.name:
                return await self._write(request)
            case "DELETE":
                return await (
                    self._delete(request) if request.name else self._delete_collection(request)
                )
        raise _method_not_allowed()

    async def _review(self, request: ApiRequest) -> web.StreamResponse:
        """Answer that whoever has the token may do everything."""
        if request.method != "POST":
            raise _method_not_allowed()
        return web.json_response(
            {**await request.object(), "status": {"allowed": True}}, status=201
        )

    def _get(self, request: ApiRequest) -> web.StreamResponse:
        obj = self._store.get(request.resource, request.namespace, request.name)
        if request.wants_table:
            metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            return web.json_response(table(request.resource, [obj], metadata))
        return web.json_response(obj)

    def _list(self, request: ApiRequest) -> web.StreamResponse:
        selection = request.selection()
        found = self._store.items(request.resource, request.target.namespace)
        objects = [obj for obj in found if selection.includes(obj)]
        metadata: Object = {"resourceVersion": str(self._store.revision)}
        if limit := request.number("limit"):
            last = _read_continue(request.text("continue"))
            objects = [obj for obj in objects if last is None or _position(obj) > last]
            if len(objects) > limit:
                metadata["continue"] = _write_continue(_position(objects[limit - 1]))
                metadata["remainingItemCount"] = len(objects) - limit
            objects = objects[:limit]
        if request.wants_table:
            return web.json_response(table(request.resource, objects, metadata))
        return _list_answer(request, metadata, objects)

    async def _watch(self, request: ApiRequest) -> web.StreamResponse:
        events = watch(
            self._store,
            request.selection(),
            since=request.number("resourceVersion") or None,
            timeout_seconds=request.number("timeoutSeconds"),
            bookmarks=request.flag("allowWatchBookmarks"),
        )
        response = web.StreamResponse(
            headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"}
        )
        await response.prepare(request.http)
        async for event_type, obj in events:
            shown = obj
            if request.wants_table and event_type not in ("ERROR", "BOOKMARK"):
                shown = table(request.resource, [obj], {})
            line = json.dumps({"type": event_type, "object": shown}) + "\n"
            await response.write(line.encode())
        return response

    async def _create(self, request: ApiRequest) -> web.StreamResponse:
        if request.resource.namespaced and not request.namespace:
            raise _method_not_allowed()
        created = self._registry.create(
            request.resource,
            request.namespace,
            await request.object(),
            dry_run=request.is_dry_run,
        )
        return web.json_response(created, status=201)

    async def _write(self, request: ApiRequest) -> web.StreamResponse:
        if request.method == "PUT":
            written = self._registry.replace(
                request.resource,
                request.namespace,
                request.name,
                await request.object(),
                subresource=request.target.subresource,
                dry_run=request.is_dry_run,
            )
            return web.json_response(written)
        if request.content_type == APPLY_PATCH and not self._store.find(
            request.resource, request.namespace, request.name
        ):
            return await self._create(request)
        written = self._registry.patch(
            request.resource,
            request.namespace,
            request.name,
            await request.document(),
            request.content_type,
            subresource=request.target.subresource,
            dry_run=request.is_dry_run,
        )
        return web.json_response(written)

    async def _delete(self, request: ApiRequest) -> web.StreamResponse:
        resource = request.resource
        deleted = self._registry.delete(
            resource,
            request.namespace,
            request.name,
            await request.delete_options(),
            dry_run=request.is_dry_run,
        )
        if resource.returns_deleted or self._store.find(resource, request.namespace, request.name):
            return web.json_response(deleted)
        details = {
            "name": request.name,
            "kind": resource.plural,
            "uid": deleted["metadata"]["uid"],
        }
        return _success(details=details)

    async def _delete_collection(self, request: ApiRequest) -> web.StreamResponse:
        options, selection = await request.delete_options(), request.selection()
        found = self._store.items(request.resource, request.target.namespace)
        deleted = [
            self._registry.delete(
                request.resource, *_position(obj), options, dry_run=request.is_dry_run
            )
            for obj in found
            if selection.includes(obj)
        ]
        return _list_answer(request, {"resourceVersion": str(self._store.revision)}, deleted)

    async def _bind(self, request: ApiRequest) -> web.StreamResponse:
        node = ((await request.object()).get("target") or {}).get("name")
        if not node:
            raise bad_request("target.name: Required value")
        self._registry.bind(request.namespace, request.name, node)
        return _success(status=201)

    async def _evict(self, request: ApiRequest) -> web.StreamResponse:
        options = (await request.object()).get("deleteOptions") or {}
        self._registry.delete(
            PODS, request.namespace, request.name, DeleteOptions.parse(options, None)
        )
        return _success(status=201)

    async def _log(self, request: ApiRequest) -> web.StreamResponse:
        pod = self._store.get(PODS, request.namespace, request.name)
        spec = pod["spec"]
        names = [one["name"] for f in _CONTAINERS for one in spec.get(f) or ()]
        container = request.text("container") or spec["containers"][0]["name"]
        if container not in names:
            raise bad_request(f"container {container} is not valid for pod {request.name}")
        for parameter in _NOT_OF_LOGS:
            if request.text(parameter).lower() not in ("", "false"):
                raise bad_request(f"the embedded cluster's logs have no {parameter}")
        previous = request.flag("previous")
        run = _container_status(pod, container).get("restartCount", 0) - previous
        path = self._logs.path(pod, container, run)
        if not path.exists():
            raise bad_request(
                f'previous terminated container "{container}" in pod "{request.name}" not found'
                if previous
                else f'container "{container}" in pod "{request.name}" is waiting to start: '
                "ContainerCreating"
            )

        def goes_on() -> bool:
            found = self._store.find(PODS, request.namespace, request.name)
            state = _container_status(found, container).get("state", {}) if found else {}
            return request.flag("follow") and "running" in state

        lines = request.number("tailLines")
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request.http)
        async for chunk in read_log(path, tail_lines=lines, goes_on=goes_on):
            await response.write(chunk)
        return response


_CONTAINERS = ("containers", "initContainers")
# Containers write to files themselves: when they wrote which line, nobody knows.
_NOT_OF_LOGS = ("timestamps", "sinceSeconds", "sinceTime", "limitBytes")


def _container_status(pod: Object, container: str) -> Object:
    for field in ("containerStatuses", "initContainerStatuses"):
        for status in pod["status"].get(field) or ():
            if status["name"] == container:
                return dict(status)
    return {}


def _list_answer(
    request: ApiRequest, metadata: Object, objects: list[Object]
) -> web.StreamResponse:
    document = {
        "kind": f"{request.resource.kind}List",
        "apiVersion": request.resource.api_version,
        "metadata": metadata,
        "items": objects,
    }
    return web.json_response(document)


def _success(status: int = 200, **fields: Any) -> web.StreamResponse:
    document = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    return web.json_response({**document, **fields}, status=status)


def _method_not_allowed() -> ApiError:
    return ApiError(
        405,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
    )


def _position(obj: Object) -> tuple[str, str]:
    """Return where an object stands in a list of its kind: by namespace and name."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _write_continue(position: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _read_continue(token: str) -> tuple[str, str] | None:
    if not token:
        return None
    try:
        namespace, name = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError) as error:
        raise bad_request("continue key is not valid") from error
    return str(namespace), str(name)
