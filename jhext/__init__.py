"""Who a person is, what they may start, where their files live, and how long it may run.

jhext adds these to KubeSpawner, JupyterHub's authenticators and the idle culler. The names
below are loaded on first use, so that importing the package costs and changes nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .authenticators.cilogon import CILogonOAuthenticator as CILogonOAuthenticator
    from .authenticators.generic import GenericOAuthenticator as GenericOAuthenticator
    from .authenticators.github import GitHubOAuthenticator as GitHubOAuthenticator
    from .authenticators.header import HeaderAuthenticator as HeaderAuthenticator
    from .authenticators.ldap import LDAPAuthenticator as LDAPAuthenticator
    from .config import configure as configure
    from .config_dir import load_config_dir as load_config_dir
    from .database import database_url as database_url
    from .spawner import ProfileKubeSpawner as ProfileKubeSpawner

_PUBLIC = {
    "CILogonOAuthenticator": ".authenticators.cilogon",
    "GenericOAuthenticator": ".authenticators.generic",
    "GitHubOAuthenticator": ".authenticators.github",
    "HeaderAuthenticator": ".authenticators.header",
    "LDAPAuthenticator": ".authenticators.ldap",
    "ProfileKubeSpawner": ".spawner",
    "configure": ".config",
    "database_url": ".database",
    "load_config_dir": ".config_dir",
}

__all__ = [
    "CILogonOAuthenticator",
    "GenericOAuthenticator",
    "GitHubOAuthenticator",
    "HeaderAuthenticator",
    "LDAPAuthenticator",
    "ProfileKubeSpawner",
    "configure",
    "database_url",
    "load_config_dir",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for (PEP 562)."""
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
