"""Where a home is, said by a map file, a claim of the token, or a web service of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from jhext.settings import load_settings
from jhext.storage.errors import StorageRefused
from tests.unit.test_identified import ANN, ANYBODY, sent

HOME = {"type": "host_path", "path": "{home}", "roots": [{"path": "/u", "node": "/gpfs/u"}]}


@pytest.fixture
async def service() -> AsyncIterator[str]:
    async def serve(request: web.Request) -> web.Response:
        return web.json_response({"path": f"/u/r/{request.match_info['name']}"})

    application = web.Application()
    application.router.add_get("/{name}", serve)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    yield f"http://{host}:{port}/{{username}}"
    await runner.cleanup()


@pytest.fixture
def sources(tmp_path: Path, service: str) -> dict[str, dict[str, Any]]:
    table = tmp_path / "homes.yaml"
    table.write_text("ann: {home: /u/t/ann}\nbob: {home: /etc}\n")
    return {
        "map file": {"type": "table", "path": str(table), "provides": ["home"]},
        "claim": {"type": "auth_state", "fields": {"home": "/id_token_claims/home"}},
        "service": {
            "type": "rest",
            "url": service,
            "allow_http": True,
            "fields": {"home": "/path"},
        },
    }


def settings_of(source: dict[str, Any]) -> Any:
    named = [source | {"name": "homes"}, {"type": "auth_state"}]
    identity = {"sources": named, "unique_uid": "off"}
    return load_settings({"identity": identity, "storage": {"home": {"source": HOME}}})


@pytest.mark.parametrize(
    ("source", "path"),
    [("map file", "/gpfs/u/t/ann"), ("claim", "/gpfs/u/c/ann"), ("service", "/gpfs/u/r/ann")],
)
async def test_path_comes_from_a_source_of_its_own(
    make_spawner: Any, sources: dict[str, Any], source: str, path: str
) -> None:
    state = {"jhext": ANN | {"home": "/u/other"}, "id_token_claims": {"home": "/u/c/ann"}}
    settings = settings_of(sources[source])
    pod = await sent(make_spawner(ANYBODY, {}, auth_state=state, settings=settings))
    (volume,) = [one for one in pod["spec"]["volumes"] if one["name"] == "jhext-home"]
    assert volume["hostPath"]["path"] == path
    assert pod["spec"]["securityContext"]["runAsUser"] == ANN["uid"]


async def test_d15_path_that_is_elsewhere_is_refused(
    make_spawner: Any, sources: dict[str, Any]
) -> None:
    settings = settings_of(sources["map file"])
    person = ANN | {"username": "bob"}
    spawner = make_spawner(ANYBODY, {}, user="bob", auth_state={"jhext": person}, settings=settings)
    with pytest.raises(StorageRefused) as refused:
        await sent(spawner)
    assert "'/etc' is under none of the roots" in refused.value.detail
