"""The spawner's part in HOW LONG: what is remembered of a server, and what its pod is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakSet

from .culler.current import current_rules
from .culler.granted import BY_HOOK, ORIGIN, SHORTEST, grant
from .culler.in_pod import told_beside, variables
from .culler.verdict import Server
from .metered import MeteredKubeSpawner

NOTICED: WeakSet[RecordedKubeSpawner] = WeakSet()
"""The servers of this process that were given a notice of a stop, so that nobody looks for them."""


class RecordedKubeSpawner(MeteredKubeSpawner):
    """A KubeSpawner that remembers what was granted: the culler and a restarted hub read it."""

    _record: Mapping[str, Any] = {}
    _idle_times: Mapping[str, str] = {}

    async def record(self, granted: Mapping[str, Any]) -> None:
        """Remember what is granted, with the limits that the culler's rules say now.

        Parameters
        ----------
        granted
            What is granted; empty where everything is KubeSpawner's own.
        """
        if granted and self.has_profiles_by_hook:
            granted = {**granted, BY_HOOK: True}
        self._record, self._idle_times = granted, {}
        if (rules := await current_rules(self.settings)) is None:
            return
        profile = granted.get("profile", "")
        groups = tuple(group.name for group in self.user.groups)
        server = Server(self.user.name, self.name, groups, profile)
        self._idle_times = variables(rules.limits(server).in_pod)
        self._record = {**granted, **grant(rules.settings, profile)}

    def note(self, **told: Any) -> None:
        """Remember something about the end of the server, also after a restart of the hub.

        Parameters
        ----------
        told
            ``extended_until``, the seconds since 1970 until which its user has put off the stop;
            ``notice``, what its user is told of a stop that is near. None forgets it.
        """
        known = {**self._record, **told}
        self._record = {key: value for key, value in known.items() if value is not None}
        self.orm_spawner.state = self.get_state()
        if self.notice is not None:
            NOTICED.add(self)

    @property
    def notice(self) -> Mapping[str, Any] | None:
        """What the user of the server is told of a stop that is near."""
        return self._record.get("notice")

    @property
    def _origin(self) -> str:
        """Where the rights to the server are written; empty where not all of them are there."""
        if self.settings is None or self.has_other_sources or _decides_otherwise(type(self)):
            return ""
        return self.settings.origin

    def get_env(self) -> dict[str, str]:
        """Tell the pod its idle times; what the configuration or a profile sets itself stays."""
        return told_beside(self._idle_times, super().get_env())

    def get_state(self) -> dict[str, Any]:
        """Add what was granted, which is not always what was asked for."""
        state: dict[str, Any] = super().get_state()
        if self._record:
            # As it is now, since a hub is configured anew while servers run on.
            origin = self._origin
            state["jhext"] = {**self._record, **({ORIGIN: origin} if origin else {})}
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what was granted to a server that runs on after a restart of the hub."""
        super().load_state(state)
        record = state.get("jhext", {})
        self._record = {key: value for key, value in record.items() if key != ORIGIN}
        SHORTEST.note(self._record)
        if self.notice is not None:
            NOTICED.add(self)


def _decides_otherwise(spawner_class: type[RecordedKubeSpawner]) -> bool:
    """Tell whether a subclass has methods of its own that decide who may start what."""
    own = __name__.partition(".")[0]
    methods = (getattr(spawner_class, name) for name in ("catalog", "person", "load_user_options"))
    return any(method.__module__.partition(".")[0] != own for method in methods)
