"""Prove that everybody in the demo can start what is theirs, and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from .accounts import Account
from .client import Answer, HubClient
from .culling import check_culling
from .forms import SpawnForm
from .notebook import run_cell
from .pods import pods_of
from .report import Report, expect


@dataclass(frozen=True)
class Wish:
    """A profile, and the choice of its option where it has one."""

    profile: str
    gpus: str = ""

    @property
    def fields(self) -> dict[str, str]:
        """What a browser sends."""
        option = {f"profile-option-{self.profile}--gpus": self.gpus} if self.gpus else {}
        return {"profile": self.profile} | option

    @property
    def user_options(self) -> dict[str, str]:
        """What a program sends."""
        return {"profile": self.profile} | ({"gpus": self.gpus} if self.gpus else {})

    def __str__(self) -> str:
        return f"{self.profile}, GPUs: {self.gpus}" if self.gpus else self.profile


_SMALL, _MEDIUM, _STAFF = Wish("small"), Wish("medium"), Wish("staff")
_ONE_GPU, _TWO_GPUS = Wish("gpu", "one"), Wish("gpu", "two")
_ALL = (_SMALL, _MEDIUM, _ONE_GPU, _TWO_GPUS, _STAFF)

# What jhext.yaml says, said once more on purpose: a check that read the rules would agree with
# whatever they are.
_THEIRS: Mapping[str, tuple[Wish, ...]] = {
    "alice": (_SMALL, _MEDIUM),
    "bob": (_SMALL, _MEDIUM, _ONE_GPU, _TWO_GPUS),
    "carol": (_SMALL,),
    "eve": (),
    "ada": (_ONE_GPU, _STAFF),
}


@dataclass(frozen=True)
class _Who:
    """What people.yaml says of somebody, said once more as well."""

    name: str
    uid: int
    groups: tuple[int, ...]


_WHO: Mapping[str, _Who] = {
    "alice": _Who("Alice Liddell", 2001, (3000, 3001)),
    "bob": _Who("Bob Cratchit", 2002, (3000, 3001, 3002)),
    "carol": _Who("Carol Kennicott", 2003, (3000, 3001)),
    "ada": _Who("Ada Lovelace", 2005, (3000, 3002)),
}
_SHARED: Mapping[str, tuple[str, ...]] = {
    "datascience": ("alice", "bob", "carol"),
    "gpu": ("bob", "ada"),
}
"""Who shares a directory, in the order of the visits."""

_CELL = """\
import json, os, pathlib
home = pathlib.Path.home()
visits = home / "visits"
before = visits.read_text().split() if visits.exists() else []
visits.write_text(" ".join([*before, "%s"]))
shared = {}
for group in ("datascience", "gpu"):
    if (home / group).is_dir():
        shared[group] = sorted(path.name for path in (home / group).iterdir())
        (home / group / os.environ["USER"]).touch()
