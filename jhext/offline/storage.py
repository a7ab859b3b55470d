"""Names in ``storage`` and in profiles that are meant to be each other's, and are not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from ..profiles.finding import Finding, did_you_mean
from ..profiles.model import Profile
from ..settings import Settings
from ..yamlfile import KeyPath, read_document
from .reach import rules_in


def unknown_profiles(settings: Settings, known: Collection[str]) -> Iterator[Finding]:
    """Find slugs in ``storage`` that no profile has.

    Parameters
    ----------
    settings
        The settings.
    known
        The slugs that there are.
    """
    file = settings.file_of("storage")
    for keys, slug in _slugs(settings):
        if slug not in known:
            path = ("storage", *keys)
            line = read_document(Path(file)).line(path) if file else 0
            message = f"no profile has the slug {slug!r}"
            suggestion = did_you_mean(slug, known, "name the slug of a profile")
            where = ".".join(map(str, path))
            yield Finding("warning", "", where, message, file, line, suggestion=suggestion)


def _slugs(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    storage = settings.storage
    if storage is None:
        return
    for number, mount in enumerate(storage.mounts):
        for slug in sorted(mount.profiles):
            yield ("mounts", number, "profiles"), slug
    if storage.quota and storage.quota.rescue_profile:
        yield ("quota", "rescue_profile"), storage.quota.rescue_profile
    if storage.init and storage.init.room and storage.init.room.rescue_profile:
        yield ("init", "room", "rescue_profile"), storage.init.room.rescue_profile


def unknown_claims(
    profiles: Iterable[Profile], settings: Settings
) -> Iterator[tuple[Profile, Finding]]:
    """Find claims that profiles change and ``storage.claims`` does not have.

    Parameters
    ----------
    profiles
        The profiles.
    settings
        The settings.
    """
    if settings.storage is None:
        return
    known = settings.storage.claims
    for profile in profiles:
        for path, carrier in rules_in(profile):
            for key in carrier.kubespawner_override.get("storage_claims") or ():
                if key not in known:
                    at = (path, "kubespawner_override", "storage_claims", key)
                    message = f"nothing starts with this: storage.claims has no {key!r}"
                    suggestion = did_you_mean(key, known, "name a key of storage.claims")
                    where, keys = f"profile {profile.slug!r}", ".".join(filter(None, at))
                    yield profile, Finding("error", where, keys, message, suggestion=suggestion)
