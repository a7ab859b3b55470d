"""The Secret of a token: one server's, and nothing in it that is not the token."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from jhext.delegation.secret import GIT, TOKEN, data_of, goes_with, is_of, name_of, secret_of
from jhext.delegation.settings import TokenSettings

SETTINGS = TokenSettings()
NAMES = st.text(min_size=1, max_size=60)


def read(data: dict[str, str]) -> dict[str, str]:
    return {name: base64.b64decode(text).decode() for name, text in data.items()}


def test_files_of_a_token() -> None:
    data = data_of({"access_token": "gho_1"}, SETTINGS)
    assert data is not None
    assert read(data) == {TOKEN: "gho_1", GIT: "username=oauth2\npassword=gho_1\n"}


def test_another_token_under_another_name() -> None:
    settings = TokenSettings(key="/token_response/id_token", git_username="me")
    data = data_of({"token_response": {"id_token": "eyJ"}}, settings)
    assert data is not None
    assert read(data)[GIT] == "username=me\npassword=eyJ\n"


@pytest.mark.parametrize(
    "auth_state",
    [
        None,
        {},
        [],
        {"access_token": None},
        {"access_token": ""},
        {"access_token": 7},
        {"access_token": ["a"]},
        {"access_token": "a b"},
        {"access_token": "a\nhost=evil.example"},
        {"access_token": "ä"},
        {"access_token": "a" * 65537},
    ],
)
def test_what_is_no_token(auth_state: Any) -> None:
    assert data_of(auth_state, SETTINGS) is None


@given(st.text())
def test_d24_no_token_says_more_to_git_than_a_password(token: str) -> None:
    data = data_of({"access_token": token}, SETTINGS)
    if data is not None:
        lines = read(data)[GIT].splitlines()
        assert lines == ["username=oauth2", f"password={token}"]


@given(NAMES, st.text(max_size=30), NAMES, st.text(max_size=30))
def test_a_secret_is_of_one_server(user: str, server: str, other: str, second: str) -> None:
    secret = secret_of(user, server, {})
    assert is_of(secret, other, second) == ((user, server) == (other, second))
    assert is_of(secret, user, server)


def test_a_secret_of_something_else_is_nobodys() -> None:
    secret = secret_of("ann", "", {})
    secret["metadata"]["labels"]["jhext.io/component"] = "storage"
    assert not is_of(secret, "ann", "")
    assert not is_of({"metadata": {"name": name_of("ann", "")}}, "ann", "")


def test_it_goes_with_the_pod() -> None:
    pod = {"metadata": {"name": "jupyter-ann", "uid": "1-2"}}
    (owner,) = goes_with(pod)["ownerReferences"]
    assert owner == {"apiVersion": "v1", "kind": "Pod", "name": "jupyter-ann", "uid": "1-2"}


@pytest.mark.parametrize(
    "changes",
    [
        {"git_urls": ["http://github.com"]},
        {"git_urls": ["https://me@github.com"]},
        {"git_urls": ["https://*.example.com"]},
        {"git_urls": ["https://github.com/a b"]},
        {"git_urls": ["https://github.com\nx"]},
        {"git_urls": ["https://github.com\n"]},
        {"git_urls": ["github.com"]},
        {"git_username": "a\nb"},
        {"git_username": ""},
        {"key": "access_token"},
        {"refresh": "0s"},
    ],
)
def test_settings_that_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TokenSettings.model_validate(changes)


@pytest.mark.parametrize("url", ["https://github.com", "https://git.example.org:8443/lab/"])
def test_addresses_that_are_accepted(url: str) -> None:
    assert TokenSettings.model_validate({"git_urls": [url]}).git_urls == (url,)
