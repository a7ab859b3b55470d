"""Whose servers run although their owner would not be allowed to start them now."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from jupyterhub.apihandlers.base import APIHandler

from jhext.culler.verdict import Why

from .listing import needs_listing
from .rights import Undecided, lost_right

_AT_A_TIME = 20
"""How many are decided about side by side, before others are let in."""


class RevokedHandler(APIHandler):  # type: ignore[misc]
    """``GET /hub/api/jhext/revoked?user=NAME``: USER/NAME of such servers, with the rule.

    It is decided by the profiles and the identity as they are now, like a start. What cannot be
    decided now, because a directory does not answer say, has no reason. It tells of the servers
    that ``GET /users`` shows, and rules, which name groups, to whoever may see groups.
    """

    @needs_listing
    async def get(self) -> None:
        """Answer."""
        wanted = self.get_argument("user", None, strip=False)
        may_list = self.get_scope_filter("list:users")
        found: list[dict[str, str]] = []
        people = [user for user in self.users.values() if wanted in (None, user.name)]
        for begin in range(0, len(people), _AT_A_TIME):
            await asyncio.sleep(0)
            some = people[begin : begin + _AT_A_TIME]
            # User.running is only about the default server.
            asked = [user for user in some if user.active and may_list(user, kind="user")]
            for revoked in await asyncio.gather(*(_revoked(self, user) for user in asked)):
                found += revoked
        self.write(json.dumps(found))


async def _revoked(handler: Any, user: Any) -> list[dict[str, str]]:
    may_see = handler.get_scope_filter("read:servers")
    may_know_why = handler.get_scope_filter("read:users:groups")(user, kind="user")
    found = []
    for name, spawner in list(user.spawners.items()):
        if not (spawner.ready and may_see(spawner, kind="server")):
            continue
        server = {"server": f"{user.name}/{name}"}
        try:
            why = await lost_right(spawner)
        except Undecided:
            found.append(server)
        else:
            found += [server | {"reason": why if may_know_why else Why.REVOKED}] if why else []
    return found
