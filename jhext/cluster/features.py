"""What a configuration uses, as far as it decides what the cluster must grant and hold."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..offline.configuration import Configuration
from ..profiles.model import Overrides, Profile, walk_options

DEFAULT_PORT = 8888
HUB_PORT = 8081


@dataclass(frozen=True)
class Features:
    """What is used of KubeSpawner, JupyterHub and jhext.

    Parameters
    ----------
    events
        Whether messages are shown while a server starts.
    claims
        Whether claims are made for people.
    growing_claims
        Whether claims grow.
    internal_ssl
        Whether the hub and the servers speak with certificates of their own.
    services
        Whether each server has a Service.
    tokens
        Whether pods get the token of their person's login.
    user_namespaces
        Whether each person has a namespace.
    """

    events: bool = True
    claims: bool = False
    growing_claims: bool = False
    internal_ssl: bool = False
    services: bool = False
    tokens: bool = False
    user_namespaces: bool = False


def features_of(configuration: Configuration) -> Features:
    """Tell what a configuration uses; what a profile switches on counts too."""
    storage = configuration.settings.storage
    claims = storage.claims.values() if storage else ()

    def used(name: str) -> bool:
        return any(values_of(configuration, name))

    return Features(
        events=used("events_enabled"),
        claims=bool(claims) or used("storage_pvc_ensure"),
        growing_claims=any(claim.grow != "never" for claim in claims),
        internal_ssl=bool(configuration.hub_trait("internal_ssl", False)),
        services=used("services_enabled"),
        tokens=configuration.settings.pod.token is not None,
        user_namespaces=used("enable_user_namespaces"),
    )


def values_of(configuration: Configuration, name: str) -> list[Any]:
    """Give every value that a trait of the spawner can have: the configured one comes first."""
    overrides = (
        overrides[name]
        for profile in configuration.version.catalog.profiles
        for overrides in overrides_of(profile)
        if name in overrides
    )
    return [configuration.trait(name), *overrides]


def overrides_of(profile: Profile) -> Iterator[Overrides]:
    """Give what a profile and its choices override, each on its own."""
    yield profile.kubespawner_override
    for _, _, option in walk_options(profile.profile_options):
        choices = (choice.kubespawner_override for choice in option.choices.values())
        free_text = option.unlisted_choice
        yield from itertools.chain(
            choices, [free_text.kubespawner_override] if free_text.enabled else []
        )


def as_list(value: Any) -> list[Any]:
    """Give the items of what KubeSpawner takes as a list or as a dict sorted by its keys."""
    if isinstance(value, Mapping):
        return [value[key] for key in sorted(value)]
    return list(value or ())
