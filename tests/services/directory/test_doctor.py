"""``jhext doctor`` and a real OpenLDAP: it binds, and looks somebody up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jhext.doctor.others import ask_directory
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
