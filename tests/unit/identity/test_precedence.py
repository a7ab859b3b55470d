"""Several answers become one identity, field by field."""

from datetime import UTC, datetime
from typing import Any

import pytest

from jhext.identity.errors import IdentityRefused, Reason
from jhext.identity.ids import IdRules
from jhext.identity.model import Group
from jhext.identity.precedence import Combined, Rules, combine
from jhext.identity.source import Answer

NOW = datetime(2026, 1, 2, tzinfo=UTC)
IDS = {"uid": 1001, "gid": 2001}


def combined(*answers: Answer, person: str = "ann", **rules: Any) -> Combined:
    named = [(f"s{number}", answer) for number, answer in enumerate(answers, 1)]
    return combine(person, named, Rules(**rules), NOW)


@pytest.mark.parametrize(
    ("field", "first", "second"),
    [
        ("username", "annie", "anna"),
        ("uid", 1001, 1002),
        ("gid", 2001, 2002),
        ("home", "/a", "/b"),
        ("shell", "/bin/zsh", "/bin/sh"),
        ("gecos", "Ann", "Anna"),
        ("email", "a@x.org", "b@x.org"),
        ("claims", {"a": 1}, {"b": 2}),
    ],
)
def test_the_first_source_that_gives_a_field_decides_it(
    field: str, first: Any, second: Any
) -> None:
    both = combined({field: first}, {**IDS, field: second})
    assert getattr(both.identity, field) == first
    assert both.identity.sources[field] == "s1"
    for nothing in ({}, {field: None}, {field: ""}):
        later = combined(nothing, {**IDS, field: second})
        assert getattr(later.identity, field) == second
        assert later.identity.sources[field] == "s2"


def test_the_name_of_the_hub_is_the_last_resort() -> None:
    assert combined(IDS).identity.username == "ann"
    assert combined(IDS).identity.sources["username"] == "the hub"
    assert combined({**IDS, "username": "x"}, person="Ann Lee:").identity.username == "x"


@pytest.mark.parametrize(
    ("answer", "reason", "why"),
    [
        ({"gid": 2001}, Reason.MISSING, "a uid"),
        ({"uid": 1001}, Reason.MISSING, "a gid"),
        ({**IDS, "uid": 0}, Reason.INVALID, "0 is root"),
        ({**IDS, "uid": False}, Reason.INVALID, "not a whole decimal number"),
        ({**IDS, "gid": "1e3"}, Reason.INVALID, "gid of 'ann' from s1"),
        ({**IDS, "username": "a:b"}, Reason.INVALID, "no name"),
        ({**IDS, "home": "home"}, Reason.INVALID, "no absolute path"),
        ({**IDS, "claims": [1]}, Reason.INVALID, "not an object"),
        ({**IDS, "claims": {"a": float("nan")}}, Reason.INVALID, "JSON"),
        ({**IDS, "claims": {"a": object()}}, Reason.INVALID, "JSON"),
        ({**IDS, "claims": {"a": "\ud800"}}, Reason.INVALID, "JSON"),
        ({**IDS, "claims": {"a": "x" * 70_000}}, Reason.INVALID, "at most"),
        ({**IDS, "groups": "lab"}, Reason.INVALID, "neither a mapping"),
        ({**IDS, "groups": ["lab"]}, Reason.INVALID, "neither a mapping"),
        ({**IDS, "subject": [1]}, Reason.INVALID, "no id of a person"),
    ],
)
def test_d23_a_person_with_a_bad_field_is_refused(answer: Answer, reason: Reason, why: str) -> None:
    with pytest.raises(IdentityRefused, match=why) as refused:
        combined(answer)
    assert refused.value.reason is reason


def test_a_bad_value_is_not_made_good_by_the_next_source() -> None:
    with pytest.raises(IdentityRefused, match="0 is root"):
        combined({"uid": 0}, IDS)


def test_d25_a_person_whom_nobody_knows_is_refused() -> None:
    with pytest.raises(IdentityRefused) as refused:
        combined()
    assert refused.value.reason is Reason.UNKNOWN


def test_a_name_of_the_hub_that_unix_cannot_use_is_refused() -> None:
    with pytest.raises(IdentityRefused, match="from the hub"):
        combined(IDS, person="Ann Lee")


@pytest.mark.parametrize("field", ["home", "email", "groups", "claims", "gecos"])
def test_required_fields_must_be_there(field: str) -> None:
    with pytest.raises(IdentityRefused, match=f"a {field}"):
        combined(IDS, required=frozenset({field}))


