"""The section ``pod.token`` of the settings: which token a pod gets, and where git uses it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from jhext.identity.settings import Pointer
from jhext.identity.source_section import Seconds
from jhext.section import Section

# No user or password, no pattern: git would send the token to whatever host matches.
GitUrl = Annotated[
    str, Field(pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$")
]


class TokenSettings(Section):
    """The section ``pod.token``: the token that the person's login gave the hub, as a file."""

    key: Pointer = Field(
        default="/access_token",
        description="Where the token is in auth_state, as a JSON pointer.",
        examples=["/id_token"],
    )
    git_urls: tuple[GitUrl, ...] = Field(
        default=(),
        strict=False,
        description="For which addresses git uses the token, and no other credentials.",
        examples=[["https://github.com"]],
    )
    git_username: str = Field(
        default="oauth2",
        pattern=r"^[!-~]+$",
        max_length=256,
        description="The user name that git gives with it. GitHub takes any, GitLab `oauth2`.",
    )
    refresh: Seconds = Field(
        default=300,
        ge=1,
        le=86_400,
        description="After what time the provider is asked again for the token of a server that "
        "runs, unless a request to the hub has done it. Shorter than tokens last.",
        examples=["5m"],
    )
