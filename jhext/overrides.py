"""Overrides on a spawner that can be taken back."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from .upstream import KubeSpawnerSeams


class AppliedOverrides:
    """What a profile changed about a spawner.

    KubeSpawner merges dicts in place and leaves every override on the Spawner, where the next
    profile would find it. Only what was overridden is put back: what hooks have set stays.

    Parameters
    ----------
    spawner
        The spawner that is overridden.
    """

    def __init__(self, spawner: KubeSpawnerSeams) -> None:
        self._spawner = spawner
        self._before: dict[str, Any] = {}

    def apply(self, overrides: Mapping[str, Any]) -> None:
        """Apply a ``kubespawner_override`` and note what was there before."""
        for name in overrides:
            if name not in self._before:
                value = getattr(self._spawner, name)
                # Dicts are merged in place, so the one before is kept by value.
                self._before[name] = copy.deepcopy(value) if isinstance(value, dict) else value
        self._spawner.apply_overrides(overrides)

    def undo(self) -> None:
        """Put back what was there before."""
        for name, value in self._before.items():
            setattr(self._spawner, name, value)
        self._before = {}
