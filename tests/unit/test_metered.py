"""A full home is told in the form and at the start, while who knows it answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from jhext.settings import load_settings
from jhext.storage.errors import StorageReason
from tests.unit.spawning import granted_to, refusal_of

LAB = {"slug": "lab", "display_name": "Lab", "allow_all": True}
RESCUE = {"slug": "rescue", "display_name": "Make <room>", "allow_all": True}
NOTICE = "Your home is full, nothing is left."


class Service:
    """Knows how much is left, and remembers who was asked about."""

    def __init__(self) -> None:
        self.answer: Any = {"free": 0}
        self.asked: list[str] = []
        self.address = ""

    async def serve(self, request: web.Request) -> web.Response:
        self.asked.append(request.match_info["name"])
        if isinstance(self.answer, int):
            return web.Response(status=self.answer)
        return web.json_response(self.answer)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    application = web.Application()
    application.router.add_get("/homes/{name}", service.serve)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    service.address = f"http://{host}:{port}"
    yield service
    await runner.cleanup()


@pytest.fixture
def make(make_spawner: Any, service: Service) -> Callable[..., Any]:
    def make_metered(*profiles: Any, by: str = "username", **more: Any) -> Any:
        quota = {
            "url": f"{service.address}/homes/{{{by}}}",
            "allow_http": True,
            "available": "/free",
            "rescue_profile": "rescue",
        }
        storage = {
            "home": {"source": {"type": "claim"}},
            "claims": {"home": {"name": "claim-{username}"}},
            "quota": quota | more.pop("quota", {}),
        } | more.pop("storage", {})
        settings = load_settings({"storage": storage})
        profiles = profiles or (LAB, RESCUE)
        return make_spawner(list(profiles), {}, settings=settings, **more)

    return make_metered


async def test_form_tells_it(make: Any, service: Service) -> None:
    form = await make().get_options_form()
    assert f"{NOTICE} To make room, start &quot;Make &lt;room&gt;&quot;." in form
    assert 'value="rescue"' in form
    assert service.asked == ["ann"]


async def test_nothing_but_the_rescue_profile_starts(make: Any) -> None:
    spawner = make()
    refusal = await refusal_of(spawner, {"profile": "lab"})
    assert (refusal.status_code, refusal.reason) == (409, StorageReason.FULL)
    assert refusal.message == f'{NOTICE} To make room, start "Make <room>".'
    assert await granted_to(spawner, {"profile": "rescue"}) == "rescue"


async def test_service_is_asked_by_the_claim(make: Any, service: Service) -> None:
    await make(by="claim").get_options_form()
    had = make(by="claim")
    had.load_state({"jhext_claims": {"home": "claim-older"}})
    await refusal_of(had, {"profile": "lab"})
    assert service.asked == ["claim-ann", "claim-older"]


async def test_service_is_asked_once_by_many(make: Any, service: Service) -> None:
    """The form, what is sent from it, and the next one."""
    spawner = make()
    for _ in range(3):
        await spawner.get_options_form()
        await refusal_of(spawner, {"profile": "lab"})
    assert service.asked == ["ann"]


@pytest.mark.parametrize(
    ("profiles", "quota"),
    [
        ((LAB, RESCUE | {"allow_all": False, "allowed_users": ["bob"]}), {}),
        ((LAB,), {"rescue_profile": ""}),
    ],
    ids=["not permitted", "not configured"],
)
async def test_who_cannot_make_room_there_is_told_and_starts(
    make: Any, profiles: Any, quota: Any
) -> None:
    spawner = make(*profiles, quota=quota)
    assert f"{NOTICE} Please make room." in await spawner.get_options_form()
    assert await granted_to(spawner, {"profile": "lab"}) == "lab"


@pytest.mark.parametrize("answer", [{"free": 2**20}, 404, {}])
async def test_nothing_is_said_where_there_is_room_or_no_home(
    make: Any, service: Service, caplog: Any, answer: Any
) -> None:
    service.answer = answer
    spawner = make()
    assert "Your home" not in await spawner.get_options_form()
    assert await granted_to(spawner, {"profile": "lab"}) == "lab"
    assert "It is not known" not in caplog.text


@pytest.mark.parametrize("answer", [500, 302, {"free": "much"}])
async def test_d31_service_that_does_not_answer_stops_nobody(
    make: Any, service: Service, caplog: Any, answer: Any
) -> None:
    service.answer = answer
    spawner = make()
    assert "Your home" not in await spawner.get_options_form()
    assert await granted_to(spawner, {"profile": "lab"}) == "lab"
    assert "It is not known how full" in caplog.text
    assert len(service.asked) == 1  # a failure is remembered, too


async def test_secret_that_is_missing_stops_nobody(make: Any, caplog: Any) -> None:
    spawner = make(quota={"headers": {"Authorization": {"env": "NOT_SET_ANYWHERE"}}})
    assert await granted_to(spawner, {"profile": "lab"}) == "lab"
    assert "NOT_SET_ANYWHERE is not set" in caplog.text


@pytest.mark.parametrize(("slug", "free"), [("rescue", 0), ("lab", 2**30)])
async def test_rescue_profile_writes_nothing_into_the_home(
    make: Any, service: Service, slug: str, free: int
) -> None:
    service.answer = {"free": free}
    home = {"source": {"type": "empty_dir"}}
    storage = {"home": home, "claims": {}, "init": {"skel": "/etc/skel"}}
    spawner = make(storage=storage)
    assert await granted_to(spawner, {"profile": slug}) == slug
    pod = await spawner.before_pod_create(await spawner.get_pod_manifest())
    (container,) = pod["spec"]["initContainers"]
    assert ('"fill": null' in container["args"][1]) == (slug == "rescue")
