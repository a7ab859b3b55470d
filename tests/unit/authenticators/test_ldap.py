"""Login by LDAP, against a stand-in for the server where real ones cannot be made to fail."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from tornado import web
from traitlets import TraitError
from traitlets.config import Config

from jhext import LDAPAuthenticator
from jhext.authenticators.freshness import VERIFIED_AT
from jhext.authenticators.ldap_options import tls_context
from tests.ldap_wire import Mood, WireServer, campus

PEOPLE = "ou=people,dc=example,dc=org"
HUB = "cn=hub,dc=example,dc=org"
INVALID = "80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data {}, v2580"


def configured(*ports: int, **traits: Any) -> Config:
    section = {
        "server_address": [f"127.0.0.1:{port}" for port in ports],
        "tls_strategy": "insecure",
        "lookup_dn": True,
        "lookup_dn_search_user": HUB,
        "lookup_dn_search_password": "hub-pw",
        "user_search_base": PEOPLE,
        "user_attribute": "uid",
        "lookup_dn_user_dn_attribute": "uid",
        "allow_all": True,
        "timeout": 0.5,
        "deadline": 2.0,
    }
    return Config(LDAPAuthenticator=section | traits)


def authenticator(*ports: int, **traits: Any) -> Any:
    return LDAPAuthenticator(config=configured(*ports, **traits))


async def log_in(made: Any, name: str, password: str, handler: Any = None) -> Any:
    data = {"username": name, "password": password}
    return await made.get_authenticated_user(handler, data)


@pytest.fixture
async def server() -> AsyncIterator[WireServer]:
    made = campus(people=3, groups=2)
    made.passwords = {**made.passwords, HUB: "hub-pw"}
    async with made:
        yield made


@dataclass
class User:
    """As much of JupyterHub's user as a refresh reads."""

    name: str = "user0"
    auth_state: Any = field(default=None)

    async def get_auth_state(self) -> Any:
        return self.auth_state


async def test_model_is_json_with_groups_and_identity(server: WireServer) -> None:
    names = ["uidNumber", "photo"]
    server.entries[f"uid=user0,{PEOPLE}"]["photo"] = [b"\xff\xd8"]
    made = authenticator(server.port, manage_groups=True, auth_state_attributes=names)
    model = await log_in(made, "user0", "user0-pw")
    assert model["groups"] == ["group0", "group1"]
    state = json.loads(json.dumps(model["auth_state"]))
    assert state["user_attributes"] == {"uidNumber": [20000], "photo": ["/9g="]}
    assert state["jhext"]["uid"] == "20000"
    assert state["jhext"]["username"] == "user0"


async def test_few_operations_however_many_groups() -> None:
    """G15: a look-up, a bind, the groups, and the groups of these."""
    served = campus(people=1, groups=20)
    served.passwords = {**served.passwords, HUB: "hub-pw"}
    async with served:
        groups = [f"cn=group{number},ou=groups,dc=example,dc=org" for number in range(20)]
        made = authenticator(served.port, manage_groups=True, allowed_groups=groups)
        await log_in(made, "user0", "user0-pw")  # opens the connections
        before = len(served.asked)
        model = await log_in(made, "user0", "user0-pw")
        assert model["auth_state"]["ldap_groups"] == groups
        assert len(served.asked) - before <= 4


@pytest.mark.parametrize(
    "password", ["", " ", "\t\n", "x" * 1025, "ä" * 513, "nul\0", "\ud800" * 400]
)
async def test_password_that_is_never_sent(server: WireServer, password: str) -> None:
    assert await log_in(authenticator(server.port), "user0", password) is None
    assert server.asked == []


