"""From lists of profiles to catalogues: each list is checked once and shared."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .catalog import Catalog, Policy
from .finding import ConfigurationError, Finding
from .freeze import FrozenDict, FrozenList, freeze
from .lint import LintRules, lint


def as_list(source: Any) -> list[Any]:
    """Read a ``profile_list`` as KubeSpawner does: a dict stands for its values by sorted key.

    Raises
    ------
    ConfigurationError
        It is neither a list nor a dict.
    """
    if isinstance(source, Mapping):
        if not all(isinstance(key, str) for key in source):
            raise ConfigurationError([Finding("error", "profile_list", "", "keys must be strings")])
        return [source[key] for key in sorted(source)]
    if isinstance(source, list | tuple):
        return list(source)
    message = f"must be a list or a dict of profiles, not {type(source).__name__}"
    raise ConfigurationError([Finding("error", "profile_list", "", message)])


def build(raw: Sequence[Any], rules: LintRules, policy: Policy) -> Catalog:
    """Make a catalogue of what is faultless in a list of profiles; its findings tell the rest."""
    frozen = freeze(raw)
    good, findings = lint(frozen, rules)
    version = hashlib.sha256(repr(frozen).encode(errors="replace")).hexdigest()[:12]
    return Catalog([(profile, frozen[n]) for n, profile in good], policy, findings, version)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A catalogue and what it was made from, so that no other object gets its identity."""

    sources: tuple[Any, ...]
    configuration: tuple[object, ...]
    catalog: Catalog


class Library:
    """The catalogues made so far.

    A frozen list is known by its identity, any other by its content, so that a list which code
    of the operator changes in place is read again. The answer depends on nothing but the lists
    and the rules: what one person's callable returned reaches another only if it is the same.
    ``repr`` alone does not tell that: it may hide what an object holds.

    Parameters
    ----------
    capacity
        How many catalogues are kept.
    """

    def __init__(self, capacity: int = 128) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    def catalog(
        self,
        sources: Sequence[Any],
        rules: Callable[[], LintRules],
        policy: Policy,
        *,
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
        configuration
            The objects that the rules were made from, known by identity: under others the
            lists are checked again.
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
        kept = self._kept.get(key)
        if kept is not None and all(map(_same, kept.sources, sources)):
            self._kept.move_to_end(key)
            return kept.catalog, False
        frozen = tuple(map(freeze, sources))
        raw = [profile for source in frozen for profile in as_list(source)]
        catalog = build(raw, rules(), policy)
        self._kept[key] = _Kept(frozen, configuration, catalog)
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
        return catalog, True


def _identity(source: Any) -> Hashable:
    if isinstance(source, FrozenDict | FrozenList):
        return id(source)
    return hashlib.sha256(repr(source).encode(errors="replace")).digest()


def _same(kept: Any, source: Any) -> bool:
    # A tuple is kept as a list, to which it is not equal.
    return kept is source or kept == source or kept == freeze(source)
