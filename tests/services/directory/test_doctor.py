"""``jhext doctor`` and a real OpenLDAP: it binds, and looks somebody up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.auth import DummyAuthenticator
from traitlets.config import Config

from jhext import LDAPAuthenticator, ProfileKubeSpawner
from jhext.doctor.login import ask_login_directory
from jhext.doctor.others import ask_directory
from jhext.offline.configuration import Configuration, read_configuration
from jhext.settings import load_settings
from tests.directories.slapd import BASE, HUB, HUB_PASSWORD, Slapd


def source(server: Slapd, secret: Path, **more: Any) -> dict[str, Any]:
    secret.write_text(HUB_PASSWORD)
    return {
        "type": "ldap",
        "servers": [server.tls_url],
        "ca_file": str(server.ca_file),
        "bind_dn": HUB,
        "bind_password": {"file": str(secret)},
        "user_base": f"ou=people,{BASE}",
        "group_base": f"ou=groups,{BASE}",
        **more,
    }


@pytest.mark.parametrize(
    ("more", "user", "problem", "answer"),
    [
        ({}, "", "", "they answer"),
        ({}, "alice", "", "gpu"),
        ({}, "nobody-of-that-name", "nobody-of-that-name", ""),
        ({"user_base": f"ou=nowhere,{BASE}"}, "", "ou=nowhere", ""),
        ({"bind_dn": f"cn=stranger,{BASE}"}, "", "cn=stranger", ""),
        ({"servers": ["ldaps://127.0.0.1:9"]}, "", "127.0.0.1:9", ""),
    ],
    ids=["nobody", "somebody", "a stranger", "no such base", "no such account", "no server"],
)
async def test_look_up(
    rfc2307: Slapd, tmp_path: Path, more: Any, user: str, problem: str, answer: str
) -> None:
    sources = [source(rfc2307, tmp_path / "secret", **more)]
    settings = load_settings({"identity": {"sources": sources}})
    found = await ask_directory(settings.identity, user)
    assert found is not None
    assert problem in found.problem
    assert bool(found.problem) == bool(problem), found
    assert answer in found.answer
    assert HUB_PASSWORD not in str(found)


NO_ACCOUNT = {"lookup_dn_search_user": "", "lookup_dn_search_password": ""}


def login(server: Slapd, **more: Any) -> dict[str, Any]:
    return {
        "server_address": server.url,
        "tls_kwargs": {"ca_certs_file": str(server.ca_file)},
        "lookup_dn": True,
        "lookup_dn_search_user": HUB,
        "lookup_dn_search_password": {"env": "HUB_PASSWORD"},
        "user_search_base": f"ou=people,{BASE}",
        "user_attribute": "uid",
        "manage_groups": True,
        **more,
    }


def configured(folder: Path, config: dict[str, Any]) -> Configuration:
    profiles = [{"display_name": "Any", "allow_all": True}]
    (file := folder / "jhext.yaml").write_text(
        json.dumps({"profiles": profiles, "hub": {"config": config}})
    )
    return read_configuration(file)


@pytest.mark.parametrize(
    ("more", "user", "problem", "answer"),
    [
        ({}, "", "", "it answers"),
        ({}, "alice", "", "groups gpu, lab, students"),
        ({}, "nobody-of-that-name", "is nobody", ""),
        ({"lookup_dn_search_password": "wrong"}, "", "the hub's own login", ""),
        ({"lookup_dn_search_password": {"env": "NOT_THERE"}}, "", "NOT_THERE", ""),
        ({"tls_kwargs": {}}, "alice", "certificate is not accepted", ""),
        ({"server_address": "ldaps://127.0.0.1:9"}, "", "127.0.0.1:9", ""),
        (NO_ACCOUNT, "", "", "no account"),
        (NO_ACCOUNT | {"tls_kwargs": {}}, "", "certificate is not accepted", ""),
    ],
)
async def test_directory_of_logins(
    rfc2307: Slapd,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    more: Any,
    user: str,
    problem: str,
    answer: str,
) -> None:
    """Also where nothing else is asked who people are."""
    monkeypatch.setenv("HUB_PASSWORD", HUB_PASSWORD)
    section = {"LDAPAuthenticator": login(rfc2307, **more)}
    config = {"JupyterHub": {"authenticator_class": "jhext-ldap"}, **section}
    found = await ask_login_directory(configured(tmp_path, config), user)
    assert found is not None
    assert problem in found.problem
    assert bool(found.problem) == bool(problem), found
    assert answer in found.answer
    assert HUB_PASSWORD not in str(found)


class Own(LDAPAuthenticator):
    """An operator's."""


@pytest.mark.parametrize(
    ("chosen", "is_asked"),
    [
        ("jhext.LDAPAuthenticator", True),
        (LDAPAuthenticator, True),
        (Own, True),
        ("jhext-github", False),
        (DummyAuthenticator, False),
    ],
)
async def test_directory_is_asked_where_people_log_in_with_it(
    rfc2307: Slapd, chosen: Any, is_asked: bool
) -> None:
    section = login(rfc2307, lookup_dn_search_password=HUB_PASSWORD)
    config = Config({"JupyterHub": {"authenticator_class": chosen}, "LDAPAuthenticator": section})
    found = await ask_login_directory(Configuration(Path(), config, ProfileKubeSpawner), "alice")
    assert (found is not None and "groups gpu" in found.answer) is is_asked