HOSTILE = [
    "*",
    "user*",
    "user0)(uid=*",
    "*)(objectClass=*",
    "user0\0",
    "user0\n",
    "user0\u200b",
    "a" * 10_240,
    "uid=user0",
    f"uid=user0,{PEOPLE}",
    "user0,ou=people",
    "\\2a",
    "{0}",
    "{login}",
    "{username.__class__}",
    "%s",
    "üser0",
    "\uff55ser0",  # a fullwidth letter
    "ユーザー0",
    "u\u0455er0",  # a Cyrillic letter
    "../user0",
    "\ud800",
    "",
]


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:24])
@pytest.mark.parametrize("template", [[], ["uid={username}," + PEOPLE]], ids=["lookup", "template"])
async def test_d51_hostile_name_is_nobody(
    server: WireServer, name: str, template: list[str]
) -> None:
    """Whatever is typed, with every pattern of names allowed, is nobody else's name."""
    made = authenticator(
        server.port, bind_dn_template=template, lookup_dn=not template, valid_username_regex=""
    )
    assert await log_in(made, name, "user0-pw") is None


@pytest.mark.parametrize("name", ["user0", "USER0", "User0"])
@pytest.mark.parametrize("template", [[], ["uid={username}," + PEOPLE]], ids=["lookup", "template"])
async def test_one_entry_is_one_user(server: WireServer, name: str, template: list[str]) -> None:
    made = authenticator(
        server.port, bind_dn_template=template, lookup_dn=not template, valid_username_regex=".*"
    )
    assert (await log_in(made, name, "user0-pw"))["name"] == "user0"


async def test_login_by_mail_is_the_same_user(server: WireServer) -> None:
    server.entries[f"uid=user0,{PEOPLE}"]["mail"] = [b"first@example.org"]
    made = authenticator(
        server.port,
        lookup_dn_search_filter="(|({login_attr}={login})(mail={login}))",
        valid_username_regex=".*",
    )
    for name in ("user0", "first@example.org"):
        assert (await log_in(made, name, "user0-pw"))["name"] == "user0"
    for name in ("*", "x)(uidNumber=20001"):
        assert await log_in(made, name, "user1-pw") is None


async def test_refresh_asks_the_filter_of_the_login_again(server: WireServer) -> None:
    entry = server.entries[f"uid=user0,{PEOPLE}"]
    entry["departmentNumber"] = [b"42"]
    made = authenticator(
        server.port, lookup_dn_search_filter="(&({login_attr}={login})(departmentNumber=42))"
    )
    assert await log_in(made, "user1", "user1-pw") is None
    state = (await log_in(made, "user0", "user0-pw"))["auth_state"]
    assert await refresh(made, state)
    entry["departmentNumber"] = [b"43"]
    assert await refresh(made, state) is False


async def test_name_of_two_entries_that_a_template_tells_apart_is_nobody(
    server: WireServer,
) -> None:
    for number in (0, 1):
        server.entries[f"uid=user{number},{PEOPLE}"]["cn"] = [b"John Smith"]
    made = authenticator(
        *(server.port,),
        lookup_dn=False,
        bind_dn_template=["uid={username}," + PEOPLE],
        user_attribute="cn",
    )
    for number in (0, 1):
        assert await log_in(made, f"user{number}", f"user{number}-pw") is None


async def test_name_is_no_part_of_the_tree(server: WireServer) -> None:
    made = authenticator(
        server.port,
        lookup_dn=False,
        bind_dn_template=["uid={username},dc=example,dc=org"],
        valid_username_regex="",
    )
    assert await log_in(made, "user0,ou=people", "user0-pw") is None


async def test_name_whose_small_letters_are_somebody_elses(server: WireServer) -> None:
    """JupyterHub writes names in small letters; those of U+0130 are two characters."""
    for number, name in enumerate(("İ", "i̇")):
        dn = f"cn=person{number},{PEOPLE}"
        server.entries = {
            **server.entries,
            dn: {"uid": [name.encode()], "uidNumber": [b"%d" % number]},
        }
        server.passwords = {**server.passwords, dn: "pw"}
    made = authenticator(server.port, valid_username_regex=".*")
    assert await log_in(made, "İ", "pw") is None


