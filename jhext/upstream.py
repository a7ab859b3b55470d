"""Every private name of KubeSpawner, JupyterHub and traitlets that is touched, in one place.

Checked with jupyterhub 5.3 to 6.1, kubespawner 7.0 and 7.1, traitlets 5.14 to 5.16.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import MappingProxyType, SimpleNamespace
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.utils import maybe_future
from kubernetes_asyncio.client import V1Container, V1Volume
from kubernetes_asyncio.client.exceptions import ApiException
from kubespawner import KubeSpawner
from kubespawner.utils import get_k8s_model, recursive_format
from tornado import web
from traitlets import HasTraits, TraitError, TraitType
from traitlets.config import Config

try:
    from jupyterhub.spawner import SpawnException

    REFUSALS_COUNT_AS_FAILURES = False
except ImportError:  # JupyterHub < 6

    class SpawnException(web.HTTPError):  # type: ignore[no-redef]
        """What JupyterHub 6 offers for a spawn that policy forbids, for earlier versions."""

        def __init__(
            self,
            message: str,
            *,
            reason: str,
            log_message: str = "",
            message_html: str = "",
            status_code: int = 400,
        ) -> None:
            super().__init__(status_code, message, reason=reason)
            self.message = message
            self.message_html = message_html

    REFUSALS_COUNT_AS_FAILURES = True

__all__ = [
    "REFUSALS_COUNT_AS_FAILURES",
    "KubeSpawnerSeams",
    "OverridableTraits",
    "SpawnException",
    "ask_again",
    "asked_at",
    "forget_failure",
    "form_environment",
    "format_free_text",
    "in_plain_form",
    "overridable_traits",
    "set_status",
    "states_of_servers",
    "trait_problem",
]


class KubeSpawnerSeams(KubeSpawner):  # type: ignore[misc]
    """KubeSpawner, with the private methods that jhext builds on under names of their own."""

    pod_created = False
    """Whether the API server has taken the pod of this start."""

    _expanded: Mapping[tuple[str, str, str], str] = MappingProxyType({})
    """What templates give that hold nothing but names, for the person as named then."""

    def share_config(self, section: Config) -> None:
        """Change this spawner's configuration before traitlets copies its values."""

    async def before_pod_create(self, pod: Any) -> Any:
        """Give the pod that is sent: the last word, after every hook. May run more than once."""
        return pod

    async def after_pod_create(self, pod: Any) -> None:
        """Do what needs the pod as the API server has taken it."""

    def configured_containers(self) -> list[dict[str, Any]]:
        """Give init containers and sidecars as configured, before any profile or hook."""
        return self._in_plain_form(V1Container, "init_containers", "extra_containers")

    def configured_volumes(self) -> list[dict[str, Any]]:
        """Give volumes as configured, before any profile or hook."""
        return self._in_plain_form(V1Volume, "volumes")

    def _in_plain_form(self, model: type, *traits: str) -> list[dict[str, Any]]:
        section = super()._find_my_config(self.config)
        items = [
            item for trait in traits for item in self._sorted_dict_values(section.get(trait, []))
        ]
        return [in_plain_form(self, get_k8s_model(model, item)) for item in self._expand_all(items)]

    @property
    def ensured_pvc_name(self) -> str:
        """The claim that KubeSpawner itself made for this server or remembers; empty if none."""
        return self.pvc_name if self._pvc_exists else ""

    def value_if_made(self, name: str, unmade: Any) -> Any:
        """Give the value of an attribute, or `unmade` for a trait whose default nobody made."""
        if name in self._trait_values:
            return self._trait_values[name]
        return unmade if self.has_trait(name) else getattr(self, name)

    def unset_trait(self, name: str) -> None:
        """Let a trait have its default again, as if it had never been set."""
        self._trait_values.pop(name, None)

    def form_options(self, fields: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        """Read the fields of a form or a link as ``user_options``."""
        options: dict[str, Any] = super()._options_from_form(fields)
        return options

    def _options_from_form(self, formdata: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        return self.form_options(formdata)

    async def _run_apply_user_options(self, user_options: Any) -> None:
        # Without a hook JupyterHub warns at every start that nothing reads the options; here
        # `load_user_options` does. Reading the trait would make a default of it first.
        if self.value_if_made("apply_user_options", None):
            await super()._run_apply_user_options(user_options)

    def apply_overrides(self, overrides: Mapping[str, Any]) -> None:
        """Apply a ``kubespawner_override``: dicts merge in place, None deletes a key."""
        self._apply_overrides(overrides)

    def _expand_user_properties(self, template: str, slug_scheme: str | None = None) -> str:
        # Most strings of a pod hold no field; KubeSpawner computes every slug for each of them.
        if "{" not in template and "}" not in template:
            return template
        if not _holds_only_names(template):
            return self._expand(template, slug_scheme)
        # An admin can rename somebody who has a Spawner already.
        key = (template, slug_scheme or self.slug_scheme, self.user.name)
        if key not in self._expanded:
            self._expanded = {**self._expanded, key: self._expand(template, slug_scheme)}
        return self._expanded[key]

    def _expand(self, template: str, slug_scheme: str | None) -> str:
        expanded: str = super()._expand_user_properties(template, slug_scheme)
        return expanded

    def _find_my_config(self, cfg: Config) -> Config:
        section: Config = super()._find_my_config(cfg)
        self.share_config(section)
        return section

    async def starting(self, start: Awaitable[Any]) -> Any:
        """Wait for what ``start()`` does: deciding, creating the pod, waiting until it is ready."""
        return await start

    async def _start(self) -> Any:
        self.pod_created = False
        return await self.starting(super()._start())

    async def _make_create_pod_request(self, pod: Any, request_timeout: float) -> bool:
        # KubeSpawner's own logs the whole pod when it is refused, the server's token with it.
        manifest = await self.before_pod_create(pod)
        self.log.info("Attempting to create pod %s", self.pod_name)
        try:
            async with asyncio.timeout(request_timeout):
                made = await self.api.create_namespaced_pod(self.namespace, manifest)
        except TimeoutError:
            return False
        except ApiException as error:
            if error.status != 409:
                raise
            self.log.info("Pod %s exists already, it is replaced", self.pod_name)
            await self.stop(True)
            return False
        self.pod_created = True
        await self.after_pod_create(made)
        return True

    async def _start_reflector(
        self, kind: str, reflector_class: Any, replace: bool = False, **kwargs: Any
    ) -> Any:
        """Start a reflector, also in the place of one that gave up.

        Without an API server a reflector gives up after a minute, and KubeSpawner hands out the
        dead one for ever: no pod would be seen to start or to end any more.
        """
        reflectors = type(self).reflectors
        key = self._get_reflector_key(kind)
        before = reflectors.get(key)
        replace = replace or _has_given_up(before)
        try:
            return await super()._start_reflector(kind, reflector_class, replace, **kwargs)
        except BaseException:
            # Also where the start of one reflector is cancelled because another was refused:
            # whoever waits for the first load of this one would wait for ever.
            made = reflectors.get(key)
            if made is not None and made is not before and made.watch_task is None:
                del reflectors[key]
                if not made.first_load_future.done():
                    made.first_load_future.set_exception(ConnectionError(f"no {kind} from the API"))
                    made.first_load_future.exception()  # nobody has to have waited for it
            raise


_NAMES = re.compile(r"[^{}]*(\{(safe_|escaped_)?(username|servername|user_server)\}[^{}]*)+")


@lru_cache(maxsize=256)
def _holds_only_names(template: str) -> bool:
    return _NAMES.fullmatch(template) is not None


def in_plain_form(spawner: KubeSpawner, value: Any) -> Any:
    """Copy a Kubernetes object into dicts and lists with Kubernetes' own keys, as it is sent."""
    return spawner.api.api_client.sanitize_for_serialization(value)


def states_of_servers(spawner: KubeSpawner) -> dict[str, Mapping[str, Any]]:
    """Give what all servers of the person have in the hub's database, by their names."""
    return {name: server.state or {} for name, server in spawner.user.orm_spawners.items()}


def asked_at(user: Any) -> float:
    """Say when the authenticator was last asked about somebody, by the clock of the event loop."""
    asked: float | None = user._auth_refreshed
    return -math.inf if asked is None else asked


async def ask_again(user: Any) -> None:
    """Ask the authenticator about somebody again, as the hub does for a request."""
    answer = await maybe_future(user.authenticator.refresh_user(user, None))
    if not answer:
        return
    user._auth_refreshed = time.monotonic()
    if isinstance(answer, Mapping):
        model = {"auth_state": await user.get_auth_state(), **answer, "name": user.name}
        # It needs no more of a handler where the user is known.
        hub = SimpleNamespace(authenticator=user.authenticator, db=user.db)
        await BaseHandler.auth_to_user(hub, model, user)


def _has_given_up(reflector: Any) -> bool:
    if reflector is None:
        return False
    loaded, watching = reflector.first_load_future, reflector.watch_task
    failed = loaded.done() and (loaded.cancelled() or loaded.exception() is not None)
    return bool(failed or (watching is not None and watching.done()))


def forget_failure(spawner: Any) -> None:
    """Take the refusal about to be raised back out of the hub's count of failed spawns.

    JupyterHub < 6 adds one for every exception that ends a spawn, also for a 403, and stops the
    hub at ``consecutive_failure_limit``.
    """
    handler = spawner.handler
    handler = spawner.handler
    if not REFUSALS_COUNT_AS_FAILURES or handler is None or spawner.pending != "spawn":
        return
    # A start has a handler of its own, and may be refused more than once.
    if not getattr(handler, "failure_is_forgotten", False):
        handler.failure_is_forgotten = True
        handler.settings["failure_count"] = handler.settings.get("failure_count", 0) - 1


def set_status(spawner: Any, status_code: int) -> None:
    """Give the page of a refused form the status of the refusal, which JupyterHub 5.3 does not."""
    if REFUSALS_COUNT_AS_FAILURES and spawner.handler is not None:
        spawner.handler.set_status(status_code)


def format_free_text(overrides: Mapping[str, Any], value: str) -> dict[str, Any]:
    """Put free text in the place of ``{value}``, as KubeSpawner does."""
    return {name: recursive_format(item, value=value) for name, item in overrides.items()}


@dataclass(frozen=True, eq=False)
class OverridableTraits:
    """The configurable traits of a spawner class, less those by which jhext itself decides."""

    traits: Mapping[str, TraitType[Any, Any]]

    @cached_property
    def names(self) -> frozenset[str]:
        """Their names."""
        return frozenset(self.traits)

    def problem(self, name: str, value: Any) -> str | None:
        """Tell what is wrong with a value for one of them; what callables give is not known."""
        return None if callable(value) else trait_problem(self.traits[name], _without_none(value))

    def wanted(self, name: str) -> str:
        """Tell what a value for one of them is like."""
        return str(self.traits[name].info())


def trait_problem(trait: TraitType[Any, Any], value: Any) -> str | None:
    """Tell what is wrong with a value for a trait, or None."""
    try:
        trait._validate(HasTraits(), value)
    except TraitError as error:
        return str(error).replace(" of a HasTraits instance", "")
    except Exception as error:
        # JupyterHub's ByteSpecification fails like this for a list.
        return f"cannot be {value!r}: {error}"
    return None


_overridable: dict[type[KubeSpawner], OverridableTraits] = {}


def overridable_traits(spawner_class: type[KubeSpawner]) -> OverridableTraits:
    """Give what a profile can override on a spawner of this class."""
    if spawner_class not in _overridable:
        own: frozenset[str] = getattr(spawner_class, "deciding_traits", frozenset())
        traits = spawner_class.class_traits(config=True)
        _overridable[spawner_class] = OverridableTraits(
            {name: trait for name, trait in traits.items() if name not in own}
        )
    return _overridable[spawner_class]


def _without_none(value: Any) -> Any:
    """Leave out what only says that a merged dict shall lose a key."""
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return value


def form_environment(additional_paths: list[str]) -> Environment:
    """Make the environment that form templates are found in and rendered with.

    KubeSpawner's order, with jhext's templates before its own, and everything escaped.
    """
    environment = Environment(
        loader=ChoiceLoader(
            [
                FileSystemLoader(additional_paths),
                PackageLoader("jhext.profiles", "templates"),
                PackageLoader("kubespawner", "templates"),
            ]
        ),
        autoescape=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
    return environment
