"""Log in to the demo with its OpenLDAP."""

from __future__ import annotations

import os
from typing import Any

from traitlets.config import Config

from ..authenticators.ldap import LDAPAuthenticator
from .directory import ADDRESS, ADMINS, GROUPS, HUB, PASSWORD, PEOPLE


class DirectoryDemoAuthenticator(LDAPAuthenticator):
    """Gives rules one affiliation as a text, as the demo's file of people does."""

    async def authenticate(self, handler: Any, data: dict[str, str]) -> dict[str, Any] | None:
        """Return who this is; see `LDAPAuthenticator.authenticate`."""
        model = await super().authenticate(handler, data)
        return model and _with_affiliation(model)

    async def refresh_user(self, user: Any, handler: Any = None) -> bool | dict[str, Any]:
        """Return who this is now; see `LDAPAuthenticator.refresh_user`."""
        model = await super().refresh_user(user, handler)
        return model if isinstance(model, bool) else _with_affiliation(model)


def configure_login(c: Config) -> None:
    """Let people log in with the directory, whose address is in the environment."""
    c.JupyterHub.authenticator_class = DirectoryDemoAuthenticator
    c.LDAPAuthenticator.update(
        {
            "server_address": os.environ[ADDRESS],
            "tls_strategy": "insecure",  # it never leaves this machine
            "lookup_dn": True,
            "lookup_dn_search_user": HUB,
            "lookup_dn_search_password": os.environ[PASSWORD],
            "user_search_base": PEOPLE,
            "user_attribute": "uid",
            "group_search_base": GROUPS,
            "auth_state_attributes": ["employeeType"],
            "subject_attribute": "",  # the people are new entries at each start
            "admin_groups": {ADMINS},
            "manage_groups": True,
            "allow_all": True,  # whoever is in it
            "enable_auth_state": True,  # where rules find claims
        }
    )


def _with_affiliation(model: dict[str, Any]) -> dict[str, Any]:
    identity = model["auth_state"]["jhext"]
    found = identity["claims"].get("employeeType")
    identity["claims"] = {"affiliation": found[0]} if found else {}
    return model