async def test_two_entries_of_one_name_are_nobody(server: WireServer) -> None:
    other = f"uid=user0,ou=guests,{PEOPLE}"
    server.entries = {**server.entries, other: {"uid": [b"user0"]}}
    server.passwords = {**server.passwords, other: "guest-pw"}
    for password in ("user0-pw", "guest-pw"):
        assert await log_in(authenticator(server.port), "user0", password) is None


@pytest.mark.parametrize("account", [HUB, None])
async def test_name_that_two_templates_give_two_people(
    server: WireServer, account: str | None
) -> None:
    """Also where nothing but the password is wanted of anybody."""
    other = "uid=user0,ou=guests,dc=example,dc=org"
    server.passwords = {**server.passwords, other: "guest-pw"}
    templates = ["uid={username}," + PEOPLE, "uid={username},ou=guests,dc=example,dc=org"]
    made = authenticator(
        server.port,
        lookup_dn=False,
        lookup_dn_search_user=account,
        bind_dn_template=templates,
    )
    assert await log_in(made, "user0", "user0-pw")
    server.entries = {**server.entries, other: {"uid": [b"user0"]}}
    for password in ("user0-pw", "guest-pw"):
        assert await log_in(made, "user0", password) is None


def by_mail(server: WireServer, **traits: Any) -> Any:
    """Make an authenticator whose names for passwords are no DNs, and say nothing of the tree."""
    server.passwords = {**server.passwords, "user0@example.org": "user0-pw"}
    names = {"bind_dn_template": ["{username}@example.org"], "valid_username_regex": ""}
    tree = {"lookup_dn": False, "user_search_base": "", "nested_groups": "walk"}
    return authenticator(server.port, **(names | tree | traits))


@pytest.mark.parametrize("account", [HUB, None])
@pytest.mark.parametrize("key", ["defaultNamingContext", "namingContexts"])
async def test_tree_is_the_one_that_the_directory_names(
    server: WireServer, key: str, account: str | None
) -> None:
    server.entries = {**server.entries, "": {key: [b"dc=example,dc=org"]}}
    made = by_mail(server, lookup_dn_search_user=account)
    model = await log_in(made, "USER0", "user0-pw")
    assert model["name"] == "user0"
    again = await refresh(made, model["auth_state"])
    assert again["name"] == "user0" if account else again is True


async def test_groups_are_looked_for_in_the_whole_tree_where_it_is_no_domain() -> None:
    async with WireServer() as server:
        people, group = "ou=people,o=univ", "cn=lab,ou=groups,o=univ"
        ann = {"uid": [b"ann"], "uidNumber": [b"20001"], "gidNumber": [b"1"]}
        members = {"objectClass": [b"groupOfNames"], "cn": [b"lab"]}
        server.entries = {
            "": {"namingContexts": [b"o=univ"]},
            f"uid=ann,{people}": ann,
            group: {**members, "member": [f"uid=ann,{people}".encode()]},
        }
        server.passwords = {f"uid=ann,{people}": "pw", HUB: "hub-pw"}
        made = authenticator(server.port, user_search_base=people, manage_groups=True)
        assert (await log_in(made, "ann", "pw"))["groups"] == ["lab"]


@pytest.mark.parametrize("root", [{}, {"namingContexts": [b"dc=example,dc=org", b"dc=b"]}])
async def test_nobody_gets_in_whose_entry_cannot_be_told(
    server: WireServer, root: dict[str, list[bytes]], caplog: pytest.LogCaptureFixture
) -> None:
    server.entries = {**server.entries, "": root}
    assert await log_in(by_mail(server), "user0", "user0-pw") is None
    assert "name the bases" in caplog.text


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("525", None),
        ("52e", None),
        ("775", None),  # would tell anybody that there is such an account
        ("533", "disabled"),
        ("701", "expired"),
        ("532", "password has expired"),
        ("773", "has to be changed"),
    ],
)
@pytest.mark.parametrize("templates", [[], [f"uid={{username}},{PEOPLE}", "cn={username},o=x"]])
async def test_what_active_directory_says(
    server: WireServer, templates: list[str], code: str, told: str | None
) -> None:
    """Also where the name is tried in another place after that."""
    dn = f"uid=user0,{PEOPLE}"
    server.comments = {dn: INVALID.format(code)}
    made = authenticator(server.port, bind_dn_template=templates)
    if told is None:
        assert await log_in(made, "user0", "wrong") is None
        return
    with pytest.raises(web.HTTPError, match=told) as refused:
        await log_in(made, "user0", "wrong")
    assert refused.value.status_code == 403


