"""Login by LDAP with real servers: whom they let in, with which groups, and over what."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import pytest
import trustme
from tornado import web
from traitlets.config import Config

from jhext import LDAPAuthenticator
from tests.directories import samba as ad
from tests.directories import slapd
from tests.directories.fixtures import running_slapd
from tests.directories.samba import Samba
from tests.directories.slapd import Slapd

ALICE = {"students", "lab", "gpu"}
NESTED = {"faculty", "campus", "circle"}


def openldap(server: Slapd, **traits: Any) -> Any:
    usual = {
        "server_address": server.url,
        "tls_kwargs": {"ca_certs_file": str(server.ca_file)},
        "lookup_dn_search_user": slapd.HUB,
        "lookup_dn_search_password": slapd.HUB_PASSWORD,
        "user_search_base": f"ou=people,{slapd.BASE}",
        "user_attribute": "uid",
    }
    return made(usual | traits)


def active_directory(server: Samba, **traits: Any) -> Any:
    usual = {
        "server_address": server.url,
        "tls_kwargs": {"ca_certs_file": str(server.ca_file)},
        "lookup_dn_search_user": ad.HUB,
        "lookup_dn_search_password": ad.HUB_PASSWORD,
        "user_search_base": f"OU=People,{ad.BASE}",
        "user_attribute": "sAMAccountName",
        "valid_username_regex": r"^[A-Za-z][A-Za-z0-9@._-]*$",
    }
    return made(usual | traits)


def made(traits: dict[str, Any]) -> Any:
    usual = {"lookup_dn": True, "allow_all": True, "manage_groups": True}
    return LDAPAuthenticator(config=Config(LDAPAuthenticator=usual | traits))


async def log_in(authenticator: Any, name: str, password: str) -> Any:
    data = {"username": name, "password": password}
    try:
        return await authenticator.get_authenticated_user(None, data)
    finally:
        await authenticator.close()


async def test_openldap_by_names(rfc2307: Slapd) -> None:
    model = await log_in(openldap(rfc2307), "alice", "alice-pw")
    assert set(model["groups"]) == ALICE
    assert model["auth_state"]["jhext"]["uid"] == "20001"


@pytest.mark.parametrize("tls", ["before_bind", "on_connect", "insecure"])
async def test_openldap_by_dns_with_groups_of_groups(rfc2307bis: Slapd, tls: str) -> None:
    address = {"on_connect": rfc2307bis.tls_url}.get(tls, rfc2307bis.url)
    authenticator = openldap(rfc2307bis, server_address=address, tls_strategy=tls)
    model = await log_in(authenticator, "alice", "alice-pw")
    assert set(model["groups"]) == ALICE | NESTED
    assert await log_in(authenticator, "alice", "bob-pw") is None


@pytest.mark.parametrize("tls", ["before_bind", "on_connect"])
async def test_d42_certificates_of_strangers_are_not_accepted(
    rfc2307: Slapd, tls: str, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names both cures, and both help."""
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    address = {"on_connect": rfc2307.tls_url}.get(tls, rfc2307.url)
    traits = {"server_address": address, "tls_strategy": tls}
    other = {"ca_certs_file": str(tmp_path / "other.pem")}
    with pytest.raises(web.HTTPError) as refused:
        await log_in(openldap(rfc2307, **traits, tls_kwargs=other), "alice", "alice-pw")
    assert refused.value.status_code == 503
    assert "ca_certs_file" in caplog.text
    assert "ssl.CERT_NONE" in caplog.text
    assert "alice-pw" not in caplog.text
    for cure in ({"ca_certs_file": str(rfc2307.ca_file)}, {"validate": ssl.CERT_NONE}):
        assert "not checked" not in caplog.text
        assert await log_in(openldap(rfc2307, **traits, tls_kwargs=cure), "alice", "alice-pw")
    assert "not checked" in caplog.text


async def test_certificate_that_has_expired(directory_authority: trustme.CA) -> None:
    with (
        running_slapd("rfc2307", directory_authority, expired=True) as server,
        pytest.raises(web.HTTPError) as refused,
    ):
        await log_in(openldap(server), "alice", "alice-pw")
    assert refused.value.status_code == 503


async def test_limit_of_the_server_is_not_taken_for_the_whole_answer(rfc2307bis: Slapd) -> None:
    limited = openldap(
        rfc2307bis,
        lookup_dn_search_user=f"cn=limited,ou=services,{slapd.BASE}",
        lookup_dn_search_password="limited-pw",
    )
    with pytest.raises(web.HTTPError) as refused:
        await log_in(limited, "alice", "alice-pw")
    assert refused.value.status_code == 503


@pytest.mark.parametrize("name", ["alice", "ALICE", "Alice"])
async def test_active_directory(samba: Samba, name: str) -> None:
    model = await log_in(active_directory(samba), name, "alice-pw")
    assert model["name"] == "alice"
    assert ALICE - {"students"} | NESTED <= set(model["groups"])
    assert "Domain Users" in model["groups"]
    assert model["auth_state"]["jhext"]["home"] == "/nfs/alice"


@pytest.mark.parametrize(
    ("name", "told"),
    [("disabled", "disabled"), ("expired", "expired"), ("mustchange", "has to be changed")],
)
async def test_accounts_that_may_not_log_in(samba: Samba, name: str, told: str) -> None:
    with pytest.raises(web.HTTPError, match=told):
        await log_in(active_directory(samba), name, f"{name}-pw")
    assert await log_in(active_directory(samba), name, "wrong") is None


