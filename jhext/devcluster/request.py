"""A request for objects, read: what it names, selects, and brings along."""

from __future__ import annotations

import json
from typing import Any

import yaml
from aiohttp import web

from .errors import ApiError, bad_request
from .paths import parse_path
from .registry import DeleteOptions
from .resources import Object
from .selectors import field_predicate, label_predicate
from .watch import Selection


class ApiRequest:
    """A request for the objects that its path names.

    Raises
    ------
    ApiError
        404, when nothing is served at the path.
    """

    def __init__(self, request: web.Request) -> None:
        self.http = request
        self.method = request.method
        self.content_type = request.content_type
        self.target = parse_path(request.path)
        self.resource = self.target.resource
        self.name = self.target.name
        self.namespace = self.target.namespace or ""
        self.is_dry_run = request.query.get("dryRun") == "All"
        self.wants_table = self.method == "GET" and "as=Table" in request.headers.get("Accept", "")

    def text(self, name: str) -> str:
        """Return a parameter of the query; a missing one is empty."""
        return self.http.query.get(name, "")

    def flag(self, name: str) -> bool:
        """Return whether a parameter of the query says yes."""
        return self.text(name).lower() in ("true", "1")  # kubernetes_asyncio sends "True"

    def number(self, name: str) -> int | None:
        """Return a parameter of the query that is a whole number; None for a missing one.

        Raises
        ------
        ApiError
            400, when it is something else.
        """
        text = self.text(name)
        if not text:
            return None
        if not text.isdecimal():
            raise bad_request(f"{name}: Invalid value: {text!r}: must be a whole number, 0 or more")
        return int(text)

    def selection(self) -> Selection:
        """Return what a list, watch or deletion is about.

        Raises
        ------
        ApiError
            400, when a selector cannot be read.
        """
        labels = label_predicate(self.text("labelSelector"))
        fields = field_predicate(self.text("fieldSelector"), self.resource)

        def includes(obj: Object) -> bool:
            named = not self.name or obj["metadata"]["name"] == self.name
            return named and labels(obj) and fields(obj)

        return Selection(self.resource, self.target.namespace, includes)

    async def document(self) -> Any:
        """Return the body's document; no body is an empty object.

        Raises
        ------
        ApiError
            400 when it cannot be read, 415 for Kubernetes' binary formats.
        """
        content = await self.http.read()
        if not content:
            return {}
        if "protobuf" in self.content_type or "cbor" in self.content_type:
            raise ApiError(
                415,
                "UnsupportedMediaType",
                "the body of the request was in an unknown format - accepted media types "
                "include: application/json, application/yaml",
            )
        read = yaml.safe_load if "yaml" in self.content_type else json.loads
        try:
            return read(content)
        except (ValueError, yaml.YAMLError) as error:
            raise bad_request(f"the object provided is unrecognized: {error}") from error

    async def object(self) -> Object:
        """Return the body's document, which must be an object.

        Raises
        ------
        ApiError
            400 or 415, when it cannot be read or is none.
        """
        document = await self.document()
        if not isinstance(document, dict):
            raise bad_request("the object provided is unrecognized: not a JSON object")
        return document

    async def delete_options(self) -> DeleteOptions:
        """Return how what is named is to be deleted.

        Raises
        ------
        ApiError
            400 or 415, when the options cannot be read.
        """
        return DeleteOptions.parse(await self.object(), self.http.query.get("gracePeriodSeconds"))
