"""Since when people have no right to a server that still runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set

from .verdict import Server, Verdict, Why


class Revocations:
    """Remembers when a right was first seen to have ended; a restart begins anew."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._reasons: dict[str, str] = {}
        self.users: set[str] = set()
        """Whose servers they are."""
        self.known_until = -math.inf
        """Until when nobody is asked again, on the clock of `take`."""

    def take(self, reasons: Mapping[str, str | None], now: float) -> None:
        """Take all that is known: whose servers run without a right, by USER/NAME, and why.

        Of those without a reason nobody can tell now: they stay, and the time that has gone by
        still counts.
        """
        self.forget_reasons()
        self._since = {name: since for name, since in self._since.items() if name in reasons}
        self.add({name: reason for name, reason in reasons.items() if reason is not None}, now)

    def add(self, reasons: Mapping[str, str], now: float) -> None:
        """Take a part of it, and keep what was there."""
        for name, reason in reasons.items():
            self._reasons[name] = reason
            self._since.setdefault(name, now)
            self.users.add(name.partition("/")[0])

    def forget_reasons(self) -> None:
        """Judge nobody until somebody can say again; the time that has gone by still counts."""
        self._reasons.clear()
        self.users.clear()
        self.known_until = -math.inf

    def forget_others(self) -> None:
        """Forget the time that has gone by for those about whom nobody says anything any more."""
        self._since = {name: self._since[name] for name in self._reasons}

    def users_besides(self, listed: Set[str]) -> set[str]:
        """Give the people who run something without a right that is not in a list, of USER/NAME."""
        return {name.partition("/")[0] for name in self._reasons.keys() - listed}

    def judge(self, server: Server, grace: float, now: float, wall: float) -> Verdict | None:
        """Decide about a server whose user has no right to it; None about any other.

        Parameters
        ----------
        server
            The server.
        grace
            Seconds that it may go on.
        now
            The time, on the clock of `take`.
        wall
            The same time in seconds since 1970.
        """
        reason = self._reasons.get(server.full_name)
        if reason is None or not server.ready or server.pending:
            return None
        left = self._since[server.full_name] + grace - now
        rule = f"the right to it has ended: {reason}"
        return Verdict(left <= 0, Why.REVOKED, rule, at=wall + left)
