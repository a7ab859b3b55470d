"""Directories in the section ``identity``."""

import logging
from typing import Any

import pytest
from pydantic import ValidationError

from jhext.identity.build import build_resolver
from jhext.identity.ldap import settings as module
from jhext.identity.ldap.access import Server, Tls, parse_server
from jhext.identity.ldap.build import access_of
from jhext.identity.ldap.settings import ActiveDirectorySettings, LdapSettings
from jhext.identity.settings import IdentitySettings

LDAP: dict[str, Any] = {
    "type": "ldap",
    "servers": ["ldaps://ldap1.example.org"],
    "user_base": "ou=people,dc=example,dc=org",
}
AD: dict[str, Any] = {**LDAP, "type": "active_directory"}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({**LDAP, "servers": []}, "at least 1"),
        ({**LDAP, "servers": ["ldap1.example.org"]}, "neither ldaps"),
        ({**LDAP, "servers": ["https://ldap1.example.org"]}, "neither ldaps"),
        ({**LDAP, "servers": ["ldap://h/ou=people"]}, "more in it"),
        ({**LDAP, "servers": ["ldap://cn=hub:pw@h"]}, "more in it"),
        ({**LDAP, "servers": ["ldap://h:port"]}, "could not be cast"),
        ({**LDAP, "tls_verify": False}, "not permitted"),
        ({**LDAP, "bind_dn": "cn=hub"}, "go together"),
        ({**LDAP, "bind_password": {"env": "X"}}, "go together"),
        ({**LDAP, "bind_dn": "cn=hub", "bind_password": "secret"}, "SecretRef"),
        ({**LDAP, "user_filter": "(uid=*"}, "RFC 4515"),
        ({**LDAP, "user_filter": "uid=*"}, "RFC 4515"),
        ({**LDAP, "login_attribute": "uid)(cn"}, "pattern"),
        ({**LDAP, "fields": {"username": "cn"}}, "username cannot be given"),
        ({**LDAP, "fields": {"uid": "uid=*"}}, "pattern"),
        ({**LDAP, "ids": "sid"}, "not permitted"),
        ({**AD, "ids": "sid", "sid_range": [1, 2, 3]}, "no slice"),
        ({**AD, "nested_groups": True}, "token_groups"),
    ],
)
def test_mistakes_are_told(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError) as error:
        IdentitySettings.model_validate({"sources": [wrong]})
    assert why in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "plain", "server"),
    [
        ("ldaps://h", False, Server("h", 636, Tls.ON_CONNECT)),
        ("ldaps://h", True, Server("h", 636, Tls.ON_CONNECT)),
        ("ldaps://[::1]:1636", False, Server("::1", 1636, Tls.ON_CONNECT)),
        ("ldap://h", False, Server("h", 389, Tls.START_TLS)),
        ("ldap://h:1389/", True, Server("h", 1389, Tls.NONE)),
    ],
)
def test_d42_nothing_is_unencrypted_unless_that_is_allowed(
    url: str, plain: bool, server: Server
) -> None:
    assert parse_server(url, allow_plaintext=plain) == server


def test_d42_going_without_encryption_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        access_of(LdapSettings(**LDAP), 5)
        assert not caplog.text
        access_of(LdapSettings(**LDAP, allow_plaintext=True), 5)
    assert "unencrypted" in caplog.text


async def test_building_asks_nobody() -> None:
    resolver = build_resolver(IdentitySettings.model_validate({"sources": [LDAP, AD]}))
    await resolver.close()


def test_every_field_is_described() -> None:
    for model in (LdapSettings, ActiveDirectorySettings):
        assert model.__module__ == module.__name__
        undescribed = {n for n, f in model.model_fields.items() if not f.description}
        assert undescribed == {"type"}
