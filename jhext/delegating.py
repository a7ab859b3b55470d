"""The spawner's part in the token of the person: a Secret that is there while the pod is."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from collections.abc import Awaitable, Mapping
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import aiohttp
from kubernetes_asyncio.client.exceptions import ApiException

from .delegation.mount import mount_of
from .delegation.secret import data_of, goes_with, is_of, name_of, secret_of
from .delegation.settings import TokenSettings
from .errors import faulty_configuration
from .failure import api_failure
from .objects import Objects
from .stored import StoredKubeSpawner
from .upstream import ask_again, asked_at, in_plain_form

_STATE = "jhext_token_secret"
_ROUNDS = 5
"""How often a Secret is made anew because somebody else was quicker."""
_AT_ONCE = 4
"""For how many people the provider is asked at a time: logins do not wait for it."""
_DEADLINE = 30
"""Seconds for keeping one token current; what was not done is done at the next poll."""

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


class Secrets(Objects):
    """The Secrets of one namespace."""

    kind: ClassVar[str] = "secret"


class DelegatingKubeSpawner(StoredKubeSpawner):
    """A KubeSpawner whose servers have the token of the person's login, where that is configured.

    The token is in the Secret and in the memory of the hub; what is kept of it elsewhere is the
    name of the Secret.
    """

    _secret: Mapping[str, str] = {}
    """The name and the uid of the Secret."""
    _delivered = ""
    _asked = -math.inf

    @property
    def _token_settings(self) -> TokenSettings | None:
        return self.settings.pod.token if self.settings else None

    @property
    def _secrets(self) -> Secrets:
        return Secrets(
            self.api,
            self.namespace,
            timeout=self.k8s_api_request_timeout,
            deadline=self.k8s_api_request_retry_timeout,
        )

    # The start

    async def before_pod_create(self, pod: Any) -> Any:
        """Make the Secret, which the pod mounts.

        Raises
        ------
        Refusal
            A Secret of this name is not this server's.
        """
        self.token = None
        settings = self._token_settings
        if settings is None:
            return await super().before_pod_create(pod)
        data = data_of(await self.user.get_auth_state(), settings)
        if data is None:
            self.log.warning("%s has no token at %s in auth_state", self._log_name, settings.key)
            return await super().before_pod_create(pod)
        self.token = mount_of(name_of(self.user.name, self.name), settings)
        manifest = await super().before_pod_create(pod)
        await self._put(data)
        return manifest

    async def _put(self, data: Mapping[str, str]) -> None:
        """Make the Secret anew: one that is left over would go with the pod that it was for."""
        wanted = secret_of(self.user.name, self.name, data)
        name = wanted["metadata"]["name"]
        for _ in range(_ROUNDS):
            if (made := await self._secrets.create(wanted)) is not None:
                self._secret = {"name": name, "uid": made["metadata"]["uid"]}
                self._delivered = _digest(data)
                return
            there = await self._secrets.read(name)
            if there is not None:
                if not is_of(there, self.user.name, self.name):
                    raise faulty_configuration(f"the Secret {name} is not {self._log_name}'s")
                await self._secrets.delete(there)
        raise TimeoutError(f"the Secret {name} comes and goes")

    async def after_pod_create(self, pod: Any) -> None:
        """Have Kubernetes delete the Secret when the pod is gone."""
        await super().after_pod_create(pod)
        if self._secret:
            await self._change({"metadata": goes_with(in_plain_form(self, pod))})

    async def starting(self, start: Awaitable[Any]) -> Any:
        """Delete the Secret where no pod comes to own it."""
        try:
            return await super().starting(start)
        except BaseException:
            if not self.pod_created:
                await self._remove()
            raise

    async def stop(self, now: bool = False) -> None:
        """Delete the Secret with the pod."""
        try:
            await super().stop(now)
        finally:
            await self._remove()

    async def _remove(self) -> None:
        secret, self._secret = self._secret, {}
        if not secret:
            return
        try:
            await self._secrets.delete({"metadata": secret})
        except (ApiException, TimeoutError, aiohttp.ClientError, OSError) as error:
            self.log.warning("The Secret %s is not deleted: %s", secret["name"], _why(error))

    async def _change(self, body: Mapping[str, Any]) -> None:
        """Change the Secret that this server has made, and no other of its name."""
        metadata = {**body.get("metadata", {}), "uid": self._secret["uid"]}
        await self._secrets.patch(self._secret["name"], {**body, "metadata": metadata})

    # While it runs

    async def poll_and_notify(self) -> int | None:
        """Look whether the server runs, and keep its token current if it does.

        JupyterHub calls it every ``poll_interval`` for each server that runs.
        """
        status: int | None = await super().poll_and_notify()
        settings = self._token_settings
        if status is None and settings is not None and self._secret:
            try:
                async with asyncio.timeout(_DEADLINE):
                    await self._keep_current(settings)
            except Exception as error:
                # What an authenticator raises may have the token in its text.
                self.log.warning("The token of %s is as before: %s", self._log_name, _why(error))
        return status

    async def _keep_current(self, settings: TokenSettings) -> None:
        await self._ask_provider(settings.refresh)
        data = data_of(await self.user.get_auth_state(), settings)
        if data is None or _digest(data) == self._delivered:
            return
        await self._change({"data": data})
        self._delivered = _digest(data)
        self.log.info("The token of %s is a new one", self._log_name)

    async def _ask_provider(self, age: float) -> None:
        """Have the provider asked again, where nobody has asked for so many seconds."""
        loop = asyncio.get_running_loop()
        turns = _turns.setdefault(loop, asyncio.Semaphore(_AT_ONCE))
        if not self.user.authenticator.auth_refresh_age:
            return
        async with turns:
            if loop.time() - max(self._asked, asked_at(self.user)) >= age:
                self._asked = loop.time()
                await ask_again(self.user)

    # What is remembered

    def get_state(self) -> dict[str, Any]:
        """Add which Secret is this server's."""
        state: dict[str, Any] = super().get_state()
        if self._secret:
            state[_STATE] = dict(self._secret)
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up the Secret of a server that runs on after a restart of the hub."""
        super().load_state(state)
        self._secret = state.get(_STATE, {})

    def clear_state(self) -> None:
        """Forget the Secret of the last start."""
        super().clear_state()
        self._secret = {}


def _digest(data: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(data).encode()).hexdigest()


def _why(error: Exception) -> str:
    if isinstance(error, ApiException):
        return api_failure(error.status or 0, error.body or "").detail
    return type(error).__name__
