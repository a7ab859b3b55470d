"""Overrides on a spawner that can be taken back."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

from .profiles.freeze import thaw
from .upstream import KubeSpawnerSeams

_UNSET = object()
"""Stands for a trait whose default nobody has asked for: making it takes longer than all else."""


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
        """Apply a ``kubespawner_override`` and note what was there before.

        Neither the overrides nor what callables in them give ends up in the spawner itself:
        other spawners have the same, and what is put into a spawner is changed in place.

        Raises
        ------
        TypeError
            A callable gives an awaitable, which KubeSpawner would set the trait to.
        """
        for name in overrides:
            if name not in self._before:
                self._before[name] = self._value(name)
        self._spawner.apply_overrides(
            {
                name: partial(_fresh, name, value) if callable(value) else thaw(value)
                for name, value in overrides.items()
            }
        )

    def undo(self) -> None:
        """Put back what was there before."""
        for name, value in self._before.items():
            if value is _UNSET:
                self._spawner.unset_trait(name)
            else:
                setattr(self._spawner, name, value)
        self._before = {}

    def _value(self, name: str) -> Any:
        value = self._spawner.value_if_made(name, _UNSET)
        # Dicts are merged in place, so the one before is kept by value.
        return thaw(value) if isinstance(value, dict) else value


def _fresh(name: str, value: Any, spawner: KubeSpawnerSeams) -> Any:
    """Give a copy of what a callable gives."""
    value = value(spawner)
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise TypeError(f"the callable for {name} is async")
    return thaw(value)
