"""What a server mounts: one frozen value, and whose server it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jhext.identity.model import Identity
from jhext.profiles.access import Person

Object = Mapping[str, Any]
"""A volume, a mount or a claim, with Kubernetes' own keys."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose server it is, and what is started.

    Parameters
    ----------
    person
        The hub's name, groups, admin right and claims of the person, and the name of the server.
    identity
        Who the person is on the file system; None where that is not jhext's to say.
    profile
        The slug of the profile that was granted; empty where there are no profiles.
    project
        Under whose ids the server runs, where these are not the person's.
    """

    person: Person
    identity: Identity | None = None
    profile: str = ""
    project: Identity | None = None

    @property
    def user(self) -> str:
        """The hub's name of the person."""
        return self.person.user

    @property
    def server(self) -> str:
        """The name of the server, empty for the default server."""
        return self.person.server_name

    @property
    def groups(self) -> frozenset[str]:
        """The full names of the person's groups, the hub's and those of the file system."""
        named = self.identity.groups if self.identity else ()
        return self.person.groups | {group.name for group in named}


@dataclass(frozen=True, slots=True)
class Volumes:
    """What a server mounts.

    Parameters
    ----------
    volumes
        The volumes of the pod. Each has a name that begins with `PREFIX`.
    mounts
        The mounts of the notebook's container.
    home_mount
        The path of the home inside the container; empty where storage has none to say.
    claims
        The names of the claims that are mounted, by their keys in ``storage.claims``.
    """

    volumes: tuple[Object, ...] = ()
    mounts: tuple[Object, ...] = ()
    home_mount: str = ""
    claims: Mapping[str, str] = field(default_factory=dict)

    def __add__(self, other: Volumes) -> Volumes:
        """Put two together; the home of the first counts."""
        return Volumes(
            self.volumes + other.volumes,
            self.mounts + other.mounts,
            self.home_mount or other.home_mount,
            {**self.claims, **other.claims},
        )


PREFIX = "jhext-"
"""How the names of all volumes begin that jhext adds to a pod."""
