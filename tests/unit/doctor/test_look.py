"""Whether auth_state can be encrypted with the keys that a configuration has."""

from __future__ import annotations

from typing import Any

import pytest
from traitlets.config import Config

from jhext.doctor.look import _keys_problem
from tests.unit.cluster.conftest import SMALL, Configured, configured

__all__ = ["configured"]
KEY = "ab" * 32
NAMED = {"crypt_keys": [{"env": "JHEXT_TEST_KEYS"}]}


@pytest.mark.parametrize(
    ("hub", "on_c", "variable", "named", "problem"),
    [
        ({}, "", "", "", "there is no key"),
        ({}, "", KEY, "", ""),
        ({}, "", f"{KEY};{KEY}", "", ""),
        ({}, "", f"{KEY};s3cret", "", "a key is none"),
        ({}, "s3cret", "", "", "a key is none"),
        ({}, KEY, "s3cret", "", ""),
        (NAMED, "", "", KEY, ""),
        (NAMED, "", "", f"{KEY}\n{KEY}", ""),
        (NAMED, "", KEY, "s3cret", "a key is none"),
        (NAMED, "", KEY, "", "a key is not there"),
    ],
)
def test_keys(
    configured: Configured,
    monkeypatch: pytest.MonkeyPatch,
    hub: dict[str, Any],
    on_c: str,
    variable: str,
    named: str,
    problem: str,
) -> None:
    monkeypatch.setenv("JUPYTERHUB_CRYPT_KEY", variable)
    monkeypatch.setenv("JHEXT_TEST_KEYS", KEY)
    configuration = configured({"profiles": [SMALL], "hub": hub}, "")
    # To be configured it had to be there; it may be another one when somebody looks.
    monkeypatch.setenv("JHEXT_TEST_KEYS", named)
    configuration.config.CryptKeeper = Config(keys=[on_c]) if on_c else Config()
    told = _keys_problem(configuration)
    assert told.startswith(problem)
    assert bool(told) == bool(problem)
    assert "s3cret" not in told
