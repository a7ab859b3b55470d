"""From profiles as written to the catalogue of what is faultless in them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from .catalog import Catalog, Policy
from .extends import resolve
from .finding import ConfigurationError, Finding
from .lint import LintRules, lint
from .mapping import MappingFile, bind
from .written import Written, as_written


def as_list(source: Any) -> list[Any]:
    """Read a ``profile_list`` as KubeSpawner does: a dict stands for its values by sorted key.

    Raises
    ------
    ConfigurationError
        It is neither a list nor a dict.
    """
    if isinstance(source, Mapping):
        if not all(isinstance(key, str) for key in source):
            raise _not_a_list("has keys that are no strings")
        return [source[key] for key in sorted(source)]
    if isinstance(source, list | tuple):
        return list(source)
    raise _not_a_list(f"must be a list or a dict of profiles, not {type(source).__name__}")


def _not_a_list(message: str) -> ConfigurationError:
    suggestion = "write a list of profiles, or a dict with their slugs as keys"
    finding = Finding("error", "profile_list", "", message, suggestion=suggestion)
    return ConfigurationError([finding])


def build(
    profiles: Sequence[Any],
    rules: LintRules,
    policy: Policy,
    *,
    mappings: Sequence[MappingFile] = (),
    found: Sequence[Finding] = (),
) -> Catalog:
    """Make a catalogue of what is faultless in a list of profiles; its findings tell the rest.

    Parameters
    ----------
    profiles
        The profiles, each as a mapping or `Written`.
    rules
        What they are checked by.
    policy
        How their access rules are read.
    mappings
        The mapping files that add to their rules.
    found
        What was found when they were read.
    """
    resolved, unresolved = resolve(as_written(profiles))
    mapped, unmatched = bind(mappings, [(item.slug, _display_name(item)) for item in resolved])
    allowed_by_mapping = frozenset(slug for slug, rules in mapped.items() if rules.allows)
    good, faults = lint(resolved, rules, allowed_elsewhere=allowed_by_mapping)
    findings = [*found, *unresolved, *faults, *unmatched]
    content = repr(([item.value for item in resolved], mappings))
    return Catalog(
        [(profile, resolved[n].value) for n, profile in good],
        policy,
        list(dict.fromkeys(findings)),
        hashlib.sha256(content.encode(errors="replace")).hexdigest()[:12],
        mapped,
    )


def _display_name(profile: Written) -> str:
    name = profile.value.get("display_name") if isinstance(profile.value, Mapping) else None
    return name if isinstance(name, str) else ""
