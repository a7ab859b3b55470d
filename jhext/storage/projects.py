"""Projects that mounts belong to: whose ids a server has that gets such a mount."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jhext.identity.act_as import ActAs

from .errors import StorageReason, StorageRefused
from .mounts import MountSettings


@dataclass(frozen=True, slots=True)
class Acting:
    """As which project a server works.

    Parameters
    ----------
    project
        Its ids; None where the server works as the person.
    asked_by
        What asks for it, such as ``profile`` or ``mount exp42``.
    """

    project: ActAs | None = None
    asked_by: str = ""


def acting(mounts: Sequence[MountSettings], project: ActAs | None) -> Acting:
    """Settle as which project a server works.

    Parameters
    ----------
    mounts
        What the server mounts, see `jhext.storage.mounts.had_by`.
    project
        The project that its profile says.

    Raises
    ------
    StorageRefused
        There are two: a pod has one uid.
    """
    asking = [("profile", project)] + [(f"mount {one.name}", one.act_as) for one in mounts]
    agreed = Acting()
    for name, asked in asking:
        if asked is None:
            continue
        if agreed.project not in (None, asked):
            both = f"{agreed.asked_by} and {name}"
            message = (
                f"This server would have to work as two projects at once ({both}). Please choose "
                "another profile, or tell your administrator."
            )
            raise StorageRefused(StorageReason.PROJECTS, message, detail=f"act_as differs: {both}")
        agreed = Acting(asked, f"{agreed.asked_by}, {name}".removeprefix(", "))
    return agreed
