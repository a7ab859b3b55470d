"""Login with GitHub: groups from teams and organizations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from oauthenticator.github import GitHubOAuthenticator as UpstreamGitHubOAuthenticator
from requests.utils import parse_header_links
from tornado.httpclient import HTTPClientError
from traitlets import Bool, default

from jhext.identity.github import ORGANIZATIONS, hub_groups

from .oauth import IdentityOAuthenticator

MAX_PAGES = 100
"""How many pages of organizations are asked for, of 100 each."""

MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class IdentityGitHubOAuthenticator(
    IdentityOAuthenticator,
    UpstreamGitHubOAuthenticator,  # type: ignore[misc]
):
    """oauthenticator's GitHubOAuthenticator; `c.GitHubOAuthenticator` configures it, too.

    With `manage_groups`, people are in the groups ``organization:team`` and ``organization``, in
    small letters, unless `auth_state_groups_key` says otherwise.
    """

    populate_organizations_in_auth_state = Bool(
        config=True,
        help="""
        Whether the organizations of a person are kept in `auth_state`, under `organizations`.

        By default, as `populate_teams_in_auth_state`, with `manage_groups`. Needs the scope
        `read:org`.
        """,
    )

    @default("populate_organizations_in_auth_state")
    def _default_populate_organizations(self) -> bool:
        return bool(self.manage_groups)

    @default("populate_teams_in_auth_state")
    def _default_populate_teams(self) -> bool:
        return bool(self.manage_groups)

    @default("scope")
    def _default_scope(self) -> list[str]:
        return ["read:org", "user:email"] if self.manage_groups else ["user:email"]

    @default("subject_claim")
    def _default_subject_claim(self) -> str:
        return "id"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        asks = self.populate_teams_in_auth_state or self.populate_organizations_in_auth_state
        if self.manage_groups and not (asks or self.auth_state_groups_key):
            raise ValueError("manage_groups needs teams, organizations or auth_state_groups_key")
        if asks and not {"read:org", "admin:org"} & set(self.scope):
            raise ValueError("teams and organizations need `read:org` in the scope")

    async def update_auth_model(self, auth_model: dict[str, Any]) -> dict[str, Any]:
        """Add the organizations to what upstream adds: the e-mail address and the teams."""
        auth_model = await super().update_auth_model(auth_model)
        if self.populate_organizations_in_auth_state:
            state = auth_model["auth_state"]
            url = f"{self.github_api}/user/orgs?per_page=100"
            state[ORGANIZATIONS] = await self._pages(url, state["token_response"])
        return auth_model

    async def _pages(self, first: str, token: Mapping[str, str]) -> list[Any]:
        """Gather a list that GitHub gives in pages."""
        headers = self.build_userdata_request_headers(token["access_token"], token["token_type"])
        gathered: list[Any] = []
        url: str | None = first
        for _ in range(MAX_PAGES):
            if url is None:
                break
            answer = await self.httpfetch(
                url,
                "fetching organizations",
                parse_json=False,
                headers=headers,
                validate_cert=self.validate_server_cert,
            )
            gathered += json.loads(answer.body)
            links = parse_header_links(answer.headers.get("Link", ""))
            url = next((link["url"] for link in links if link.get("rel") == "next"), None)
        return gathered

    async def get_user_groups(self, auth_state: Mapping[str, Any]) -> set[str]:
        """Give teams and organizations, unless `auth_state_groups_key` says otherwise."""
        if self.auth_state_groups_key:
            return await super().get_user_groups(auth_state)
        return hub_groups(auth_state)

    async def httpfetch(self, url: str, *args: Any, **kwargs: Any) -> Any:
        """Ask GitHub and nobody else, wherever an answer leads or says that its next page is."""
        own = (self.github_api, self.github_url, self.token_url, self.userdata_url)
        for _ in range(1 + MAX_REDIRECTS):
            if _origin(url) not in {_origin(address) for address in own}:
                raise HTTPClientError(502, "an answer leads to another host")
            try:
                answer = await super().httpfetch(url, *args, **kwargs, follow_redirects=False)
            except HTTPClientError as error:
                if error.code not in _REDIRECTS or error.response is None:
                    raise
                answer = error.response
            if getattr(answer, "code", 0) not in _REDIRECTS:
                return answer
            url = urljoin(url, answer.headers.get("Location", ""))
        raise HTTPClientError(502, "an answer leads to ever another address")


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


# Its own name differs from the parent's, or traitlets would apply the parent's section twice.
GitHubOAuthenticator = IdentityGitHubOAuthenticator
