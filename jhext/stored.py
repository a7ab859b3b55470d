"""The spawner's part in WHERE: homes and mounts are in the pod, and what prepares them."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any

from .claimed import ClaimedKubeSpawner
from .identity.act_as import ActAs
from .identity.model import Identity
from .pod.manifest import notebook
from .pod.verify import Configured
from .storage.home import home_of, place
from .storage.merge import add, set_home
from .storage.mounts import MountSettings, had_by, mounts_of
from .storage.prepare import init_containers, put_first, through_root
from .storage.projects import Acting, acting
from .storage.volumes import Object, Volumes
from .upstream import in_plain_form


class StoredKubeSpawner(ClaimedKubeSpawner):
    """A KubeSpawner whose servers have their files where they belong."""

    _next_home = ""
    _prepares: Sequence[Object] = ()
    _mounted: Sequence[Object] = ()

    mount_rules: Sequence[MountSettings] | None = None
    """What ``storage.mounts`` says now; None where it is as it was when the hub started."""

    _had: Sequence[MountSettings] = ()

    # Under whose ids

    def run_as(self, identity: Identity | None, project: ActAs | None) -> None:
        """Settle under whose ids the server runs, and by which rules it mounts what.

        Raises
        ------
        Refusal
            There are two projects, or the ids are not acceptable.
        """
        settings = self._storage
        configured = settings.mounts if settings else ()
        rules = configured if self.mount_rules is None else self.mount_rules
        self.acting, self._had = Acting(), ()
        super().run_as(identity, None)
        if rules:  # they read what the person is
            self._had = had_by(rules, self._owner())
        if self._had or project is not None:
            self.acting = acting(self._had, project)
            super().run_as(identity, self.acting.project)

    # What is sent

    async def before_pod_create(self, pod: Any) -> Any:
        """Make sure that the claims are there, and mount them.

        Raises
        ------
        Refusal
            The server would have an empty home, somebody else's, or none.
        """
        settings = self._storage
        if settings is None:
            return await super().before_pod_create(pod)
        manifest = in_plain_form(self, pod)
        owner = self._owner()
        names = await self.ensure_claims(settings, owner, manifest)
        volumes = home_of(settings.home, owner, names) if settings.home else Volumes()
        found = place(settings.home, owner) if settings.home else None
        self._next_home = found.path if found else "".join(volumes.claims.values())
        if settings.init and settings.init.create != "no":
            volumes = through_root(volumes, found)
        mounted = mounts_of(self._had, owner, names)
        volumes += mounted.volumes
        add(manifest, volumes)
        self._mounted = volumes.volumes
        self.home_mount = volumes.home_mount
        if volumes.home_mount:
            set_home(manifest, volumes.home_mount)
        if settings.init:
            made = mounted.directories
            before = self.home_before(settings)
            rescues = bool(owner.profile) and owner.profile == settings.rescue_profile
            prepares = init_containers(
                settings.init,
                owner,
                volumes,
                made,
                notebook(manifest),
                rescues=rescues,
                moved_from="" if before == self._next_home else before,
            )
            put_first(manifest, prepares)
            self._prepares = prepares
        return await super().before_pod_create(manifest)

    async def starting(self, start: Awaitable[Any]) -> Any:
        """Remember where the home is, now that a server has started in it."""
        result = await super().starting(start)
        self.home_place = self._next_home
        return result

    def _configured(self) -> Configured:
        """Add what prepares directories, which has to be sent exactly as it was made."""
        return super()._configured().and_of(self._prepares, self._mounted)
