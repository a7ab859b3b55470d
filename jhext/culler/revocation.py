"""Since when people have no right to a server that still runs."""

from __future__ import annotations

from collections.abc import Mapping

from .policy import Server, Verdict, Why


class Revocations:
    """Remembers when a right was first seen to have ended; a restart begins anew."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._reasons: Mapping[str, str] = {}
        self._users: frozenset[str] = frozenset()

    def take(self, reasons: Mapping[str, str], now: float) -> None:
        """Take what the hub says: whose servers run without a right, by USER/NAME, and why."""
        self._reasons = reasons
        self._users = frozenset(name.partition("/")[0] for name in reasons)
        self._since = {name: self._since.get(name, now) for name in reasons}

    def forget_reasons(self) -> None:
        """Judge nobody until the hub can say again; the time that has gone by still counts."""
        self._reasons, self._users = {}, frozenset()

    @property
    def users(self) -> frozenset[str]:
        """Whose servers they are."""
        return self._users

    def judge(self, server: Server, grace: float, now: float) -> Verdict | None:
        """Decide about a server whose user has no right to it; None about any other.

        Parameters
        ----------
        server
            The server.
        grace
            Seconds that it may go on.
        now
            The time, on the clock of `take`.
        """
        reason = self._reasons.get(server.full_name)
        if reason is None or not server.ready or server.pending:
            return None
        if now - self._since[server.full_name] < grace:
            return None
        return Verdict(True, Why.REVOKED, f"the right to it has ended: {reason}")