@pytest.mark.parametrize("mood", [Mood.GARBAGE, Mood.SILENT])
async def test_d31_server_that_fails(server: WireServer, mood: Mood) -> None:
    """The next server is asked; with none left, the login ends within the deadline."""
    async with WireServer(mood=mood) as broken:
        model = await log_in(authenticator(broken.port, server.port), "user0", "user0-pw")
        assert model["name"] == "user0"
        async with asyncio.timeout(4):
            with pytest.raises(web.HTTPError) as refused:
                await log_in(authenticator(broken.port), "user0", "user0-pw")
    assert refused.value.status_code == 503


async def test_first_of_three_servers_is_down(server: WireServer) -> None:
    async with WireServer() as gone:
        pass
    made = authenticator(gone.port, server.port, gone.port)
    assert (await log_in(made, "user0", "user0-pw"))["name"] == "user0"


async def test_server_that_hangs_is_waited_for_once(server: WireServer) -> None:
    """However many connections to it are kept from before."""
    wait = 2.0
    async with campus(people=3, groups=2) as second:
        second.passwords = {**second.passwords, HUB: "hub-pw"}
        made = authenticator(server.port, second.port, timeout=wait, deadline=20)
        await asyncio.gather(*(log_in(made, f"user{n}", f"user{n}-pw") for n in range(3)))
        server.mood = Mood.SILENT
        began = time.monotonic()
        for _ in range(2):
            assert await log_in(made, "user0", "user0-pw")
        assert wait <= time.monotonic() - began < 2 * wait


async def test_allowed_groups_are_dns_in_any_spelling(server: WireServer) -> None:
    spelled = "CN=Group1, OU=groups, DC=example, DC=org"
    other = "cn=group9,ou=groups,dc=example,dc=org"
    made = authenticator(server.port, allow_all=False, allowed_groups=[spelled, other])
    model = await log_in(made, "user0", "user0-pw")
    assert model["auth_state"]["ldap_groups"] == [spelled]
    made = authenticator(server.port, allow_all=False, allowed_groups=[other])
    assert await log_in(made, "user0", "user0-pw") is None


async def test_allowed_group_whose_dn_cannot_be_taken_apart(server: WireServer) -> None:
    groups = "ou=groups,dc=example,dc=org"
    theirs, other = rf"cn=x\ ,{groups}", rf"cn=other\ ,{groups}"
    group = server.entries[f"cn=group0,{groups}"]
    server.entries = {**server.entries, theirs: {**group, "cn": [b"x"]}}
    for allowed, is_in in ((theirs, True), (theirs.upper(), True), (other, False)):
        made = authenticator(server.port, allow_all=False, allowed_groups=[allowed])
        assert bool(await log_in(made, "user0", "user0-pw")) is is_in


async def test_allowed_group_outside_the_base(server: WireServer) -> None:
    dn = "cn=elsewhere,dc=example,dc=com"
    member = f"uid=user0,{PEOPLE}".encode()
    server.entries = {**server.entries, dn: {"objectClass": [b"other"], "member": [member]}}
    made = authenticator(server.port, allow_all=False, allowed_groups=[dn])
    assert await log_in(made, "user0", "user0-pw")
    assert await log_in(made, "user1", "user1-pw") is None


