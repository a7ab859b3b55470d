"""Who may list people, and which: the same as in JupyterHub's ``GET /users``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from inspect import signature
from typing import Any, TypeVar

import sqlalchemy as sa
from jupyterhub import orm
from jupyterhub.scopes import Scope, needs_scope
from tornado import web

# JupyterHub 5.3 lets filtered scopes through without being asked to.
_FILTERED = {"post_filter": True} if "post_filter" in signature(needs_scope).parameters else {}

_MANY = 500
"""How many people are named in one query; databases have limits."""

Method = TypeVar("Method", bound=Callable[..., Any])
T = TypeVar("T")


def needs_listing(method: Method) -> Method:
    """Let in whoever may list people, be it only some: what is shown is to be filtered."""
    wrapped: Method = needs_scope("list:users", **_FILTERED)(method)
    return wrapped


def listed_people(handler: Any) -> list[sa.ColumnElement[bool]]:
    """Give what a query for people needs as a filter.

    Raises
    ------
    web.HTTPError
        The scope is narrowed to something else than people and groups.
    """
    narrowed = handler.parsed_scopes["list:users"]
    if narrowed == Scope.ALL:
        return []
    if not {*narrowed} <= {"user", "group"}:
        raise web.HTTPError(403)
    filters = []
    if "user" in narrowed:
        filters.append(orm.User.name.in_(narrowed["user"]))
    if "group" in narrowed:
        filters.append(orm.User.groups.any(orm.Group.name.in_(narrowed["group"])))
    return [sa.or_(*filters)]


def parts_for_queries(people: Sequence[T]) -> Iterator[Sequence[T]]:
    """Divide people into as many as one query may name."""
    return (people[begin : begin + _MANY] for begin in range(0, len(people), _MANY))
