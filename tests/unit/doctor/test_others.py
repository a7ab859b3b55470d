"""Asking real files, a real web server and a real database of a hub."""

from __future__ import annotations

import sqlite3
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme
from aiohttp import web
from jupyterhub import orm
from sqlalchemy import create_engine

from jhext.doctor.checks import INDEX
from jhext.doctor.others import ask_directory, ask_provider, servers_are_indexed
from jhext.settings import load_settings


@pytest.fixture
def people(tmp_path: Path) -> Path:
    file = tmp_path / "people.yaml"
    file.write_text("ada: {uid: 2001, gid: 2001, groups: {lab: 3001}}\n")
    return file


@pytest.mark.parametrize(
    ("user", "problem", "answer"),
    [
        ("", "", "they answer"),
        ("ada", "", "uid 2001, gid 2001, groups "),
        ("bob", "bob", ""),
    ],
)
async def test_directory(
    people: Path, tmp_path: Path, user: str, problem: str, answer: str
) -> None:
    ledger = tmp_path / "ledger.sqlite"
    identity = {
        "sources": [{"type": "table", "path": str(people)}],
        "ledger": f"sqlite:///{ledger}",
    }
    found = await ask_directory(load_settings({"identity": identity}).identity, user)
    assert found is not None
    assert problem in found.problem
    assert bool(found.problem) == bool(problem)
    assert answer in found.answer
    assert not ledger.exists(), "looking changes nothing"


async def test_directory_that_does_not_answer(tmp_path: Path) -> None:
    source = {"type": "rest", "url": "https://127.0.0.1:9/{username}", "fields": {"uid": "/uid"}}
    found = await ask_directory(load_settings({"identity": {"sources": [source]}}).identity, "")
    assert found is not None
    assert "rest" in found.problem


async def test_nobody_to_ask() -> None:
    assert await ask_directory(None, "ada") is None
    platform = load_settings({"identity": {"mode": "platform"}}).identity
    assert await ask_directory(platform, "ada") is None
    assert await ask_provider("", "") is None


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def provider(authority: trustme.CA, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Run a web server with the discovery documents of some issuers."""

    async def discovery(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        issuer = f"{request.url.origin()}/{'good' if name == 'bad' else name}"
        return web.json_response({"issuer": issuer}) if name != "text" else web.Response(text="{")

    app = web.Application()
    app.router.add_get("/{name:good|bad|text}/.well-known/openid-configuration", discovery)
    runner = web.AppRunner(app)
    await runner.setup()
    context = None
    if getattr(request, "param", "http") == "https":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(context)
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"{'https' if context else 'http'}://{host}:{port}"
    await runner.cleanup()


@pytest.mark.parametrize(
    ("name", "problem"),
    [("good", ""), ("bad", "is about the issuer"), ("text", "JSON"), ("nothing", "answers 404")],
)
async def test_discovery(provider: str, name: str, problem: str) -> None:
    found = await ask_provider(f"{provider}/{name}", "")
    assert found is not None
    assert problem in found.problem
    assert bool(found.problem) == bool(problem)


async def test_page_for_logins(provider: str) -> None:
    found = await ask_provider("", f"{provider}/authorize")
    assert found is not None
    assert (found.problem, found.answer) == ("", "answers 404")
    gone = await ask_provider("", "http://127.0.0.1:9/authorize")
    assert gone is not None
    assert "Connect" in gone.problem


@pytest.mark.parametrize("provider", ["https"], indirect=True)
async def test_authority_of_the_provider_is_the_hubs(
    provider: str, authority: trustme.CA, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    for ca_file, problem in (("", "certificate"), (str(file), "No such file"), (str(file), "")):
        found = await ask_provider("", f"{provider}/authorize", ca_file)
        assert found is not None
        assert problem in found.problem
        assert bool(found.problem) == bool(problem)
        if ca_file:
            authority.cert_pem.write_to_path(str(file))


async def test_index_of_a_hubs_database(tmp_path: Path) -> None:
    file = tmp_path / "jupyterhub.sqlite"
    assert await servers_are_indexed("") is None
    assert await servers_are_indexed(str(file)) is None
    assert not file.exists()
    engine = create_engine(f"sqlite:///{file}")
    orm.Base.metadata.create_all(engine)
    engine.dispose()
    assert await servers_are_indexed(str(file)) is False
    with sqlite3.connect(file) as connection:
        connection.execute(INDEX)
    connection.close()
    assert await servers_are_indexed(str(file)) is True


async def test_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "jupyterhub.sqlite"
    file.write_text("not a database, " * 100)
    assert await servers_are_indexed(str(file)) is None
