"""Login with any OpenID Connect or OAuth 2 provider, such as Keycloak."""

from oauthenticator.generic import GenericOAuthenticator as UpstreamGenericOAuthenticator

from .oauth import IdentityOAuthenticator


class IdentityGenericOAuthenticator(IdentityOAuthenticator, UpstreamGenericOAuthenticator):  # type: ignore[misc]
    """oauthenticator's GenericOAuthenticator; `c.GenericOAuthenticator` configures it, too."""


# Its own name differs from the parent's, or traitlets would apply the parent's section twice.
GenericOAuthenticator = IdentityGenericOAuthenticator
