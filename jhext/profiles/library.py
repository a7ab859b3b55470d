"""The catalogues and watches made so far: each list is checked once and shared."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from .build import as_list, build
from .catalog import Catalog, Policy
from .finding import ConfigurationError
from .freeze import freeze, is_shared
from .lint import LintRules
from .mapping import MappingFile
from .sources import Sources, Version, load
from .watch import Watch

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    """What was made, and what from, so that no other object gets the identity of that."""

    sources: tuple[Any, ...]
    configuration: tuple[object, ...]
    made: T


@dataclass(frozen=True, slots=True)
class _Checked:
    """A faultless version, and what it was made from."""

    sources: Sources
    rules: LintRules
    policy: Policy
    version: Version


class Library:
    """The catalogues and watches made so far.

    A frozen list is known by its identity, any other by its content, so that a list which code
    of the operator changes in place is read again. The answer depends on nothing but the lists
    and the rules: what one person's callable returned reaches another only if it is the same.
    ``repr`` alone does not tell that: it may hide what an object holds.

    Parameters
    ----------
    capacity
        How many catalogues and how many watches are kept.
    """

    def __init__(self, capacity: int = 128) -> None:
        self._capacity = capacity
        self._catalogs: OrderedDict[Hashable, _Kept[Catalog]] = OrderedDict()
        self._watches: OrderedDict[Hashable, _Kept[Watch]] = OrderedDict()
        self._checked: deque[_Checked] = deque(maxlen=8)

    def check(self, sources: Sources, rules: LintRules, policy: Policy) -> None:
        """Check sources before anybody asks for them. A watch over them begins with what was read.

        Raises
        ------
        ConfigurationError
            They are faulty.
        """
        # What was checked stays as it is, whoever appends to a list.
        sources = replace(sources, listed=tuple(map(freeze, sources.listed)))
        version = load(sources, rules, policy)
        if errors := version.catalog.errors:
            raise ConfigurationError(errors)
        self._checked.appendleft(_Checked(sources, rules, policy, version))

    def watch(
        self,
        configuration: tuple[object, ...],
        variant: Hashable,
        asked: Callable[[], tuple[Sources, LintRules, Policy]],
    ) -> Watch:
        """Give the watch over sources that are the same for many.

        Parameters
        ----------
        configuration
            The objects that sources and rules are made from, known by identity.
        variant
            What they are made from besides, known by its value.
        asked
            Makes them; called when nobody has asked for them yet.
        """
        key = (*map(id, configuration), variant)
        kept = self._watches.get(key)
        if kept is None:
            sources, rules, policy = asked()
            watch = Watch(sources, rules, policy, self._checked_as(sources, rules, policy))
            kept = _Kept((), configuration, watch)
            self._keep(self._watches, key, kept)
        return kept.made

    def catalog(
        self,
        sources: Sequence[Any],
        rules: Callable[[], LintRules],
        policy: Policy,
        *,
        mappings: Sequence[MappingFile] = (),
        configuration: tuple[object, ...] = (),
        variant: Hashable = None,
    ) -> tuple[Catalog, bool]:
        """Give the catalogue of these lists, one after the other.

        Parameters
        ----------
        sources
            The lists.
        rules
            Gives the rules they are checked by; called when they have not been checked yet.
        policy
            How their access rules are read.
        mappings
            The mapping files that add to these.
        configuration
            The objects that the rules and mappings were made from, known by identity: under
            others the lists are checked again.
        variant
            What the rules were made from besides, known by its value.

        Returns
        -------
        tuple
            The catalogue, and whether it was made just now.

        Raises
        ------
        ConfigurationError
            A source is neither a list nor a dict.
        """
        key = (tuple(map(_identity, sources)), tuple(map(id, configuration)), variant, policy)
        kept = self._catalogs.get(key)
        if kept is not None and all(map(_same, kept.sources, sources)):
            self._catalogs.move_to_end(key)
            return kept.made, False
        frozen = tuple(map(freeze, sources))
        profiles = [profile for source in frozen for profile in as_list(source)]
        catalog = build(profiles, rules(), policy, mappings=mappings)
        self._keep(self._catalogs, key, _Kept(frozen, configuration, catalog))
        return catalog, True

    def _checked_as(self, sources: Sources, rules: LintRules, policy: Policy) -> Version | None:
        asked = (sources, rules, policy)
        known = (it.version for it in self._checked if (it.sources, it.rules, it.policy) == asked)
        return next(known, None)

    def _keep(self, shelf: OrderedDict[Hashable, _Kept[T]], key: Hashable, kept: _Kept[T]) -> None:
        shelf[key] = kept
        while len(shelf) > self._capacity:
            shelf.popitem(last=False)


def _identity(source: Any) -> Hashable:
    if is_shared(source):
        return id(source)
    return hashlib.sha256(repr(source).encode(errors="replace")).digest()


def _same(kept: Any, source: Any) -> bool:
    # A tuple is kept as a list, to which it is not equal.
    return kept is source or kept == source or kept == freeze(source)
