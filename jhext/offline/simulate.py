"""A start as the hub would make it, up to the pod that would be sent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from jupyterhub import orm
from jupyterhub.app import JupyterHub
from jupyterhub.objects import Server
from jupyterhub.user import User
from jupyterhub.utils import maybe_future
from kubernetes_asyncio.client import ApiClient
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from ..errors import SpawnRefused
from ..identity.model import Identity
from ..identity.pointers import parse, with_value
from ..profiles.access import Person
from ..profiles.catalog import Catalog
from ..refusal import Refusal
from ..settings import Settings
from ..spawner import ProfileKubeSpawner
from ..storage.settings import StorageSettings
from ..storage.volumes import Owner
from .configuration import Configuration, Shown
from .mask import mask
from .nowhere import no_cluster

_LOG = logging.getLogger(__name__)
_LOG.setLevel(logging.ERROR)  # a decision is no news here
_TOKEN = "the-api-token-of-the-server"  # noqa: S105 - the one that is to be masked


def shown(configuration: Configuration, people: Sequence[Person]) -> list[Shown]:
    """Ask a callable which profiles each of these people is shown."""

    async def ask() -> list[Shown]:
        with _Hub(configuration) as hub:
            return [await _catalog(hub.spawner(person, {})) for person in people]

    with no_cluster():
        return asyncio.run(ask())


async def _catalog(spawner: ProfileKubeSpawner) -> Shown:
    try:
        return await spawner.catalog()
    except Refusal as refusal:
        return refusal


def pod(
    configuration: Configuration,
    person: Person,
    user_options: Mapping[str, Any],
    identity: Identity | None,
) -> dict[str, Any] | Refusal:
    """Build the pod that would be sent, without secrets.

    What ``auth_state_hook`` and ``pre_spawn_hook`` do is not in it: they are made for a hub.

    Parameters
    ----------
    configuration
        The configuration.
    person
        The owner of the server.
    user_options
        What is asked for.
    identity
        Under whose ids it runs, where the configuration has a section ``identity``.
    """

    async def build() -> dict[str, Any]:
        with _Hub(configuration, identity) as hub:
            return await _pod(hub.spawner(person, user_options))

    try:
        with no_cluster():
            sent = asyncio.run(build())
    except SpawnRefused as error:
        return error.refusal
    masked: dict[str, Any] = mask(sent, {_TOKEN, *configuration.secrets()})
    return masked


async def _pod(spawner: ProfileKubeSpawner) -> dict[str, Any]:
    await spawner.apply_group_overrides()
    await spawner.load_user_options()
    built = await spawner.get_pod_manifest()
    if spawner.modify_pod_hook:
        built = await maybe_future(spawner.modify_pod_hook(spawner, built))
    built = await spawner.before_pod_create(built)
    async with ApiClient() as client:
        sent: dict[str, Any] = client.sanitize_for_serialization(built)
    return sent


class _Hub:
    """As much of a hub as spawners are made in; its database is in memory."""

    def __init__(self, configuration: Configuration, identity: Identity | None = None) -> None:
        self._spawner_class = configuration.spawner_class
        self._identity = identity
        self._read = configuration.settings
        self._app = JupyterHub(config=configuration.config, log_level="ERROR")
        self._app.init_hub()
        self._engine = create_engine("sqlite://")
        self._db = Session(self._engine)

    def __enter__(self) -> _Hub:
        orm.Base.metadata.create_all(self._engine)
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()
        self._engine.dispose()

    def spawner(self, person: Person, user_options: Mapping[str, Any]) -> ProfileKubeSpawner:
        """Make a spawner, and give it what JupyterHub gives it before a start."""
        if before := orm.User.find(self._db, person.user):
            self._db.delete(before)
            self._db.commit()
        owner = orm.User(name=person.user, admin=person.admin)
        owner.groups.extend(self._group(name) for name in sorted(person.groups))
        self._db.add(owner)
        self._db.add(orm.Spawner(name=person.server_name, user=owner))
        self._db.commit()
        user = _User(owner, self._settings(person), self._db)
        user.claims, user.settings_read = person.claims, self._read
        spawner: ProfileKubeSpawner = user.spawners[person.server_name]
        server = orm.Server(base_url=user.server_url(person.server_name))
        self._db.add(server)
        self._db.commit()
        spawner.server = Server(orm_server=server)
        spawner.log = _LOG
        spawner.clear_state()
        spawner.api_token = _TOKEN
        spawner.user_options = dict(user_options)
        return spawner

    def _group(self, name: str) -> orm.Group:
        return orm.Group.find(self._db, name) or orm.Group(name=name)

    def _settings(self, person: Person) -> dict[str, Any]:
        return {
            "hub": self._app.hub,
            "config": self._app.config,
            "base_url": self._app.base_url,
            "spawner_class": _told(self._spawner_class, person, self._identity),
            "allow_named_servers": True,
        }


class _User(User):  # type: ignore[misc]
    """JupyterHub's user, whose claims are given, and who has a token where pods are to get it."""

    claims: Mapping[str, Any]
    settings_read: Settings

    async def get_auth_state(self) -> dict[str, Any]:
        state = {"jhext": {"claims": dict(self.claims)}}
        token = self.settings_read.pod.token
        return with_value(state, parse(token.key), _TOKEN) if token else state


def _told(
    spawner_class: type[ProfileKubeSpawner], person: Person, identity: Identity | None
) -> type[ProfileKubeSpawner]:
    """Let the spawner decide at the time that was asked for, and ask no cluster and no source."""

    class Told(spawner_class):  # type: ignore[valid-type, misc]
        async def person(self, catalog: Catalog) -> Person:
            decided: Person = await super().person(catalog)
            return replace(decided, now=person.now)

        async def identify(self) -> Identity | None:
            return identity

        async def ensure_claims(
            self, settings: StorageSettings, owner: Owner, manifest: Any
        ) -> dict[str, str]:
            # There is no cluster to look in; names are those of the templates.
            return {one.mounted_as: one.name for one in self._wanted(settings, owner)}

        async def _put(self, data: Mapping[str, str]) -> None:
            """Make no Secret: the pod that mounts it is all that is asked for."""

    Told.__name__ = Told.__qualname__ = spawner_class.__name__
    return Told