async def test_filter_of_ones_own_for_groups(server: WireServer) -> None:
    made = authenticator(
        server.port,
        manage_groups=True,
        group_search_filter="(&(cn=group1)(member={userdn}))",
    )
    assert (await log_in(made, "user0", "user0-pw"))["groups"] == ["group1"]


async def test_search_filter_must_find_the_person(server: WireServer) -> None:
    theirs = "(&({userattr}={username})(uidNumber=20000))"
    made = authenticator(server.port, search_filter=theirs)
    assert await log_in(made, "user0", "user0-pw")
    assert await log_in(made, "user1", "user1-pw") is None
    made = authenticator(server.port, search_filter="(uid=user1)")
    assert await log_in(made, "user0", "user0-pw") is None


@pytest.mark.parametrize("group", ["group0", "cn=GROUP0,ou=groups,dc=example,dc=org"])
async def test_admins_by_group(server: WireServer, group: str) -> None:
    made = authenticator(server.port, admin_groups={group}, allow_all=False)
    assert (await log_in(made, "user0", "user0-pw"))["admin"] is True
    made = authenticator(server.port, admin_groups={"other"}, admin_users={"user1"})
    assert (await log_in(made, "user0", "user0-pw"))["admin"] is False
    assert (await log_in(made, "user1", "user1-pw"))["admin"] is True


async def refresh(made: Any, state: Any = None) -> Any:
    return await made.refresh_user(User(auth_state=state))


async def test_refresh_says_what_is_so_now(server: WireServer) -> None:
    made = authenticator(server.port, manage_groups=True)
    state = (await log_in(made, "user0", "user0-pw"))["auth_state"]
    server.entries["cn=group0,ou=groups,dc=example,dc=org"]["member"] = [b"cn=nobody"]
    assert (await refresh(made, state))["groups"] == ["group1"]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("userAccountControl", b"514"), ("accountExpires", b"1"), ("nsAccountLock", b"TRUE")],
)
async def test_who_is_disabled_is_refused(server: WireServer, attribute: str, value: bytes) -> None:
    """Also by a server that goes on taking the password."""
    made = authenticator(server.port)
    assert await refresh(made)
    server.entries[f"uid=user0,{PEOPLE}"][attribute] = [value]
    assert await refresh(made) is False
    with pytest.raises(web.HTTPError) as refused:
        await log_in(made, "user0", "user0-pw")
    assert refused.value.status_code == 403


async def test_refresh_refuses_who_is_gone_or_no_longer_allowed(server: WireServer) -> None:
    group = "cn=group0,ou=groups,dc=example,dc=org"
    made = authenticator(server.port, allow_all=False, allowed_groups=[group])
    assert await refresh(made)
    server.entries[group]["member"] = [b"cn=nobody"]
    assert await refresh(made) is False
    made = authenticator(server.port)
    server.entries = {}
    assert await refresh(made) is False


async def test_name_that_has_gone_to_somebody_else(server: WireServer) -> None:
    entry = server.entries[f"uid=user0,{PEOPLE}"]
    entry["entryUUID"] = [b"11111111-0000-0000-0000-000000000000"]
    made = authenticator(server.port)
    state = (await log_in(made, "user0", "user0-pw"))["auth_state"]
    entry["entryUUID"] = [b"22222222-0000-0000-0000-000000000000"]
    assert await refresh(made, state) is False
    with pytest.raises(web.HTTPError, match="somebody else"):
        await log_in(made, "user0", "user0-pw", Handler(User(auth_state=state)))


@dataclass
class Handler:
    user: User

    def find_user(self, name: str) -> User:
        assert name == self.user.name
        return self.user


@pytest.mark.parametrize(("age", "goes_on"), [(60, True), (3600, False), (None, False)])
async def test_refresh_while_the_directory_is_down(age: float | None, goes_on: bool) -> None:
    async with WireServer() as gone:
        pass
    made = authenticator(gone.port, outage_grace=600)
    state = None if age is None else {VERIFIED_AT: time.time() - age}
    assert await refresh(made, state) is goes_on


