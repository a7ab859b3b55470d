"""Catalogues of profiles, without a spawner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from jhext import ProfileKubeSpawner
from jhext.profiles.catalog import Catalog, Policy
from jhext.profiles.library import Library
from jhext.profiles.lint import LintRules
from jhext.upstream import overridable_traits

Check = Callable[..., Catalog]


@pytest.fixture(scope="session")
def lint_rules() -> LintRules:
    return LintRules(traits=overridable_traits(ProfileKubeSpawner))


@pytest.fixture(scope="session")
def check(lint_rules: LintRules) -> Check:
    """Make a catalogue of what is faultless in a list; the rest is among its findings."""

    def check(profiles: Any, policy: Policy | None = None, **changed_rules: Any) -> Catalog:
        policy = policy or Policy()
        changed = replace(lint_rules, default_access=policy.default_access, **changed_rules)
        catalog, _ = Library().catalog([profiles], lambda: changed, policy)
        return catalog

    return check


@pytest.fixture(scope="session")
def make_catalog(check: Check) -> Check:
    """Make a catalogue of profiles that must be faultless."""

    def make(profiles: Any, **policy: Any) -> Catalog:
        catalog = check(profiles, Policy(**policy))
        assert not catalog.errors
        return catalog

    return make
