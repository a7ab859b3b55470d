"""The spawner's part in WHO: asks who a person is, and has the last word on the pod."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from .delegation.mount import TokenMount
from .errors import faulty_configuration
from .identity.act_as import ActAs, act_as
from .identity.build import build_resolver, rules_of
from .identity.errors import IdentityUnavailable
from .identity.model import Identity
from .identity.resolve import Resolver
from .identity.settings import IdentitySettings
from .identity.source import Person
from .pod.finish import expected_of, expected_on_platform, finish
from .pod.manifest import notebook
from .pod.verify import Configured
from .profiles.finding import ConfigurationError
from .reporting import ReportingKubeSpawner
from .shared import Shared
from .upstream import in_plain_form

DEFAULT_HOME = "/home/jovyan"
"""The home directory in the container where none is configured, as in Jupyter's own images."""

SHARE_OF_START = 0.8
"""The part of ``start_timeout`` that identity may take, so that who waits is told what for."""

_RESOLVERS = Shared[Resolver]()


def home_of(manifest: Any) -> str:
    """Give the home directory in the container: where the notebook works."""
    try:
        return str(notebook(manifest).get("workingDir") or DEFAULT_HOME)
    except (AttributeError, IndexError, KeyError, TypeError):
        return DEFAULT_HOME  # a hook made something else of the pod, which `finish` refuses


def resolver_of(settings: IdentitySettings, log: Any) -> Resolver:
    """Give the resolver of these settings: all spawners ask one, with one cache.

    Raises
    ------
    Refusal
        A secret that it needs is not there, or the address of the ledger cannot be used.
    """
    try:
        return _RESOLVERS.of(settings, lambda: build_resolver(settings, log))
    except (ConfigurationError, ValueError) as error:
        log.critical("No identity can be asked for: %s", error)
        raise faulty_configuration("identity: see the critical line before") from None


class IdentifiedKubeSpawner(ReportingKubeSpawner):
    """A KubeSpawner whose pods run as the person, whatever profiles and hooks say.

    Without a section ``identity`` in the settings it is a KubeSpawner.
    """

    own_identity: Identity | None = None
    """Who the owner of the server is; None where that is not jhext's to say."""

    identity: Identity | None = None
    """Under whose ids the server runs: the owner's, or those of a project."""

    home_mount = ""
    """The home in the container, where storage says one; else it is where the notebook works."""

    token: TokenMount | None = None
    """What the pod has of the person's token."""

    async def identify(self) -> Identity | None:
        """Ask who the owner of the server is; None where that is not jhext's to say.

        Raises
        ------
        Refusal
            The person has no acceptable identity, or nobody can tell now.
        """
        settings = self._identity_settings
        if settings is None:
            return None
        groups = frozenset(group.name for group in self.user.groups)
        person = Person(self.user.name, await self.user.get_auth_state(), groups)
        seconds = self.start_timeout * SHARE_OF_START
        try:
            async with asyncio.timeout(seconds):
                return await resolver_of(settings, self.log).resolve(person)
        except TimeoutError:
            detail = f"no answer within {seconds} s, a part of start_timeout"
            raise IdentityUnavailable(detail) from None

    def run_as(self, identity: Identity | None, project: ActAs | None) -> None:
        """Settle under whose ids the server runs.

        Raises
        ------
        Refusal
            The project's ids are not acceptable, or people have no ids to put them in place of.
        """
        settings = self._identity_settings
        if project is not None:
            if identity is None or settings is None:
                raise faulty_configuration("act_as needs the section identity, in mode user")
            self.identity = act_as(identity, project, rules_of(settings).ids)
        else:
            self.identity = identity
        self.own_identity = identity

    @property
    def _identity_settings(self) -> IdentitySettings | None:
        settings = self.settings.identity if self.settings else None
        return settings if settings is not None and settings.mode == "user" else None

    async def before_pod_create(self, pod: Any) -> Any:
        """Make the pod run as the person, and refuse it where something stands against that.

        Raises
        ------
        PodRefused
            A profile, an option, a hook or the configuration asks for what may not be.
        """
        pod = await super().before_pod_create(pod)
        settings = self.settings
        if settings is None or settings.identity is None:
            return pod
        manifest = in_plain_form(self, pod)
        home = self.home_mount or home_of(manifest)
        if settings.identity.mode == "platform":
            expected = expected_on_platform(self.user.name, home, settings.pod)
        elif self.identity is not None:
            expected = expected_of(self.identity, home, settings.pod)
        else:
            raise faulty_configuration("the pod is to be made without load_user_options()")
        expected = replace(expected, token=self.token)
        finish(manifest, expected, settings.pod, self._configured())
        return manifest

    def _configured(self) -> Configured:
        """What the operator's own configuration says of containers and volumes."""
        if not (self.settings and self.settings.pod.privileged_containers):
            return Configured()
        return Configured.of(self.configured_containers(), self.configured_volumes())
