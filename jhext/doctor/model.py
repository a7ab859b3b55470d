"""What was seen of the world around a hub, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Line:
    """What one check says.

    Parameters
    ----------
    check
        What it is about.
    level
        Whether it is well, may not be, or is not.
    message
        What was seen.
    fix
        What to do; empty where all is well.
    """

    check: str
    level: Level
    message: str
    fix: str = ""

    def __post_init__(self) -> None:
        if (self.level == "ok") != (not self.fix):
            raise ValueError(f"{self.check}: a fix is for what is not well, and only for that")


@dataclass(frozen=True)
class StorageClass:
    """A StorageClass.

    Parameters
    ----------
    expands
        Whether its volumes can grow.
    is_default
        Whether claims that name none get it.
    """

    expands: bool
    is_default: bool


@dataclass(frozen=True)
class Cluster:
    """What a cluster says of itself. What is None could not be seen, mostly for want of a right.

    Parameters
    ----------
    namespace
        Where servers are.
    problem
        Why the cluster does not answer at all.
    version
        Its version, as major and minor number.
    allowed
        Whether the hub may do what it does, by resource and verb.
    pod_security
        The level that the namespace enforces; empty for none.
    storage_classes
        The StorageClasses by name.
    skew
        Seconds that its clock is before this one.
    """

    namespace: str = ""
    problem: str = ""
    version: tuple[int, int] | None = None
    allowed: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    pod_security: str | None = None
    storage_classes: Mapping[str, StorageClass] | None = None
    skew: float | None = None


@dataclass(frozen=True)
class Answer:
    """What became of asking somebody.

    Parameters
    ----------
    asked
        Who was asked, and about what.
    problem
        Why there was no good answer; empty where there was.
    answer
        What was answered, in short.
    """

    asked: str
    problem: str = ""
    answer: str = ""


@dataclass(frozen=True)
class World:
    """Everything that was seen.

    Parameters
    ----------
    cluster
        The cluster; None where it was not to be asked.
    directory
        What the sources of identities answer; None where there are none to ask.
    login_directory
        What the directory answers that people log in with; None where it is no directory.
    provider
        What the provider of logins answers; None where it cannot be asked.
    keys_problem
        Why auth_state cannot be encrypted with the keys that there are; empty where it can.
    spawners_indexed
        Whether the hub's database finds the servers of a person without reading all; None where
        it is no SQLite file that is there.
    """

    cluster: Cluster | None = None
    directory: Answer | None = None
    login_directory: Answer | None = None
    provider: Answer | None = None
    keys_problem: str = "there is no key to encrypt it with"
    spawners_indexed: bool | None = None
