"""Whether somebody would be allowed now to start the server that they have."""

from __future__ import annotations

from typing import Any

from jupyterhub.utils import maybe_future

from jhext.culler.granted import BY_HOOK
from jhext.identity.errors import Reason as IdentityReason
from jhext.profiles.selection import select
from jhext.refusal import Reason, Refusal
from jhext.spawner import ProfileKubeSpawner

_LOST = frozenset({Reason.NONE_PERMITTED, Reason.PROFILE, Reason.CHOICE, IdentityReason.UNKNOWN})
"""Refusals that say that the right is gone. All others may be about something that is broken."""


class Undecided(Exception):  # noqa: N818 - an answer, not an error
    """Nobody can tell now."""


async def lost_right(spawner: Any) -> str | None:
    """Tell by which rule the owner of a server would no longer get it.

    Returns
    -------
    str or None
        The rule; None if they would get it.

    Raises
    ------
    Undecided
        Nobody can tell now, because a directory does not answer say.
    """
    if not isinstance(spawner, ProfileKubeSpawner):
        return None
    try:
        return await _lost_now(spawner)
    except Refusal as refusal:
        if refusal.reason not in _LOST or not _is_certain(refusal, spawner):
            raise Undecided from None
        return refusal.rule or refusal.detail or refusal.reason.value
    except Undecided:
        raise
    except Exception:  # code of the operator's, which may fail for one person only
        who = f"{spawner.user.name}/{spawner.name}"
        spawner.log.exception("Whether the right to %s has ended is not known", who)
        raise Undecided from None


def _is_certain(refusal: Refusal, spawner: Any) -> bool:
    if refusal.reason is not IdentityReason.UNKNOWN:
        return True
    # The name service does not tell who is gone from a directory that does not answer.
    return all(source.type != "host" for source in spawner.settings.identity.sources)


async def _lost_now(spawner: ProfileKubeSpawner) -> str | None:
    authenticator, name = spawner.user.authenticator, spawner.user.name
    if not await maybe_future(authenticator.check_blocked_users(name, None)):
        return "Authenticator.blocked_users"
    await spawner.identify()
    granted = spawner.get_state().get("jhext", {})
    profile = granted.get("profile")
    if profile is None or BY_HOOK in granted:
        return None  # what the hook would set now, only a start tells
    catalog = await spawner.catalog()
    if catalog is None:
        return None
    known = {known.slug for known in catalog.profiles}
    if profile not in known and (catalog.errors or not known):
        raise Undecided  # a faulty profile is left out, and an empty folder withdraws nothing
    options = {"profile": profile, **granted.get("choices", {})}
    select(catalog, await spawner.person(catalog), options)
    return None
