"""What entries and refusals say."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from jhext.identity.errors import IdentityRefused, IdentityUnavailable
from jhext.identity.ldap import filters, nested
from jhext.identity.ldap.access import Access, Server, Tls
from jhext.identity.ldap.active_directory import Slice, primary_group, slice_of
from jhext.identity.ldap.answer import ACTIVE_DIRECTORY, POSIX, answer_by_sid, answer_of
from jhext.identity.ldap.entry import DirectoryGroup, Entry
from jhext.identity.ldap.errors import TOLD, Cause, LoginRefused
from jhext.identity.ldap.layout import Layout, Nesting
from jhext.identity.ldap.messages import Found, Outcome, Search
from jhext.identity.ldap.names import own_name
from jhext.identity.ldap.pool import PENALTY, Rota
from jhext.identity.ldap.refusals import cause_of
from jhext.identity.ldap.standing import standing
from jhext.identity.sid import Slices

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SID = bytes.fromhex("010500000000000515000000a065cf7e784b9b5fe77c877050040000")
AD_TEXT = "80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data {}, v4563"


def entry(dn: str = "uid=ann,ou=people", name: str = "ann", **attributes: Any) -> Entry:
    def raw(value: Any) -> bytes:
        return value if isinstance(value, bytes) else str(value).encode()

    values = {
        key.lower(): tuple(map(raw, value if isinstance(value, list) else [value]))
        for key, value in attributes.items()
    }
    return Entry(dn, values, name)


@pytest.mark.parametrize(
    ("code", "text", "cause"),
    [
        (49, "", Cause.CREDENTIALS),
        (49, AD_TEXT.format("525"), Cause.CREDENTIALS),
        (49, AD_TEXT.format("52e"), Cause.CREDENTIALS),
        (49, AD_TEXT.format("530"), Cause.HOURS),
        (49, AD_TEXT.format("531"), Cause.HOURS),
        (49, AD_TEXT.format("532"), Cause.PASSWORD_EXPIRED),
        (49, AD_TEXT.format("533"), Cause.DISABLED),
        (49, AD_TEXT.format("701"), Cause.EXPIRED),
        (49, AD_TEXT.format("773"), Cause.PASSWORD_CHANGE),
        (49, AD_TEXT.format("775"), Cause.LOCKED),
        (49, AD_TEXT.format("999"), Cause.CREDENTIALS),
        (53, "Account inactivated. Contact system administrator.", Cause.DISABLED),
        (19, "Exceed password retry limit. Please try later.", Cause.LOCKED),
        (32, "", Cause.CREDENTIALS),
        (48, "", Cause.CREDENTIALS),
        (0, "", None),
        (8, AD_TEXT.format("533"), None),
        (80, "", None),
    ],
)
def test_why_a_login_was_refused(code: int, text: str, cause: Cause | None) -> None:
    assert cause_of(Outcome(code, text)) is cause


def test_every_cause_is_told_in_words() -> None:
    assert set(TOLD) == set(Cause)
    assert LoginRefused(Cause.LOCKED, "secret detail").told == TOLD[Cause.LOCKED]


@pytest.mark.parametrize(
    ("attributes", "cause"),
    [
        ({}, None),
        ({"userAccountControl": 512, "accountExpires": 0}, None),
        ({"userAccountControl": 66048, "accountExpires": 2**63 - 1}, None),
        ({"userAccountControl": 514}, Cause.DISABLED),
        ({"accountExpires": 1}, Cause.EXPIRED),
        ({"accountExpires": 134_116_992_000_000_000}, Cause.EXPIRED),  # NOW
        ({"accountExpires": 134_116_992_010_000_000}, None),  # a second later
        ({"accountExpires": 2**62}, None),
        ({"accountExpires": "soon"}, Cause.DISABLED),
        ({"userAccountControl": "0x2"}, Cause.DISABLED),
        ({"nsAccountLock": "TRUE"}, Cause.DISABLED),
        ({"nsAccountLock": "false"}, None),
        ({"pwdAccountLockedTime": "000001010000Z"}, Cause.LOCKED),
        ({"pwdAccountLockedTime": "20251231235959Z"}, None),
    ],
)
def test_whether_an_account_is_in_use(attributes: dict[str, Any], cause: Cause | None) -> None:
    assert standing(entry(**attributes), NOW) is cause


@pytest.mark.parametrize(
    ("dn", "values", "name"),
    [
        ("cn=x", ["ann"], "ann"),
        ("cn=x", [], None),
        ("cn=x", ["ann", "bob"], None),
        ("uid=ann,ou=people", ["bob", "ann"], "ann"),
        ("UID=Ann,ou=people", ["bob", "ann"], "ann"),
        ("cn=ann,ou=people", ["bob", "ann"], None),
        ("uid=ann+cn=x,ou=people", ["bob", "ann"], "ann"),
        ("not a dn", ["bob", "ann"], None),
    ],
)
def test_the_name_of_an_entry(dn: str, values: list[str], name: str | None) -> None:
    assert own_name(entry(dn, uid=values), "uid") == name


@pytest.mark.parametrize(
    ("attribute", "part"),
    [
        ("member", None),
        ("member;range=0-1499", Slice("member", 1499)),
        ("member;range=1500-*", Slice("member", None)),
        ("member;binary", None),
        ("member;range=x-y", None),
    ],
)
def test_parts_of_attributes(attribute: str, part: Slice | None) -> None:
    assert slice_of(attribute) == part
    assert part is None or part.last is None or part.following == "member;range=1500-*"


def test_the_primary_group_has_another_number() -> None:
    assert primary_group(SID, "513")[-4:] == b"\x01\x02\0\0"


def test_an_entry_as_json() -> None:
    made = entry(cn=["Ann", "Änn"], photo=b"\xff\xd8", guid=b"a\0b").to_json()
    assert made == {"cn": ["Ann", "Änn"], "photo": ["/9g="], "guid": ["YQBi"]}


def test_several_values_of_what_decides() -> None:
    with pytest.raises(IdentityRefused, match="2 values of uidNumber"):
        answer_of(entry(uidNumber=[1001, 1002]), (), POSIX)
    made = answer_of(entry(uidNumber=1001, mail=["b@x.org", "a@x.org"]), (), POSIX)
    assert (made["uid"], made["email"]) == ("1001", "a@x.org")


def test_an_answer_of_active_directory() -> None:
    guid = uuid.uuid4()
    ann = entry(
        objectGUID=guid.bytes_le, homeDirectory=r"\\files\ann", unixHomeDirectory="/nfs/ann"
    )
    groups = [DirectoryGroup("lab", "5001", "cn=lab"), DirectoryGroup("list", None, "cn=list")]
    made = answer_of(ann, groups, ACTIVE_DIRECTORY, ["objectGUID", "none"])
    assert (made["subject"], made["home"]) == (str(guid), "/nfs/ann")
    assert made["groups"] == [{"name": "lab", "gid": "5001"}]
    assert set(made["claims"]) == {"objectGUID"}


@pytest.mark.parametrize(
    "attributes",
    [{}, {"objectSid": b"x", "primaryGroupID": 513}, {"objectSid": SID}, {"primaryGroupID": 513}],
)
def test_no_ids_without_a_sid(attributes: dict[str, Any]) -> None:
    with pytest.raises(IdentityRefused, match="the SID of"):
        answer_by_sid(entry(uidNumber=1001, **attributes), (), {"uid": "1001"}, Slices())


async def test_groups_are_walked_once_each() -> None:
    """Every group is in the next one, and the last one is in the first."""
    layout = Layout(user_base="", group_base="", member_attributes=("member",))
    asked: list[Search] = []
    rings: Mapping[str, str] = {f"cn=g{n}": f"cn=g{(n + 1) % 5}" for n in range(5)}

    async def ask(question: Search) -> list[Found]:
        asked.append(question)
        return [Found(rings.get(f"cn=g{len(asked) - 2}", "cn=g0"), {})]

    found = await nested.groups_of(layout, entry(), ask)
    assert sorted(group.dn for group in found) == sorted(rings)
    assert len(asked) == 6
    assert all(0 < question.page_size <= 1000 for question in asked)


async def test_groups_without_an_end() -> None:
    layout = Layout(user_base="", group_base="")
    count = iter(range(1000))

    async def ask(_: Search) -> list[Found]:
        return [Found(f"cn=g{next(count)}", {})]

    with pytest.raises(IdentityUnavailable, match="more groups of groups"):
        await nested.groups_of(layout, entry(), ask)
    assert next(count) < 50


async def test_chain_leads_through_the_primary_group_too() -> None:
    layout = Layout(user_base="", group_base="", nesting=Nesting.IN_CHAIN)
    answers = {
        "objectSid": "cn=everybody",
        filters.in_chain("member", "cn=everybody"): "cn=around",
        filters.in_chain("member", entry().dn): "cn=direct",
    }

    async def ask(question: Search) -> list[Found]:
        return [Found(dn, {}) for part, dn in answers.items() if part in question.filter]

    person = entry(objectSid=SID, primaryGroupID="513")
    found = await nested.groups_of(layout, person, ask)
    assert {group.dn for group in found} == set(answers.values())


async def test_token_groups_that_cannot_be_read_are_not_no_groups() -> None:
    layout = Layout(user_base="", group_base="", nesting=Nesting.TOKEN_GROUPS)

    async def ask(_: Search) -> list[Found]:
        return [Found("cn=ann", {})]

    with pytest.raises(IdentityUnavailable, match="tokenGroups cannot be read"):
        await nested.groups_of(layout, entry(objectSid=SID), ask)


def test_the_order_of_servers() -> None:
    first, second, third = (Server(name, 636, Tls.ON_CONNECT) for name in "abc")
    now = [1000.0]
    rota = Rota((first, second, third), lambda: now[0])
    assert rota.in_order() == [first, second, third]
    rota.failed(first)
    assert rota.in_order() == [second, third, first]
    now[0] += PENALTY
    assert rota.in_order() == [first, second, third]
    rota.failed(first)
    rota.answered(first)
    assert rota.in_order() == [first, second, third]


def test_a_directory_without_servers_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="needs a server"):
        Access(servers=())


def test_the_password_is_in_no_repr() -> None:
    assert "hub-pw" not in repr(Access(servers=(Server("h", 1, Tls.NONE),), bind_password=str))
