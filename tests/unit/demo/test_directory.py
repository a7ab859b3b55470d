"""The demo's OpenLDAP has the people of the demo in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from traitlets.config import Config

from jhext.demo import directory
from jhext.demo.accounts import demo_accounts
from jhext.demo.authenticator import DemoAuthenticator
from jhext.demo.directory_login import DirectoryDemoAuthenticator, configure_login
from jhext.demo.processes import Children


async def test_same_people_as_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, groups, claims and admins are those that the demo has without it."""
    if not directory.is_installed():
        pytest.skip("needs OpenLDAP: apt-get install slapd")
    accounts = demo_accounts()
    with Children() as children:
        started = directory.start_directory(children, tmp_path / "d", accounts)
        for name, value in started.env.items():
            monkeypatch.setenv(name, value)
        config = Config()
        configure_login(config)
        made = DirectoryDemoAuthenticator(config=config)
        for account in accounts:
            data = {"username": account.name, "password": account.password.get_secret_value()}
            model = await made.get_authenticated_user(None, data)
            theirs = DemoAuthenticator()._model(account)
            assert set(model["groups"]) - {directory.ADMINS} == set(theirs["groups"])
            assert model["admin"] == theirs["admin"]
            found = model["auth_state"]["jhext"]["claims"]
            assert found == theirs["auth_state"]["jhext"]["claims"]
            assert await made.get_authenticated_user(None, data | {"password": "wrong"}) is None
        await made.close()
    assert started.password not in repr(started)
