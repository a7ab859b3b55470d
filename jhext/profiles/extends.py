"""Profiles that begin with what another one says.

``extends`` names the slug of another profile; one with ``abstract: true`` is there for that only
and cannot be started. What is written in a profile comes over what the other one says:

- ``slug``, ``display_name``, ``default`` and ``abstract`` are never taken over;
- ``kubespawner_override``: mappings key by key, to any depth, everything else as a whole, as when
  KubeSpawner applies one after the other;
- ``profile_options``: option by option, each as a whole; ``null`` leaves one out;
- rules that allow: all of them as a whole; a profile that has any takes over none;
- rules that block: they add up;
- any other key: as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .access import ALLOWING_KEYS, BLOCKING_KEYS
from .finding import Finding, did_you_mean
from .freeze import freeze
from .retired import rename
from .shorthand import write_out
from .written import Written

_UNUSED = ("no profile extends it", "let one extend it, or take it out")
_MARKS = frozenset({"abstract", "extends"})
_OWN = _MARKS | {"slug", "display_name", "default"}


def resolve(profiles: Sequence[Written]) -> tuple[list[Written], list[Finding]]:
    """Write out what profiles are short for, and what they take over from each other.

    Returns
    -------
    tuple
        The profiles that can be started, in order and less the faulty ones, and what was found.
    """
    resolver = _Resolver(profiles)
    resolved = [resolver.resolve(n) for n in range(len(profiles))]
    concrete = [_without_marks(item) for item in resolved if item and not _is_abstract(item)]
    return concrete, resolver.findings()


class _Resolver:
    """Resolves each profile once."""

    def __init__(self, profiles: Sequence[Written]) -> None:
        self._profiles = profiles
        self._by_slug: dict[str, int] = {}
        for n, profile in enumerate(profiles):
            self._by_slug.setdefault(profile.slug, n)
        self._done: dict[int, Written | None] = {}
        self._bases: set[int] = set()
        self._found: list[Finding] = []

    def resolve(self, number: int) -> Written | None:
        """Give a profile with all that it takes over, or None where it is faulty."""
        chain: dict[int, None] = {}
        n: int | None = number
        while n is not None and n not in self._done and n not in chain:
            chain[n] = None
            n = self._number(self._profiles[n].extends)
        for n in reversed(chain):
            self._done[n] = self._resolved(n)
        return self._done[number]

    def _number(self, slug: Any) -> int | None:
        return self._by_slug.get(slug) if isinstance(slug, str) and slug else None

    def _resolved(self, n: int) -> Written | None:
        profile, found = rename(self._profiles[n])
        profile, conflicts = write_out(profile)
        found += conflicts + self._problems(n, profile)
        if not _errors(found) and isinstance(profile.value, Mapping) and "extends" in profile.value:
            base = self._base(profile.extends)
            if isinstance(base, tuple):
                found.append(profile.error("extends", *base))
            else:
                profile = _extend(base, profile)
        self._found += found
        return None if _errors(found) else profile

    def _problems(self, n: int, profile: Written) -> list[Finding]:
        """Find what is wrong with an abstract profile, of which the lint will not know."""
        if not isinstance(profile.value, Mapping):
            return []
        if not isinstance(profile.value.get("abstract", False), bool):
            suggestion = "write true or false, without quotes"
            return [profile.error("abstract", "must be true or false", suggestion)]
        first = self._profiles[self._by_slug[profile.slug]]
        if _is_abstract(profile) and not profile.slug:
            message = "has no slug by which another profile could extend it"
            return [profile.error("", message, "write slug: base, or the like")]
        if first is not self._profiles[n] and (_is_abstract(profile) or _is_abstract(first)):
            message = f"{profile.slug!r} is taken: slugs are unique"
            return [profile.error("slug", message, "give one of the two another slug")]
        return []

    def _base(self, slug: Any) -> Written | tuple[str, str]:
        """Give the profile with this slug, or say why that is not possible, and what to do."""
        n = self._number(slug)
        if n is None:
            known = filter(None, self._by_slug)
            suggestion = did_you_mean(str(slug), known, "name the slug of another profile")
            return f"no profile has the slug {slug!r}", suggestion
        if n not in self._done:
            message = "a profile cannot extend itself, be it by way of others"
            return message, "take extends out of one of them"
        self._bases.add(n)
        return self._done[n] or (f"{slug!r} is faulty", f"mend {slug!r} first")

    def findings(self) -> list[Finding]:
        """Give what was found, when all are resolved."""
        unused = [
            replace(profile.error("abstract", *_UNUSED), level="warning")
            for n, profile in enumerate(self._profiles)
            if _is_abstract(profile) and n not in self._bases
        ]
        return self._found + unused


def _errors(found: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.level == "error"]


def _is_abstract(profile: Written) -> bool:
    return isinstance(profile.value, Mapping) and profile.value.get("abstract") is True


def _extend(base: Written, profile: Written) -> Written:
    merged = {key: value for key, value in base.value.items() if key not in _OWN}
    if not ALLOWING_KEYS.isdisjoint(profile.value):
        merged = {key: value for key, value in merged.items() if key not in ALLOWING_KEYS}
    for key, value in profile.value.items():
        merged[key] = _over(key, merged[key], value) if key in merged else value
    places = {path: place for path, place in base.places.items() if path and path[0] not in _OWN}
    return replace(profile, value=freeze(merged), places={**places, **profile.places})


def _without_marks(profile: Written) -> Written:
    if not isinstance(profile.value, Mapping) or _MARKS.isdisjoint(profile.value):
        return profile
    rest = {key: value for key, value in profile.value.items() if key not in _MARKS}
    return replace(profile, value=freeze(rest))


def _over(key: str, before: Any, value: Any) -> Any:
    """Merge what two profiles say under one key."""
    if key == "kubespawner_override":
        return _merge(before, value)
    if key == "profile_options" and isinstance(before, Mapping) and isinstance(value, Mapping):
        return {name: item for name, item in {**before, **value}.items() if item is not None}
    if key == "block_if":
        return _both(before, value, str, lambda: f"{_enclosed(before)} || {_enclosed(value)}")
    if key in BLOCKING_KEYS:
        return _both(before, value, list, lambda: [*before, *value])
    return value


def _enclosed(expression: str) -> str:
    # A comment would reach to the end of the line.
    return f"({expression}\n)" if "//" in expression else f"({expression})"


def _both(before: Any, value: Any, kind: type, add: Callable[[], Any]) -> Any:
    """Add rules that block. What is malformed stays, so that it is found and not lost."""
    if before is None or value is None:
        return before if value is None else value
    if not isinstance(before, kind):
        return before
    return add() if isinstance(value, kind) else value


def _merge(before: Any, value: Any) -> Any:
    if not (isinstance(before, Mapping) and isinstance(value, Mapping)):
        return value
    merged = dict(before)
    for key, item in value.items():
        merged[key] = _merge(merged[key], item) if key in merged else item
    return merged