def test_groups_of_all_sources_count_unless_they_contradict() -> None:
    outcome = combined(
        {**IDS, "groups": {"lab": 5001, "staff": "5002"}},
        {"groups": [{"name": "gpu", "gid": 5003}, {"name": "lab", "gid": 5001}]},
        {"groups": {"lab": 6001, "other": 5002, "ok": 5004}},
    )
    assert outcome.identity.groups == (
        Group("lab", 5001),
        Group("staff", 5002),
        Group("gpu", 5003),
        Group("ok", 5004),
    )
    assert outcome.identity.sources["groups"] == "s1, s2, s3"
    assert len(outcome.notes) == 2
    assert "group lab left out: two gids" in outcome.notes[0]
    assert "group other left out: gid of staff" in outcome.notes[1]


@pytest.mark.parametrize(
    "group",
    [
        {"name": "x"},
        {"name": "x", "gid": None},
        {"name": "x", "gid": 0},
        {"name": "x", "gid": "1e3"},
        {"name": "x", "gid": [5001]},
        {"name": "a:b", "gid": 5001},
        {"name": "root", "gid": 5001},
        {"name": ["x"], "gid": 5001},
        {"gid": 5001},
    ],
)
def test_a_bad_group_is_left_out_and_noted(group: Any) -> None:
    outcome = combined({**IDS, "groups": [group, {"name": "lab", "gid": 5009}]})
    assert outcome.identity.groups == (Group("lab", 5009),)
    assert len(outcome.notes) == 1
    assert "left out" in outcome.notes[0]


def test_user_private_groups_give_a_gid_and_its_name() -> None:
    identity = combined({"uid": 1001}, user_private_groups=True).identity
    assert (identity.gid, identity.groups) == (1001, (Group("ann", 1001),))
    assert identity.sources["gid"] == "user_private_groups"


def test_a_private_group_takes_nobodys_name_or_number() -> None:
    named = combined({"uid": 1001, "groups": {"ann": 7000}}, user_private_groups=True)
    assert named.identity.groups == (Group("ann", 7000),)
    numbered = combined({"uid": 1001, "groups": {"team": 1001}}, user_private_groups=True)
    assert numbered.identity.groups == (Group("team", 1001),)


def test_a_given_gid_comes_before_the_private_group() -> None:
    identity = combined(IDS, user_private_groups=True).identity
    assert (identity.gid, identity.groups) == (2001, ())


def test_a_private_gid_has_to_follow_the_rules_of_gids() -> None:
    with pytest.raises(IdentityRefused, match="gid of 'ann'"):
        combined({"uid": 1001}, user_private_groups=True, ids=IdRules(min_gid=5000))


@pytest.mark.parametrize("shell", ["/sbin/nologin", "", None])
def test_no_shell_means_the_default_without_a_note(shell: Any) -> None:
    outcome = combined({**IDS, "shell": shell}, default_shell="/bin/zsh")
    assert (outcome.identity.shell, outcome.notes) == ("/bin/zsh", ())


def test_bad_shells_and_addresses_are_passed_over_and_noted() -> None:
    outcome = combined(
        {**IDS, "shell": "x y", "email": "none"}, {"shell": "/bin/sh", "email": "a@x.org"}
    )
    assert (outcome.identity.shell, outcome.identity.email) == ("/bin/sh", "a@x.org")
    assert len(outcome.notes) == 2


def test_the_subject_is_that_of_the_source_of_the_uid() -> None:
    assert combined({"subject": "x"}, {**IDS, "subject": "y"}).identity.subject == "y"
    assert combined({"subject": "x"}, IDS).identity.subject is None
    assert combined({**IDS, "subject": 17}).identity.subject == "17"


def test_unknown_fields_and_groups_beyond_nfs_are_noted() -> None:
    groups = {f"g{gid}": gid for gid in range(3001, 3019)}
    outcome = combined({**IDS, "groups": groups, "uidNumber": 1})
    assert any("'uidNumber'" in note for note in outcome.notes)
    assert any("g3017 (3017), g3018 (3018)" in note for note in outcome.notes)


def test_claims_are_a_copy() -> None:
    claims = {"a": [1]}
    identity = combined({**IDS, "claims": claims}).identity
    claims["a"].append(2)
    assert identity.claims == {"a": [1]}
