"""One pass of the culler: look at every server, then stop those whose time is over."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .clock import Clock
from .hub import Hub, HubError, retried
from .judging import Judge
from .metrics import Metrics
from .model import InUse, servers_of
from .notices import Notice, Notices
from .pace import Pace
from .revocation import Revocations
from .rights import KnownRights, Rights
from .settings import CullerSettings, PersonRule
from .verdict import Server, Verdict, Why, printable

_Asked = Callable[[str], Awaitable[Mapping[str, Any] | None]]

BASE_SCOPES = frozenset(
    {
        *("list:users", "read:servers", "delete:servers", "admin:server_state"),
        "read:users:groups",
    }
)
"""What the token must be allowed to see rules through, and to stop servers."""

USER_SCOPES = frozenset({"delete:users", "read:users:activity"})
"""What it must be allowed besides to delete people."""


_TIMES_AS_LONG = 20
"""How many times as long as it took the hub to judge all rights it is not asked to again: passes
may be seconds apart. Before a stop it is asked in any case."""

_AT_A_TIME = 50
"""How many people are asked for by name in one request, whose address has an end."""


def needed_scopes(settings: CullerSettings) -> frozenset[str]:
    """Give the scopes without which these rules cannot be followed."""
    rules: list[PersonRule | CullerSettings] = [settings]
    rules += [*settings.users.values(), *settings.groups.values()]
    deletes = any(rule.cull_users for rule in rules)
    return BASE_SCOPES | (USER_SCOPES if deletes else frozenset())


@dataclass(frozen=True, slots=True)
class Case:
    """A server, or somebody without one, that a verdict says to stop or delete."""

    server: Server
    verdict: Verdict


@dataclass
class Seen:
    """What one look at the hub has found."""

    to_stop: list[Case] = field(default_factory=list)
    to_delete: list[Case] = field(default_factory=list)
    revoked: list[Case] = field(default_factory=list)
    """Those that run without a right, and are not stopped yet."""
    notices: dict[str, Notice] = field(default_factory=dict)
    counts: Counter[tuple[str, Why]] = field(default_factory=Counter)
    whole: bool = True
    lacks: frozenset[str] = frozenset()
    """Scopes for want of which nobody looked at people without a server."""


@dataclass
class Memory:
    """What one pass leaves to the next."""

    clock: Clock = field(default_factory=Clock)
    revocations: Revocations = field(default_factory=Revocations)
    notices: Notices = field(default_factory=Notices)
    rights: Rights | None = None
    """The rights that are judged here where the hub cannot; None where that cannot be done."""


class MissingScopes(Exception):  # noqa: N818 - it is told like an error, and not only as one
    """The token may not do what the culler needs; the message names each scope."""


class Pass:
    """One pass with the rules as they are now.

    Parameters
    ----------
    hub, judge, memory, metrics, log
        What it works with. What is remembered is from the passes before.
    end
        When it is set, nothing more is begun.
    """

    def __init__(
        self,
        hub: Hub,
        judge: Judge,
        memory: Memory,
        metrics: Metrics,
        log: logging.Logger,
        end: asyncio.Event,
    ) -> None:
        self._hub = hub
        self._judge = judge
        self._rules = judge.rules
        self._clock = memory.clock
        self._revocations = memory.revocations
        self._notices = memory.notices
        self._rights = memory.rights
        self._metrics = metrics
        self._log = log
        self._end = end
        self._pace = Pace()
        self._slots = asyncio.Semaphore(judge.rules.settings.concurrency)
        self._known: KnownRights | None = None

    async def look(self) -> Seen:
        """Look at every server, and at people without one where they may be deleted.

        Raises
        ------
        HubError
            The hub does not answer.
        MissingScopes
            The token may not do what is needed; nothing was looked at.
        """
        me = await self._hub.me()
        lacks = self._missing_scopes(me.value)
        if self._clock.set(me.at, time.monotonic()):
            self._log.warning("The hub's clock jumped by %+.0f s", self._clock.jumped_by)
        if self._rules.settings.revoked_after != math.inf:
            await self._look_at_rights()
        else:
            self._revocations.take({}, time.monotonic())  # who gets a right back is not seen
        seen = Seen(lacks=lacks)
        rules = self._rules
        in_use = InUse.at(self._judge.now, *rules.looked_at, rules.settings.profiles)
        skips = not self._log.isEnabledFor(logging.DEBUG)
        to_ask: list[Case] = []
        within_limits = 0
        async for users in self._users(seen):
            for user in users:
                try:
                    if self._known is not None:
                        self._revocations.add(self._known.lost(user), time.monotonic())
                    if skips and in_use.is_all_of(user["servers"]) and not self._is_revoked(user):
                        within_limits += len(user["servers"])
                        continue
                    for server in servers_of(user):
                        case = Case(server, self._judge.judge(server))
                        if self._judge.asks(server, case.verdict):
                            to_ask.append(case)
                        else:
                            self._note(seen, case)
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    seen.whole = False
                    self._log.error("A server is passed over, its model cannot be read: %s", error)
        seen.counts["keep", Why.WITHIN_LIMITS] += within_limits
        for verdict, case in zip(
            await asyncio.gather(*(self._judge.refine(it.server, it.verdict) for it in to_ask)),
            to_ask,
            strict=True,
        ):
            self._note(seen, Case(case.server, verdict))
        self._tell_faults()
        if self._known is not None and seen.whole:
            self._revocations.forget_others()
        if lacks:
            names = ", ".join(sorted(lacks))
            self._log.error("Nobody is deleted, since the token lacks the scopes %s", names)
        elif needed_scopes(self._rules.settings) > BASE_SCOPES:
            await self._look_at_people(seen)
        return seen

    def _tell_faults(self) -> None:
        if faults := self._judge.usage.faults:
            self._metrics.faults.inc(len(faults))
            self._log.warning(
                "Of %d servers it is not known how busy they are; %s", len(faults), faults[0]
            )

    def _is_revoked(self, user: Mapping[str, Any]) -> bool:
        return user["name"] in self._revocations.users

    def _missing_scopes(self, me: Any) -> frozenset[str]:
        """Give the scopes that are missing to delete people; without others nothing is done."""
        # Everybody may see some things of themselves, which is nobody else's.
        own = f"!user={me.get('name')}"
        held = {
            scope.partition("!")[0] for scope in me.get("scopes", ()) if not scope.endswith(own)
        }
        missing = needed_scopes(self._rules.settings) - held
        if missing & BASE_SCOPES:
            raise MissingScopes(
                f"the token lacks the scopes {', '.join(sorted(missing))}; nothing is stopped"
            )
        return missing

    async def _look_at_rights(self) -> None:
        began, grace = time.monotonic(), self._rules.settings.revoked_after
        if began < self._revocations.known_until:
            return
        try:
            reasons = await self._hub.revoked()
        except HubError as error:
            self._log.warning("Who has lost a right is not known in this pass: %s", error)
            self._revocations.forget_reasons()
            return
        if reasons is not None:
            now = time.monotonic()
            self._revocations.take(reasons, now)
            self._revocations.known_until = now + min(_TIMES_AS_LONG * (now - began), grace / 4)
            return
        self._revocations.forget_reasons()
        self._known = await self._rights.current() if self._rights else None

    async def _users(self, seen: Seen) -> AsyncIterator[list[Any]]:
        """Give the people whose servers may have to be stopped, or else everybody with one."""
        users = await self._hub.idle(*self._rules.looked_at, self._rules.longest_warning)
        if users is None:
            async for page in self._hub.pages("active", lambda error: self._lost(seen, error)):
                yield page
            return
        # Of somebody with several servers, only those that may be due are among them.
        listed = {f"{user['name']}/{name}" for user in users for name in user["servers"]}
        unlisted = self._revocations.users_besides(listed)
        yield [user for user in users if user["name"] not in unlisted]
        names = sorted(unlisted)
        for begin in range(0, len(names), _AT_A_TIME):
            some = names[begin : begin + _AT_A_TIME]
            try:
                revoked = await self._hub.servers_of(some)
            except HubError as error:
                self._lost(seen, error)
                revoked = [user for user in users if user["name"] in some]
            yield revoked

    def _lost(self, seen: Seen, error: HubError) -> None:
        seen.whole = False
        self._heed(error)
        self._log.error("People are left out of this pass: %s", error)

    def _heed(self, error: HubError) -> None:
        """Remember that the hub may have been away, and not have heard who works."""
        if error.is_away:
            self._clock.lose()

    async def _see_if_away(self, error: HubError) -> None:
        """Find out what has failed about one server: the hub as a whole, or this server alone."""
        try:
            if error.is_away:
                await self._hub.me()
        except HubError as away:
            self._heed(away)

    def _note(self, seen: Seen, case: Case) -> None:
        server, verdict = case.server, case.verdict
        word = "stop" if verdict.stop else "keep"
        seen.counts[word, verdict.why] += 1
        revoked = self._judge.judge_right(server)
        if revoked is not None and not verdict.stop:
            seen.revoked.append(Case(server, revoked))
        if verdict.stop:
            seen.to_stop.append(case)
        elif (notice := self._judge.notice(server, verdict)) is not None:
            seen.notices[server.full_name] = notice
        level = logging.INFO if verdict.stop else logging.DEBUG
        if self._log.isEnabledFor(level):
            self._log.log(level, "cull-verdict %s", json.dumps(told(server, verdict)))

    async def _look_at_people(self, seen: Seen) -> None:
        try:
            async for page in self._hub.pages("inactive", lambda error: self._lost(seen, error)):
                for user in page:
                    if (verdict := self._judge.judge_user(user)) is not None:
                        seen.to_delete.append(Case(Server(user["name"]), verdict))
        except HubError as error:
            self._lost(seen, error)  # what was seen of servers holds all the same

    async def act(self, seen: Seen) -> None:
        """Tell people what is near; stop servers and delete people, many at a time."""
        if not self._clock.is_settled(time.monotonic()):
            self._log.warning("Nothing is stopped yet, since the hub's clock jumped")
            return
        await self._notices.tell(self._hub, seen.notices, self._log, whole=seen.whole)
        steps = [(self._stop, case) for case in seen.to_stop]
        steps += [(self._delete, case) for case in seen.to_delete]
        async with asyncio.TaskGroup() as group:
            for step, case in steps:
                await self._slots.acquire()
                if self._end.is_set():
                    break
                group.create_task(self._finish(step(case)))

    async def _finish(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception:
            self._log.exception("One server could not be dealt with")
        finally:
            self._slots.release()

    async def _stop(self, case: Case) -> None:
        try:
            outcome = await retried(lambda: self._try_to_stop(case))
        except HubError as error:
            await self._see_if_away(error)
            self._log.warning("%s is not stopped: %s", printable(case.server.full_name), error)
            outcome = "failed" if error.may_pass else "refused"
        self._metrics.outcomes.labels(case.verdict.why, outcome).inc()
        about = {**told(case.server, case.verdict), "outcome": outcome}
        self._log.info("cull-outcome %s", json.dumps(about))

    async def _try_to_stop(self, case: Case) -> str:
        """Look at the server once more, and stop it if the verdict is still the same."""
        user = await self._again(self._hub.running, case.server.user)
        found = (server for server in servers_of(user or {}) if server.name == case.server.name)
        if (server := next(found, None)) is None or user is None:
            return "gone"
        if case.verdict.why is Why.REVOKED and not await self._is_still_revoked(server, user):
            return "permitted_again"
        verdict = await self._judge.refine(server, self._judge.judge(server))
        if not verdict.stop:
            return f"kept_{verdict.why}"
        remove = self._rules.limits(server).remove
        try:
            status = await self._hub.stop(server.user, server.name, remove=remove)
        except HubError as error:
            # JupyterHub says so as well where the token may stop the servers of others alone.
            if error.status == 404 and not await self._runs(server):
                return "gone"
            raise
        return "stopping" if status == 202 else "stopped"

    async def _runs(self, server: Server) -> bool:
        user = await self._again(self._hub.running, server.user)
        return server.name in (user or {}).get("servers", {})

    async def _is_still_revoked(self, server: Server, user: Any) -> bool:
        if self._known is not None:
            return server.full_name in self._known.lost(user)
        reasons = await self._hub.revoked(server.user) or {}
        return reasons.get(server.full_name) is not None

    async def _again(self, ask: _Asked, name: str) -> Mapping[str, Any] | None:
        """Look at somebody once more. Others have their turn before another attempt."""
        async with self._pace.turn():
            return await ask(name)

    async def _delete(self, case: Case) -> None:
        name, outcome = case.server.user, "kept"
        try:
            user = await retried(lambda: self._again(self._hub.user, name))
            if user is not None and self._judge.judge_user(user) is not None:
                await self._hub.delete_user(name)
                outcome = "deleted"
        except HubError as error:
            await self._see_if_away(error)
            outcome = "failed"
            self._log.warning("%s is not deleted: %s", printable(name), error)
        self._metrics.deleted.labels(outcome).inc()
        self._log.info("cull-user %s", json.dumps({"user": name, "outcome": outcome}))


def told(server: Server, verdict: Verdict) -> dict[str, Any]:
    """Tell a verdict in fields."""
    return {
        "user": server.user,
        "server": server.name,
        "profile": server.profile,
        "verdict": "stop" if verdict.stop else "keep",
        "why": verdict.why,
        "detail": verdict.detail,
    }
