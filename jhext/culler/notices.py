"""What people are told of stops that are near."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from .hub import Hub, HubError
from .verdict import Why

Notice = Mapping[str, Any]

_JITTER = 2.0
"""Seconds by which the end of a right may seem to move: the hub tells its time in whole ones."""


class Notices:
    """Remembers what the hub was told last, so that it is told only what changes."""

    def __init__(self) -> None:
        self._told: Mapping[str, Notice] | None = None

    async def tell(
        self, hub: Hub, wanted: Mapping[str, Notice], log: logging.Logger, *, whole: bool
    ) -> None:
        """Have servers carry these notices and no others.

        Parameters
        ----------
        hub
            The hub. That it has no handler for it, or does not answer, does no harm.
        wanted
            The notices, by USER/NAME.
        log
            Where new ones are told.
        whole
            Whether all servers were seen; else those of others stay.
        """
        told = self._told or {}
        wanted = {name: _as_before(it, told.get(name)) for name, it in wanted.items()}
        if not whole:
            wanted = {**told, **wanted}
        if wanted == self._told:
            return
        try:
            if not await hub.put_notices(wanted):
                return
        except HubError as error:
            log.warning("Nobody is told of stops that are near: %s", error)
            self._told = None
            return
        self._told = wanted
        for name, notice in wanted.items():
            if told.get(name) != notice:
                log.info("cull-notice %s", json.dumps({"server": name, **notice}))


def _as_before(notice: Notice, before: Notice | None) -> Notice:
    """Give the notice from before where it says the same; only that of a right is reckoned anew."""
    if before is None or notice["why"] != Why.REVOKED or abs(notice["at"] - before["at"]) > _JITTER:
        return notice
    return before if {**notice, "at": before["at"]} == before else notice
