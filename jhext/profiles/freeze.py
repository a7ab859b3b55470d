"""Values that many spawners share and nobody can change."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, NoReturn


class FrozenDict(dict[Any, Any]):
    """A dict that refuses changes; a deep copy of it is an ordinary dict."""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("profiles are shared by all spawners: change a copy.deepcopy() of them")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[Any, Any]:
        return {key: copy.deepcopy(value, memo) for key, value in self.items()}


class FrozenList(list[Any]):
    """A list that refuses changes; a deep copy of it is an ordinary list."""

    _refuse = FrozenDict._refuse

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return [copy.deepcopy(value, memo) for value in self]


_PLAIN = (str, int, float, bool, type(None))


def is_shared(value: Any) -> bool:
    """Tell whether a value is a frozen container, which is known by its identity."""
    return isinstance(value, FrozenDict | FrozenList)


def freeze(value: Any) -> Any:
    """Copy the containers of a value into frozen ones; everything else is taken as it is."""
    if is_shared(value):
        return value
    if isinstance(value, Mapping):
        return FrozenDict((key, freeze(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return FrozenList(freeze(item) for item in value)
    return value


def thaw(value: Any) -> Any:
    """Copy a value for code that changes it; what is callable is taken as it is."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, list):
        return [thaw(item) for item in value]
    # Kubernetes' own objects, say, which KubeSpawner takes in the place of dicts.
    return value if callable(value) else copy.deepcopy(value)


class Shared:
    """A frozen value that traitlets hands to every Spawner without copying it.

    Parameters
    ----------
    value
        What is shared; its containers are frozen.
    """

    def __init__(self, value: Any) -> None:
        self.value = freeze(value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Shared:
        return self


_shared: dict[int, tuple[Any, Shared]] = {}


def share(value: Any) -> Shared:
    """Freeze a configured value, once: the same object gives the same shared one."""
    if id(value) not in _shared:
        # The value is kept with it, so that its identity is not given to another object.
        _shared[id(value)] = (value, Shared(value))
    return _shared[id(value)][1]
