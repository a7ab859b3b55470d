"""Login with CILogon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oauthenticator.cilogon import CILogonOAuthenticator as UpstreamCILogonOAuthenticator
from tornado import web

from .oauth import IdentityOAuthenticator


class IdentityCILogonOAuthenticator(IdentityOAuthenticator, UpstreamCILogonOAuthenticator):  # type: ignore[misc]
    """oauthenticator's CILogonOAuthenticator; `c.CILogonOAuthenticator` configures it, too."""

    async def check_allowed(self, username: str, auth_model: Mapping[str, Any] | None) -> bool:
        """Refuse, without an error, who lacks the claim that an institute is recognized by."""
        try:
            return bool(await super().check_allowed(username, auth_model))
        except web.HTTPError:
            return False


# Its own name differs from the parent's, or traitlets would apply the parent's section twice.
CILogonOAuthenticator = IdentityCILogonOAuthenticator
