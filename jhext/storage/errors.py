"""Why a server has no storage."""

from __future__ import annotations

from enum import StrEnum

from jhext.refusal import Refusal


class StorageReason(StrEnum):
    """Why storage refuses a server. The labels are fixed: metrics count by them."""

    PATH = "storage_path"
    """The path of the home is missing, or not under any of the roots."""
    OTHERS = "storage_others"
    """The claim is somebody else's, or nobody knows whose."""
    OLDER = "storage_older"
    """An older claim of the person exists, and an empty one would take its place."""
    LOST = "storage_lost"
    """A claim that the server had is gone, or going."""
    IN_USE = "storage_in_use"
    """Another server uses the claim, which only one can."""
    UNPREPARED = "storage_unprepared"
    """The directories of the person are not as they should be, and could not be made so."""
    MOUNT = "storage_mount"
    """Two things would be mounted in one place, or one in a place that is taken."""
    FULL = "storage_full"
    """The home is full, and what was to start is not the profile for making room."""
    PROJECTS = "storage_projects"
    """Two mounts, or a mount and the profile, belong to different projects."""


class StorageRefused(Refusal):
    """A server is not started, for it would have no storage, the wrong one, or somebody else's.

    Parameters
    ----------
    reason, message, detail
        See `jhext.refusal.Refusal`.
    """

    def __init__(self, reason: StorageReason, message: str, *, detail: str = "") -> None:
        super().__init__(reason, message, detail=detail)
        self.status_code = 409
