"""What a configuration needs of the world around it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..cluster.features import Features, features_of
from ..culler.wiring import NAME, is_other_culler
from ..culler.work import needed_scopes
from ..in_force import lost
from ..offline.configuration import Configuration
from ..profiles.finding import Finding
from ..storage.settings import StorageSettings

_HOOKS = ("pre_spawn_hook", "post_stop_hook", "auth_state_hook", "modify_pod_hook")
_FROM_AUTH_STATE = frozenset({"auth_state", "github"})
SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Claim:
    """A claim that is made for people.

    Parameters
    ----------
    storage_class
        The class it asks for; None for the cluster's default one, empty for none.
    grows
        Whether it is to grow.
    """

    storage_class: str | None
    grows: bool


@dataclass(frozen=True)
class Plan:
    """What a configuration needs.

    Parameters
    ----------
    features
        What it uses of the cluster.
    hardened
        Whether the security contexts of pods pass the level "restricted" of Pod Security.
    privileged
        What pods have that the levels "baseline" and "restricted" refuse.
    unrestricted
        What only "restricted" refuses.
    claims
        The claims, by their keys.
    needs_auth_state
        Why auth_state is needed; empty where it is not.
    enables_auth_state
        Whether the authenticator keeps it.
    hooks
        Hooks that are set twice, and the sections that set them: only the last one counts.
    other_cullers
        Services that stop servers besides jhext's.
    culler_scopes
        Scopes that the role of jhext's culler lacks.
    lost
        What was added to the configuration and is there no more.
    issuer, login_url
        Where the provider of logins is; empty where there is none or it is not known.
    login_ca
        The file of the authority of its certificate; empty for those that everybody knows.
    database
        The path of the hub's SQLite database; empty where it is another one.
    """

    features: Features = field(default_factory=Features)
    hardened: bool = False
    privileged: tuple[str, ...] = ()
    unrestricted: tuple[str, ...] = ()
    claims: Mapping[str, Claim] = field(default_factory=dict)
    needs_auth_state: str = ""
    enables_auth_state: bool = False
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    other_cullers: tuple[str, ...] = ()
    culler_scopes: tuple[str, ...] = ()
    lost: tuple[Finding, ...] = ()
    issuer: str = ""
    login_url: str = ""
    login_ca: str = ""
    database: str = ""


def plan_of(configuration: Configuration) -> Plan:
    """Tell what a configuration needs."""
    settings = configuration.settings
    database = str(configuration.hub_trait("db_url", "") or f"{SQLITE}jupyterhub.sqlite")
    storage = settings.storage or StorageSettings()
    kinds = {one.source.type for one in (storage.home, *storage.mounts) if one}
    privileged = [f"the container {name}" for name in sorted(settings.pod.privileged_containers)]
    is_wired = configuration.path.suffix == ".py"
    return Plan(
        features=features_of(configuration),
        hardened=settings.identity is not None,
        privileged=(*privileged, *_volumes(kinds, "host_path")),
        unrestricted=_volumes(kinds, "nfs"),
        claims={
            key: Claim(c.storage_class, c.grow != "never") for key, c in storage.claims.items()
        },
        needs_auth_state=_needs_auth_state(configuration),
        enables_auth_state=bool(_of_login(configuration, "enable_auth_state")),
        hooks=_hooks_set_twice(configuration),
        other_cullers=_other_cullers(configuration),
        culler_scopes=_missing_scopes(configuration),
        lost=tuple(lost(configuration.config, settings)) if is_wired else (),
        issuer=str(_of_login(configuration, "issuer") or ""),
        login_url=str(_of_login(configuration, "authorize_url") or ""),
        login_ca=str((_of_login(configuration, "http_request_kwargs") or {}).get("ca_certs") or ""),
        database=database.removeprefix(SQLITE) if database.startswith(SQLITE) else "",
    )


def _volumes(kinds: Collection[str], kind: str) -> tuple[str, ...]:
    return (f"volumes of type {kind}",) if kind in kinds else ()


def _needs_auth_state(configuration: Configuration) -> str:
    settings = configuration.settings
    if settings.pod.token is not None:
        return "pod.token gives pods what it holds"
    sources = settings.identity.sources if settings.identity else ()
    if used := sorted({source.type for source in sources} & _FROM_AUTH_STATE):
        return f"identity has the source {used[0]}"
    return "hub.claims_key names a part of it" if settings.hub.claims_key else ""


def _of_login(configuration: Configuration, trait: str) -> Any:
    """Give a trait of whichever authenticator it is configured for."""
    config = configuration.config
    sections = [name for name in config if name.endswith(("Authenticator", "OAuthenticator"))]
    values = (config[name][trait] for name in sections if trait in config[name])
    return next((value for value in values if value), None)


def _hooks_set_twice(configuration: Configuration) -> dict[str, tuple[str, ...]]:
    found = {}
    for hook in _HOOKS:
        sections = configuration.spawner_class.section_names()
        setting = tuple(name for name in sections if configuration.config.get(name, {}).get(hook))
        if len(setting) > 1:
            found[hook] = setting
    return found


def _other_cullers(configuration: Configuration) -> tuple[str, ...]:
    if configuration.settings.culler is None:
        return ()
    services = configuration.hub_trait("services", [])
    return tuple(service["name"] for service in services if is_other_culler(service))


def _missing_scopes(configuration: Configuration) -> tuple[str, ...]:
    """Give the scopes that the culler's role lacks; where there is no role, it is told as lost."""
    culler = configuration.settings.culler
    roles = configuration.hub_trait("load_roles", [])
    held = [set(role.get("scopes", ())) for role in roles if role["name"] == NAME]
    return tuple(sorted(needed_scopes(culler) - held[0])) if culler and held else ()
