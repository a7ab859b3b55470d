"""Every way in which somebody can ask for a server. All must get the same answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlencode

import jupyterhub

from jhext.demo.client import Answer
from tests.hub.bench import Bench

Options = Mapping[str, str]
Door = Callable[[Bench, str, Options], Awaitable[Answer]]

ADMIN = "ada"
NAMED = "lab"


def fields(options: Options) -> dict[str, str]:
    """Return the form fields that stand for these ``user_options``."""
    profile = options.get("profile", "")
    return {
        key if key == "profile" else f"profile-option-{profile}--{key}": value
        for key, value in options.items()
    }


async def form(bench: Bench, name: str, options: Options) -> Answer:
    async with bench.browser(name) as browser:
        return await browser.post("/hub/spawn", fields(options))


async def form_for_named_server(bench: Bench, name: str, options: Options) -> Answer:
    async with bench.browser(name) as browser:
        return await browser.post(f"/hub/spawn/{name}/{NAMED}", fields(options))


async def form_of_admin(bench: Bench, name: str, options: Options) -> Answer:
    async with bench.browser(name):
        pass  # the hub knows nobody who has never logged in
    async with bench.browser(ADMIN) as browser:
        return await browser.post(f"/hub/spawn/{name}", fields(options))


async def link(bench: Bench, name: str, options: Options) -> Answer:
    async with bench.browser(name) as browser:
        return await browser.get(f"/hub/spawn?{urlencode(fields(options))}")


async def rest(bench: Bench, name: str, options: Options) -> Answer:
    async with bench.program(name) as program:
        return await program.api("POST", f"/users/{name}/server", dict(options))


async def rest_with_user_options(bench: Bench, name: str, options: Options) -> Answer:
    async with bench.program(name) as program:
        return await program.api("POST", f"/users/{name}/server", {"user_options": dict(options)})


async def rest_for_named_server(bench: Bench, name: str, options: Options) -> Answer:
    async with bench.program(name) as program:
        return await program.api("POST", f"/users/{name}/servers/{NAMED}", dict(options))


async def rest_of_admin(bench: Bench, name: str, options: Options) -> Answer:
    async with bench.browser(name):
        pass
    async with bench.program(ADMIN) as program:
        return await program.api("POST", f"/users/{name}/server", dict(options))


DOORS: tuple[Door, ...] = (
    form,
    form_for_named_server,
    form_of_admin,
    link,
    rest,
    *([rest_with_user_options] if jupyterhub.version_info >= (6,) else []),
    rest_for_named_server,
    rest_of_admin,
)
WITH_OPTIONS_ONLY = frozenset({link, rest, rest_for_named_server, rest_of_admin})
"""Doors through which no options mean something else: the form, or the options of last time."""
