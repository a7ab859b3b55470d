"""The directory that people log in with, asked as a hub asks it."""

from __future__ import annotations

import copy
from typing import Any

from traitlets import TraitError

from ..hub_config import apply_config
from ..identity.errors import IdentityRefused, IdentityUnavailable
from ..offline.configuration import Configuration
from ..profiles.finding import ConfigurationError
from .model import Answer
from .others import NOBODY


async def ask_login_directory(configuration: Configuration, user: str) -> Answer | None:
    """Look somebody up as `jhext.LDAPAuthenticator` would; None where that is not who logs in.

    Parameters
    ----------
    configuration
        The configuration of the hub.
    user
        Whom to look up; empty for nobody.
    """
    chosen = configuration.hub_trait("authenticator_class", "")
    if not isinstance(chosen, type) and chosen not in ("jhext-ldap", "jhext.LDAPAuthenticator"):
        return None
    # JupyterHub takes as long to import as everything else together.
    from ..authenticators.ldap import LDAPAuthenticator  # noqa: PLC0415
    from ..identity.ldap.errors import LoginRefused  # noqa: PLC0415

    made_by: type[Any] = chosen if isinstance(chosen, type) else LDAPAuthenticator
    if not issubclass(made_by, LDAPAuthenticator):
        return None
    asked, config = f"LDAPAuthenticator: {user or 'nobody'}", copy.deepcopy(configuration.config)
    try:
        apply_config(config, configuration.settings, configuration.spawner_class)
        authenticator = made_by(config=config)
    except (ConfigurationError, TraitError, ValueError) as error:
        return Answer(asked, str(error))
    try:
        found = await authenticator.look(user or NOBODY)
    except (IdentityRefused, LoginRefused) as error:
        return Answer(asked, str(error)) if user else Answer(asked, answer="it answers")
    except IdentityUnavailable as error:
        return Answer(asked, str(error))
    finally:
        await authenticator.close()
    if found is None:
        return Answer(asked, answer="it answers; the hub has no account to look anybody up")
    groups = ", ".join(found.group_names) or "none"
    return Answer(asked, answer=f"{found.entry.name}, {found.entry.dn}, groups {groups}")
