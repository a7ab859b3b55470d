"""Login with CILogon."""

from oauthenticator.cilogon import CILogonOAuthenticator as UpstreamCILogonOAuthenticator

from .oauth import IdentityOAuthenticator


class IdentityCILogonOAuthenticator(IdentityOAuthenticator, UpstreamCILogonOAuthenticator):  # type: ignore[misc]
    """oauthenticator's CILogonOAuthenticator; `c.CILogonOAuthenticator` configures it, too."""


# Its own name differs from the parent's, or traitlets would apply the parent's section twice.
CILogonOAuthenticator = IdentityCILogonOAuthenticator