@pytest.mark.parametrize("tries_again", [False, True])
async def test_outage_undoes_no_refusal(server: WireServer, tries_again: bool) -> None:
    """Nor does it after a login with the right password that was refused, too."""
    group = "cn=group0,ou=groups,dc=example,dc=org"
    made = authenticator(server.port, allow_all=False, allowed_groups=[group])
    state = (await log_in(made, "user0", "user0-pw"))["auth_state"]
    server.entries[group]["member"] = [b"cn=nobody"]
    assert await refresh(made, state) is False
    if tries_again:
        assert await log_in(made, "user0", "user0-pw") is None
    server.mood = Mood.GARBAGE
    assert await refresh(made, state) is False


async def test_a_login_that_is_refused_prolongs_no_grace(server: WireServer) -> None:
    group = "cn=group9,ou=groups,dc=example,dc=org"
    made = authenticator(server.port, allow_all=False, allowed_groups=[group], outage_grace=600)
    assert await log_in(made, "user0", "user0-pw") is None
    server.mood = Mood.GARBAGE
    assert await refresh(made, {VERIFIED_AT: time.time() - 3600}) is False


async def test_d31_slow_server_ends_the_login_in_time(server: WireServer) -> None:
    """Every answer comes in time, but all of them together do not."""
    server.delay = 0.3
    made = authenticator(server.port, deadline=1, manage_groups=True)
    with pytest.raises(web.HTTPError) as refused:
        await log_in(made, "user0", "user0-pw")
    assert refused.value.status_code == 503


async def test_many_refreshes_at_once_are_one(server: WireServer) -> None:
    made = authenticator(server.port)
    await refresh(made)
    before = len(server.asked)
    await refresh(made)
    once = len(server.asked) - before
    models = await asyncio.gather(*(refresh(made) for _ in range(20)))
    assert len(server.asked) - before == 2 * once
    assert len({id(model["auth_state"]) for model in models}) == 20, "hooks may change theirs"


async def test_without_an_account_of_the_hub_the_person_reads(server: WireServer) -> None:
    made = authenticator(
        server.port,
        lookup_dn=False,
        lookup_dn_search_user=None,
        bind_dn_template=["uid={username}," + PEOPLE],
        manage_groups=True,
    )
    assert (await log_in(made, "user0", "user0-pw"))["groups"] == ["group0", "group1"]
    assert await refresh(made) is True
    assert b"hub-pw" not in server.sent_passwords


def test_section_of_the_parent_is_applied_once() -> None:
    config = configured(1)
    config.LDAPAuthenticator.auth_state_attributes.append("mail")
    config.LDAPAuthenticator.admin_groups.add("lab")
    made = LDAPAuthenticator(config=config)
    assert made.auth_state_attributes == ["mail"]
    assert made.admin_groups == {"lab"}


@pytest.mark.parametrize(
    "traits", [{"server_address": "http://x"}, {"tls_kwargs": {"valid_names": ["x"]}}]
)
def test_configuration_that_cannot_be_followed(traits: dict[str, Any]) -> None:
    with pytest.raises(TraitError, match="LDAPAuthenticator"):
        authenticator(1, **traits)


@pytest.mark.parametrize(
    ("version", "newest"),
    [
        (None, ssl.TLSVersion.MAXIMUM_SUPPORTED),
        (ssl.PROTOCOL_TLS_CLIENT, ssl.TLSVersion.MAXIMUM_SUPPORTED),
        (ssl.PROTOCOL_TLSv1_2, ssl.TLSVersion.TLSv1_2),
        (ssl.PROTOCOL_TLSv1, ssl.TLSVersion.TLSv1_2),
    ],
)
def test_version_of_tls(version: Any, newest: ssl.TLSVersion) -> None:
    context = tls_context({"version": version})()
    assert context.maximum_version is newest
    assert context.verify_mode is ssl.CERT_REQUIRED