print(json.dumps({
    "before": before,
    "shared": shared,
    "result": 6 * 7,
    "names": [os.environ["USER"], os.environ["GIT_AUTHOR_NAME"]],
    "uid": os.getuid(),
    "groups": sorted({os.getgid(), *os.getgroups()}),
}))
"""

_Door = Callable[[Wish], Awaitable[Answer]]


async def check(
    url: str, kubeconfig: Path, accounts: Mapping[str, Account], report: Report
) -> None:
    """Try everything with everybody, at the hub behind ``url``."""
    for name, theirs in _THEIRS.items():
        with report.sequence():
            async with HubClient(url) as browser:
                token = await _log_in(browser, accounts[name], report)
                async with HubClient(url, token) as program:
                    visit = _Visit(name, browser, program, kubeconfig, report)
                    await visit.run(theirs)
                    if accounts[name].admin:
                        await visit.be_refused_for("alice", _ONE_GPU)
    await check_culling(url, accounts["carol"], report)


async def _log_in(browser: HubClient, account: Account, report: Report) -> str:
    """Return a token of the person who has logged in."""
    with report.step(f"{account.name} can not log in with a wrong password"):
        answer = await browser.login(account.name, "wrong")
        expect(answer.status == 403, _said(answer))
    with report.step(f"{account.name} logs in"):
        answer = await browser.login(account.name, account.password.get_secret_value())
        expect(answer.url.path == "/hub/home", _said(answer))
        return await browser.new_token(account.name)


@dataclass(frozen=True)
class _Visit:
    """One person at the hub, with a browser, and with a program that holds a token."""

    name: str
    browser: HubClient
    program: HubClient
    kubeconfig: Path
    report: Report
    visits: list[str] = field(default_factory=list)

    async def run(self, theirs: tuple[Wish, ...]) -> None:
        """Try everything that there is to try for this person."""
        with self.report.sequence():
            await self._look_at_the_form(theirs)
        doors: dict[str, _Door] = {"by the form": self._by_form, "by REST": self._by_rest}
        # each wish once, and everybody who may start anything through both doors
        starts = zip(theirs * 2 if len(theirs) == 1 else theirs, cycle(doors), strict=False)
        for wish, how in starts:
            with self.report.sequence():
                await self._start(wish, how, doors[how])
        for wish in (wish for wish in _ALL if wish not in theirs):
            for how, door in doors.items():
                with self.report.sequence():
                    await self._be_refused(wish, how, door)

    async def _by_form(self, wish: Wish) -> Answer:
        return await self.browser.post("/hub/spawn", wish.fields)

    async def _by_rest(self, wish: Wish) -> Answer:
        return await self.program.api("POST", f"/users/{self.name}/server", wish.user_options)

    async def _look_at_the_form(self, theirs: tuple[Wish, ...]) -> None:
        if not theirs:
            with self.report.step(f"{self.name} is told that there is nothing to start"):
                answer = await self.browser.get("/hub/spawn")
                expect(answer.status == 403, _said(answer))
            return
        profiles = tuple(dict.fromkeys(wish.profile for wish in theirs))
        gpus = tuple(wish.gpus for wish in theirs if wish.gpus)
        offer = f"{', '.join(profiles)}" + (f" (GPUs: {', '.join(gpus)})" if gpus else "")
        with self.report.step(f"{self.name}'s form offers {offer}"):
            form = SpawnForm.parse((await self.browser.get("/hub/spawn")).text)
            expect(form.profiles == profiles, f"it offers {form.profiles}")
            choices = form.choices.get(("gpu", "gpus"), ())
            expect(choices == gpus, f"it offers these GPUs: {choices}")

    async def _start(self, wish: Wish, how: str, door: _Door) -> None:
        """Start a server, use it, stop it."""
        path = f"/user/{self.name}/"
        with self.report.step(f"{self.name} starts {wish} {how}"):
            answer = await door(wish)
            expect(answer.status in (200, 201, 202), _said(answer))
            await self.program.wait_for_server(self.name)
        try:
            with self.report.step(
                f"{self.name} opens JupyterLab and /api/status through the proxy"
            ):
                page = await self.browser.get(f"{path}lab")  # by way of the hub, to log in
                expect(page.status == 200 and page.url.path == f"{path}lab", _said(page))
                answer = await self.browser.request("GET", f"{path}api/status")
                expect(answer.status == 200 and "kernels" in answer.json(), _said(answer))
            with self.report.step(f"{self.name} runs a cell in a kernel") as step:
                cell = _CELL % wish.profile
                seen = json.loads(await run_cell(self.browser, path, cell))
                expect(seen["result"] == 42, f"it printed {seen}")
                step.text += f" (as {await self._look_at_the_ids(seen)})"
            with self.report.step(f"{self.name} finds in the home what earlier servers left"):
                self._look_at_the_files(seen)
                self.visits.append(wish.profile)
        finally:
            with self.report.step(f"{self.name} stops the server, and the pod is gone"):
                await self.program.stop_server(self.name)
                expect(not await pods_of(self.kubeconfig, self.name), "the pod is still there")

    async def _look_at_the_ids(self, seen: Mapping[str, Any]) -> str:
        """Compare who runs the kernel with who should; tell in a few words."""
        who = _WHO[self.name]
        expect(seen["names"] == [self.name, who.name], f"it is {seen['names']}")
        (pod,) = await pods_of(self.kubeconfig, self.name)
        context = pod["spec"]["securityContext"]
        groups = {context["runAsGroup"], *context["supplementalGroups"]}
        expect(context["runAsUser"] == who.uid, f"the pod asks for uid {context['runAsUser']}")
        expect(groups == set(who.groups), f"the pod asks for the groups {sorted(groups)}")
        ids = f"uid {who.uid}, groups {', '.join(map(str, who.groups))}"
        if seen["uid"] != who.uid:  # who is not root cannot give anybody another uid
            expect(seen["uid"] == os.geteuid(), f"the process has uid {seen['uid']}")
            return f"{who.name}; the pod asks for {ids}, the process has uid {seen['uid']}"
        expect(tuple(seen["groups"]) == who.groups, f"the groups are {seen['groups']}")
        return f"{who.name}, {ids}"

    def _look_at_the_files(self, seen: Mapping[str, Any]) -> None:
        earlier = seen["before"][-len(self.visits) :] if self.visits else []
        expect(earlier == self.visits, f"the home has {earlier} and not {self.visits}")
        mine = {group: names for group, names in _SHARED.items() if self.name in names}
        expect(seen["shared"].keys() == mine.keys(), f"shared are {sorted(seen['shared'])}")
        for group, names in mine.items():
            left = set(names[: names.index(self.name)])
            expect(left <= set(seen["shared"][group]), f"{group} has {seen['shared'][group]}")

    async def _be_refused(self, wish: Wish, how: str, door: _Door) -> None:
        with self.report.step(f"{self.name} is refused {wish} {how}"):
            answer = await door(wish)
            expect(answer.status == 403, _said(answer))
            expect(not await pods_of(self.kubeconfig, self.name), "there is a pod all the same")

    async def be_refused_for(self, owner: str, wish: Wish) -> None:
        """Ask, as an admin, for a server of somebody else who may not have it."""
        with self.report.step(f"{self.name}, an admin, is refused {wish} for {owner}"):
            answer = await self.program.api("POST", f"/users/{owner}/server", wish.user_options)
            expect(answer.status == 403, _said(answer))
            expect(not await pods_of(self.kubeconfig, owner), "there is a pod all the same")


def _said(answer: Answer) -> str:
    """Tell what came back, in a few words."""
    return f"the answer was {answer.status} at {answer.url.path}"