async def test_person_without_posix_attributes(samba: Samba) -> None:
    model = await log_in(active_directory(samba), "erin", "erin-pw")
    assert model["name"] == "erin"
    assert model["auth_state"]["jhext"]["uid"] is None


def by_password_alone(server: Slapd | Samba, *templates: str, **more: Any) -> Any:
    """Make an authenticator that is told nothing of the tree, and wants nothing but a password."""
    traits: dict[str, Any] = {
        "server_address": server.url,
        "tls_kwargs": {"ca_certs_file": str(server.ca_file)},
        "bind_dn_template": list(templates),
        "valid_username_regex": ".*",
    }
    return made(traits | {"lookup_dn": False, "manage_groups": False} | more)


@pytest.fixture
def two_names(samba: Samba) -> Iterator[None]:
    """Give carol a second name to log in with."""
    change = (
        "dn: CN=Carol Test,OU=People,{base}\nchangetype: modify\n"
        "replace: userPrincipalName\nuserPrincipalName: {name}@ad.example.org\n"
    )
    samba.modify(change.format(base=ad.BASE, name="karoline"))
    yield
    samba.modify(change.format(base=ad.BASE, name="carol"))


NAMES = ["carol", "CAROL", "karoline", "c\u00e1rol", "carol ", "carol@ad.example.org"]
NAMES += ["karoline@ad.example.org", "EXAMPLEAD\\carol", "ad.example.org\\carol"]


@pytest.mark.parametrize(
    ("attribute", "templates", "user"),
    [
        ("", ["{username}@ad.example.org"], "carol"),
        ("", ["EXAMPLEAD\\{username}"], "carol"),
        ("", ["{username}", "{username}@ad.example.org", "EXAMPLEAD\\{username}"], "carol"),
        ("userPrincipalName", ["{username}"], "karoline@ad.example.org"),
    ],
    ids=["principal", "domain", "all", "principal as typed"],
)
@pytest.mark.usefixtures("two_names")
async def test_one_account_with_many_names_is_one_user(
    samba: Samba, attribute: str, templates: list[str], user: str
) -> None:
    """The directory takes several of these names with the password of the one account."""
    authenticator = by_password_alone(samba, *templates, user_attribute=attribute)
    models = [await log_in(authenticator, name, "carol-pw") for name in NAMES]
    assert {model["name"] for model in models if model} == {user}


SPELLINGS = [
    "alice",
    "ALICE",
    " alice",
    "alice ",
    "\u00e1lice",
    "\uff41lice",
    "a\u00adlice",
    "\\61lice",
]
SPELLINGS += ["#0405616c696365", "alice,ou=people", "alice+uid=alice", "uid=alice", "alice\0"]


async def test_one_dn_in_many_spellings_is_one_user(rfc2307: Slapd) -> None:
    template = f"uid={{username}},ou=people,{slapd.BASE}"
    authenticator = by_password_alone(rfc2307, template)
    models = [await log_in(authenticator, name, "alice-pw") for name in SPELLINGS]
    assert {model["name"] for model in models if model} == {"alice"}


TWINS = """dn: uid=twin,ou=people,{base}
objectClass: inetOrgPerson
cn: One
sn: One
uid: twin
mail: one@example.org
userPassword: one-pw

dn: ou=guests,ou=people,{base}
objectClass: organizationalUnit
ou: guests

dn: uid=Twin,ou=guests,ou=people,{base}
objectClass: inetOrgPerson
cn: Two
sn: Two
uid: Twin
mail: two@example.org
userPassword: two-pw
"""


async def test_one_name_of_two_entries_is_nobodys(directory_authority: trustme.CA) -> None:
    """What they type is theirs alone; the hub would make one user of them."""
    typed: dict[str, Any] = {"user_attribute": "mail", "valid_username_regex": r"^[a-z@.]+$"}
    typed |= {"lookup_dn_user_dn_attribute": "uid", "use_lookup_dn_username": True}
    with running_slapd("rfc2307", directory_authority) as server:
        server.add(TWINS.format(base=slapd.BASE))
        for one in ("one", "two"):
            authenticator = openldap(server, **typed)
            assert await log_in(authenticator, f"{one}@example.org", f"{one}-pw") is None
        guest = f"dn: uid=Twin,ou=guests,ou=people,{slapd.BASE}\n"
        server.modify(f"{guest}changetype: delete\n")
        model = await log_in(openldap(server, **typed), "one@example.org", "one-pw")
        assert model["name"] == "twin"


async def test_directory_without_such_names_lets_nobody_in(rfc2307: Slapd) -> None:
    with pytest.raises(web.HTTPError) as refused:
        await log_in(by_password_alone(rfc2307, "{username}@example.org"), "alice", "alice-pw")
    assert refused.value.status_code == 503


async def test_tree_that_nobody_has_named(rfc2307bis: Slapd) -> None:
    """A directory with one tree says which it is."""
    traits = {"user_search_base": "", "group_search_base": ""}
    model = await log_in(openldap(rfc2307bis, **traits), "alice", "alice-pw")
    assert set(model["groups"]) == ALICE | NESTED


@pytest.mark.parametrize("template", ["{username}@ad.example.org", "EXAMPLEAD\\{username}"])
async def test_templates_that_are_no_dns(samba: Samba, template: str) -> None:
    """Without an account of the hub; the person reads, and the entry is proven to be theirs."""
    authenticator = active_directory(
        samba, lookup_dn=False, lookup_dn_search_user=None, bind_dn_template=[template]
    )
    model = await log_in(authenticator, "alice", "alice-pw")
    assert model["name"] == "alice"
    assert set(model["groups"]) >= ALICE - {"students"} | NESTED
