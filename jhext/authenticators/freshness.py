"""How old what an identity provider said of a person may be."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from jupyterhub.auth import Authenticator
from jupyterhub.utils import maybe_future
from traitlets import Float

from jhext.errors import SpawnRefused
from jhext.refusal import Reason, Refusal
from jhext.upstream import forget_failure, set_status

VERIFIED_AT = "jhext_verified_at"
"""The key of ``auth_state`` under which it is kept when the provider was last asked, in seconds."""


def age_of(auth_state: Any, now: float) -> float:
    """Say how long ago the provider was last asked, in seconds; infinite where nobody knows.

    A time in the future is nobody's knowledge, either.
    """
    kept = auth_state.get(VERIFIED_AT) if isinstance(auth_state, Mapping) else None
    if not isinstance(kept, int | float) or isinstance(kept, bool) or kept > now + 60:
        return math.inf
    return max(0.0, now - kept)


class FreshGroups(Authenticator):  # type: ignore[misc]
    """What an authenticator has whose groups and claims are bounded in age."""

    max_group_age = Float(
        0,
        min=0,
        config=True,
        help="""
        How many seconds old the groups and claims of a person may be when a server starts.

        JupyterHub asks the provider again before a start (`refresh_pre_spawn`), but goes on with
        what it has where that fails for a request by token or of an admin. Older than this, the
        start is refused until the person logs in again. 0: any age. Needs `enable_auth_state`.
        """,
    )

    outage_grace = Float(
        600,
        min=0,
        config=True,
        help="""
        How many seconds a person stays logged in while the provider does not answer.

        It is counted from the last time that the provider was asked with success. After that, or
        where the last answer was a refusal, the person has to log in again, which needs the
        provider.
        """,
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._not_confirmed: set[str] = set()
        if self.max_group_age and not self.enable_auth_state:
            raise ValueError("max_group_age needs enable_auth_state, where the age is kept")

    async def get_authenticated_user(self, handler: Any, data: Any) -> Any:
        """Log somebody in, and note that: the right password alone lets nobody in."""
        model = await super().get_authenticated_user(handler, data)
        if model:
            self.confirm(model["name"], True)
        return model

    def confirm(self, name: str, is_confirmed: bool) -> None:
        """Note whether the provider still vouches for a person.

        JupyterHub 6 goes on with a request by token, or of an admin, for somebody who is not
        confirmed; no server is started for them.
        """
        if is_confirmed:
            self._not_confirmed.discard(name)
        else:
            self._not_confirmed.add(name)

    def may_wait(self, name: str, auth_state: Any) -> bool:
        """Tell whether a person stays logged in while the provider does not answer.

        Who was refused does not: an outage is no reason to let somebody in again.
        """
        is_known = age_of(auth_state, time.time()) <= self.outage_grace
        return is_known and name not in self._not_confirmed

    async def pre_spawn_start(self, user: Any, spawner: Any) -> None:
        """Refuse to start a server for whom nobody vouches now, or by groups that are too old.

        Raises
        ------
        SpawnRefused
            The last refresh failed, or the groups are older than `max_group_age`.
        """
        await maybe_future(super().pre_spawn_start(user, spawner))
        if user.name in self._not_confirmed:
            raise _stale(spawner, "Your account could not be confirmed.")
        if not self.max_group_age:
            return
        if age_of(await user.get_auth_state(), time.time()) > self.max_group_age:
            raise _stale(spawner, "What is known of your groups is too old to start a server.")


def _stale(spawner: Any, why: str) -> SpawnRefused:
    refusal = Refusal(Reason.STALE, f"{why} Please log out and in again.")
    forget_failure(spawner)
    set_status(spawner, refusal.status_code)
    return SpawnRefused(refusal)
