"""Identities from GitHub: what the authenticator left in ``auth_state``.

Numbers are GitHub's own ids, which stay when a person, a team or an organization is renamed.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from .errors import IdentityRefused, Reason
from .ids import shown
from .source import Answer, Person, Source

USER, TEAMS, ORGANIZATIONS = "github_user", "teams", "organizations"
"""The keys of ``auth_state`` that oauthenticator and jhext keep GitHub's answers under."""

GroupKind = Literal["teams", "organizations"]

MAX_NAME = 32
"""How long the names of groups get: what useradd and groupadd of Linux accept."""


def group_name(organization: str, team: str = "") -> str:
    """Make the name that a team or an organization has on the file system.

    ``organization.team`` in small letters: names of organizations have no dots, so that no two
    give the same. A longer one than 32 characters is cut to 25, and gets a hyphen and six
    characters of its hash (SHA-256, base64url): the same each time.
    """
    name = f"{organization}.{team}" if team else organization
    name = name.casefold()
    if len(name) <= MAX_NAME:
        return name
    digest = urlsafe_b64encode(hashlib.sha256(name.encode()).digest()).decode()
    return f"{name[:25]}-{digest[:6]}"


def hub_groups(auth_state: Mapping[str, Any]) -> set[str]:
    """Give the groups that JupyterHub knows: ``organization:team`` and ``organization``."""
    teams = {f"{org}:{team}" for org, team, _ in _teams(auth_state)}
    return {name.casefold() for name in teams | {org for org, _ in _organizations(auth_state)}}


class GitHubSource(Source):
    """Reads what `jhext.GitHubOAuthenticator` left at login or at the last refresh.

    Parameters
    ----------
    name
        The name of the source.
    groups
        Which of them become groups.
    uid_offset, team_gid_offset, organization_gid_offset
        What is added to GitHub's numbers of people, teams and organizations.
    """

    reads_auth_state = True

    def __init__(
        self,
        name: str,
        groups: frozenset[GroupKind],
        *,
        uid_offset: int = 0,
        team_gid_offset: int = 0,
        organization_gid_offset: int = 0,
    ) -> None:
        super().__init__(name)
        self._groups = groups
        self._uid_offset = uid_offset
        self._team_gid_offset = team_gid_offset
        self._organization_gid_offset = organization_gid_offset

    async def lookup(self, person: Person) -> Answer | None:
        """Read the state of a person; see `Source.lookup`."""
        state = person.auth_state
        user = state.get(USER) if isinstance(state, Mapping) else None
        if state is None or user is None:
            return None
        number = user.get("id") if isinstance(user, Mapping) else None
        if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
            text = f"{self.name}: {shown(person.name)}: {shown(number)} is no id of GitHub"
            raise IdentityRefused(Reason.INVALID, text)
        if missing := [kind for kind in sorted(self._groups) if state.get(kind) is None]:
            text = f"{self.name}: no {' and '.join(missing)} in auth_state, see manage_groups"
            raise IdentityRefused(Reason.MISSING, text)
        return {
            "uid": number + self._uid_offset,
            "subject": str(number),
            "gecos": user.get("name") or user.get("login"),
            "email": user.get("email"),
            "groups": list(self._file_groups(state)),
            "claims": {"login": user.get("login"), "groups": sorted(hub_groups(state))},
        }

    def _file_groups(self, state: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        if "teams" in self._groups:
            for organization, team, number in _teams(state):
                name = group_name(organization, team)
                yield {"name": name, "gid": number + self._team_gid_offset}
        if "organizations" in self._groups:
            for organization, number in _organizations(state):
                gid = number + self._organization_gid_offset
                yield {"name": group_name(organization), "gid": gid}


def _teams(state: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Give organization, slug and id of each team; what is none is left out."""
    for team in state.get(TEAMS) or ():
        match team:
            case {"slug": str(slug), "id": int(number), "organization": {"login": str(login)}}:
                yield login, slug, number


def _organizations(state: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Give login and id of each organization; what is none is left out."""
    for organization in state.get(ORGANIZATIONS) or ():
        match organization:
            case {"login": str(login), "id": int(number)}:
                yield login, number
