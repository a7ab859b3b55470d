"""Who can log in to the demo, and what each may start, as the rules decide it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path

from rich.table import Table
from rich.text import Text

from ..profiles.access import Person
from ..profiles.build import build
from ..profiles.catalog import Catalog, Permitted, Policy
from ..profiles.lint import LintRules
from ..settings import load_settings
from ..spawner import ProfileKubeSpawner
from ..upstream import overridable_traits
from .accounts import Account


def read_catalog(path: Path) -> Catalog:
    """
    Return the profiles of a ``jhext.yaml``.

    Raises
    ------
    ConfigurationError
        The file is faulty.
    """
    settings = load_settings(path)
    hub = settings.hub
    rules = LintRules(
        traits=overridable_traits(ProfileKubeSpawner),
        default_access=hub.default_access,
        allowed_sensitive_overrides=hub.allowed_sensitive_overrides,
        extra_profile_keys=hub.extra_profile_keys,
    )
    return build(settings.profiles, rules, Policy(hub.default_access, hub.admin_bypass))


def who_may_start_what(catalog: Catalog, accounts: Iterable[Account]) -> Table:
    """Return a table of everybody and every profile, with the reason of each decision."""
    table = Table("Name\nPassword\nGroups", "May start", "Why")  # narrow enough for 80 columns
    for account in accounts:
        about = (
            account.name,
            account.password.get_secret_value(),
            ", ".join(account.groups) or "no groups",
        )
        person = _person(account)
        decisions = [_decision(catalog, profile.slug, person) for profile in catalog.profiles]
        for row in zip_longest(about, *zip(*decisions, strict=True), fillvalue=""):
            table.add_row(*map(Text, row))
        table.add_section()
    return table


def _decision(catalog: Catalog, slug: str, person: Person) -> tuple[str, str]:
    """Tell whether a person may start a profile, and why, with the choices that are open."""
    outcome = catalog.find(slug, person)
    if not isinstance(outcome, Permitted):
        return f"no   {slug}", outcome.reason if outcome else ""
    choices = [
        f"{item.option.display_name}: {', '.join(c.choice.display_name for c in item.choices)}"
        for item in outcome.options
    ]
    return f"yes  {slug}", "; ".join([outcome.decision.reason, *choices])


def _person(account: Account) -> Person:
    return Person(
        user=account.name,
        groups=frozenset(account.groups),
        admin=account.admin,
        claims=account.claims,
    )
