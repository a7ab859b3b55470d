"""A resolver, as the settings describe it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from jhext.section import SecretRef

from .allocate import Ranges, Registry
from .auth_state import AuthStateSource
from .files import FilesSource
from .fixed import FixedSource
from .function import FunctionSource
from .github import GitHubSource
from .host import HostSource
from .ids import IdRules
from .ldap.build import active_directory_source, ldap_source
from .ldap.settings import ActiveDirectorySettings, LdapSettings
from .ledger import Ledger, UniqueUid
from .pointers import Pointers
from .precedence import Rules
from .resolve import Limits, Resolver
from .rest import RestSource, UrlTemplate
from .settings import (
    AuthStateSettings,
    FilesSettings,
    FixedSettings,
    FunctionSettings,
    GitHubSettings,
    HostSettings,
    IdentitySettings,
    RestSettings,
    SourceSettings,
)
from .source import Only, Source, Workers
from .table import TableSource, load_csv, load_yaml


def build_resolver(
    settings: IdentitySettings,
    log: logging.Logger | logging.LoggerAdapter[logging.Logger] | None = None,
) -> Resolver:
    """Make the resolver of mode ``user``. Nothing is asked or opened yet.

    Raises
    ------
    ConfigurationError
        When the secret with the ledger's address is not there.
    ValueError
        When that address cannot be used.
    """
    workers = Workers(settings.concurrency)
    unique_uid = UniqueUid(settings.unique_uid)
    ledger = None if unique_uid is UniqueUid.OFF else ledger_of(settings, workers)
    return Resolver(
        [_source(source, settings, workers) for source in settings.sources],
        rules_of(settings),
        Limits(
            deadline=settings.deadline,
            concurrency=settings.concurrency,
            ttl=settings.ttl,
            serve_stale=settings.serve_stale,
        ),
        workers=workers,
        ledger=ledger,
        unique_uid=unique_uid,
        registry=registry_of(settings, workers),
        log=log,
    )


def ledger_of(settings: IdentitySettings, workers: Workers) -> Ledger:
    """Make the ledger. Nothing is opened yet.

    Raises
    ------
    ConfigurationError
        When the secret with its address is not there.
    ValueError
        When that address cannot be used.
    """
    return Ledger(_database_of(settings), workers)


def registry_of(settings: IdentitySettings, workers: Workers) -> Registry | None:
    """Make the registry of allocated ids, if there is one. Nothing is opened yet.

    Raises
    ------
    ConfigurationError
        When the secret with its address is not there.
    ValueError
        When that address cannot be used.
    """
    allocate = settings.allocate
    if allocate is None:
        return None
    return Registry(_database_of(settings), Ranges(allocate.users, allocate.groups), workers)


def _database_of(settings: IdentitySettings) -> str:
    url = settings.ledger
    return url.resolve() if isinstance(url, SecretRef) else url


def rules_of(settings: IdentitySettings) -> Rules:
    """Give the rules that identities have to follow."""
    return Rules(
        ids=IdRules(
            min_uid=settings.min_uid,
            max_uid=settings.max_uid,
            min_gid=settings.min_gid,
            max_gid=settings.max_gid,
            reserved_ids=settings.reserved_ids,
            allow_root=settings.allow_root,
        ),
        required=settings.required,
        user_private_groups=settings.user_private_groups,
        default_shell=settings.default_shell,
    )


def _source(settings: SourceSettings, common: IdentitySettings, workers: Workers) -> Source:
    source = _of_type(settings, common, workers)
    return source if settings.provides is None else Only(source, settings.provides)


def _of_type(settings: SourceSettings, common: IdentitySettings, workers: Workers) -> Source:
    name = settings.name or settings.type
    if isinstance(settings, RestSettings):
        return RestSource(
            name,
            UrlTemplate(settings.url),
            Pointers(settings.fields, settings.group_name, settings.group_gid),
            headers={key: reader(value) for key, value in settings.headers.items()},
            workers=workers,
            timeout=settings.timeout,
            max_bytes=settings.max_bytes,
            ca_file=settings.ca_file,
            connections=common.concurrency,
        )
    if isinstance(settings, FilesSettings):
        return FilesSource(name, _path(settings.passwd), _path(settings.group), workers)
    if isinstance(settings, HostSettings):
        return HostSource(name, workers)
    if isinstance(settings, FunctionSettings):
        return FunctionSource(name, settings.function, workers)
    if isinstance(settings, AuthStateSettings):
        pointers = None
        if settings.fields is not None:
            pointers = Pointers(settings.fields, settings.group_name, settings.group_gid)
        return AuthStateSource(name, pointers)
    if isinstance(settings, FixedSettings):
        return FixedSource(name, {str(field): value for field, value in settings.values.items()})
    if isinstance(settings, GitHubSettings):
        wants_groups = settings.provides is None or "groups" in settings.provides
        return GitHubSource(
            name,
            settings.groups if wants_groups else frozenset(),
            uid_offset=settings.uid_offset,
            team_gid_offset=settings.team_gid_offset,
            organization_gid_offset=settings.organization_gid_offset,
        )
    if isinstance(settings, LdapSettings):
        return ldap_source(name, settings, common.deadline)
    if isinstance(settings, ActiveDirectorySettings):
        return active_directory_source(name, settings, common.deadline)
    load = load_csv if settings.path.endswith(".csv") else load_yaml
    return TableSource(name, Path(settings.path), load, workers)


def _path(path: str | None) -> Path | None:
    return None if path is None else Path(path)


def reader(value: str | SecretRef) -> Callable[[], str]:
    """Give what reads a value that may be a secret: anew each time."""
    return value.resolve if isinstance(value, SecretRef) else lambda: value
