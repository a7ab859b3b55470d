"""Whether somebody would be allowed now to start the server that they have."""

from __future__ import annotations

from typing import Any

from jupyterhub.utils import maybe_future

from jhext.identity.errors import Reason as IdentityReason
from jhext.profiles.selection import select
from jhext.refusal import Reason, Refusal
from jhext.spawner import ProfileKubeSpawner

_LOST = frozenset({Reason.NONE_PERMITTED, Reason.PROFILE, Reason.CHOICE, IdentityReason.UNKNOWN})
"""Refusals that say that the right is gone. All others may be about something that is broken."""


async def lost_right(spawner: Any) -> str | None:
    """Tell by which rule the owner of a server would no longer get it.

    Returns
    -------
    str or None
        The rule; None if they would get it, or nobody can tell.
    """
    if not isinstance(spawner, ProfileKubeSpawner):
        return None
    granted = spawner.get_state().get("jhext", {})
    if (profile := granted.get("profile")) is None:
        return None
    authenticator = spawner.user.authenticator
    name = spawner.user.name
    if not await maybe_future(authenticator.check_blocked_users(name, None)):
        return "Authenticator.blocked_users"
    try:
        catalog = await spawner.catalog()
        if catalog is None:
            return None
        known = {known.slug for known in catalog.profiles}
        if catalog.errors and profile not in known:
            return None  # a faulty profile is left out, and nobody withdrew it
        await spawner.identify()
        options = {"profile": profile, **granted.get("choices", {})}
        select(catalog, await spawner.person(catalog), options)
    except Refusal as refusal:
        return (refusal.rule or refusal.detail) if refusal.reason in _LOST else None
    return None
