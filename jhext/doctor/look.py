"""Looking at everything around a hub at once, each with its own deadline."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from jupyterhub.crypto import CryptKeeper, EncryptionUnavailable, NoEncryptionKeys
from traitlets import TraitError

from ..cluster.rbac import needs_of
from ..crypt_keys import VARIABLE, split
from ..offline.configuration import Configuration
from ..profiles.finding import ConfigurationError
from .cluster import look_at_cluster
from .login import ask_login_directory
from .model import World
from .others import ask_directory, ask_provider, servers_are_indexed
from .plan import Plan


async def look(
    configuration: Configuration,
    plan: Plan,
    *,
    user: str = "",
    namespace: str = "",
    kubeconfig: Path | None = None,
    account: str = "",
) -> World:
    """See what a hub would find; nothing is changed.

    Parameters
    ----------
    configuration, plan
        What the hub is configured with, and what that needs.
    user
        Whom to look up in the directory.
    namespace, kubeconfig, account
        As `look_at_cluster` takes them.
    """
    cluster, directory, login, provider, indexed = await asyncio.gather(
        look_at_cluster(needs_of(plan.features), namespace, kubeconfig, account),
        ask_directory(configuration.settings.identity, user),
        ask_login_directory(configuration, user),
        ask_provider(plan.issuer, plan.login_url, plan.login_ca),
        servers_are_indexed(plan.database),
    )
    return World(cluster, directory, login, provider, _keys_problem(configuration), indexed)


def _keys_problem(configuration: Configuration) -> str:
    """Say why auth_state could not be encrypted; never with what a key is."""
    keys = configuration.config.get("CryptKeeper", {}).get("keys")
    try:
        named = [key.resolve() for key in configuration.settings.hub.crypt_keys]
        keys = keys or [key for text in named for key in split(text)]
        CryptKeeper(keys=keys or split(os.environ.get(VARIABLE, ""))).check_available()
    except ConfigurationError as error:
        return f"a key is not there: {error}"
    except NoEncryptionKeys:
        return World.keys_problem
    except EncryptionUnavailable as error:
        return f"it cannot be encrypted: {error}"
    except (ValueError, TypeError, TraitError):
        return "a key is none: keys are 32 bytes, written in hexadecimal or base64"
    return ""
