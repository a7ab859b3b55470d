"""Catalogues for these tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from jhext import ProfileKubeSpawner
from jhext.profiles.build import build
from jhext.profiles.catalog import Catalog, Policy
from jhext.profiles.lint import LintRules
from jhext.upstream import overridable_traits

MakeCatalog = Callable[..., Catalog]


@pytest.fixture(scope="session")
def make_catalog() -> MakeCatalog:
    """Make a catalogue of the profiles written in YAML."""

    def make(profiles: str, **policy: Any) -> Catalog:
        rules = LintRules(
            traits=overridable_traits(ProfileKubeSpawner),
            default_access=policy.get("default_access", "deny"),
        )
        catalog = build(yaml.safe_load(profiles), rules, Policy(**policy))
        assert not catalog.errors
        return catalog

    return make
