"""Rules and how they decide."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from jhext.profiles.access import Access, Decision, Person, decide

CLAIMS = {"affiliation": "staff", "level": 3, "teams": ["a", "b"]}
ANN = Person(user="ann", groups=frozenset({"lab", "/hpc/gpu"}), claims=CLAIMS)
ROOT = Person(user="root", admin=True)

ALLOW = Decision(True, "default", "the default allows")
DENY = Decision(False, "default", "the default denies")

# Each: the rules, what the default is, whether ann is allowed, and by which rule.
MATRIX: dict[str, tuple[dict[str, Any], Decision, bool, str]] = {
    "no rule, default allow": ({}, ALLOW, True, "default"),
    "no rule, default deny": ({}, DENY, False, "default"),
    "allow_all": ({"allow_all": True}, DENY, True, "allow_all"),
    "allow_all false is a rule nobody meets": ({"allow_all": False}, ALLOW, False, "no rule"),
    "her name": ({"allowed_users": ["ann"]}, DENY, True, "allowed_users: ann"),
    "another name": ({"allowed_users": ["bob"]}, ALLOW, False, "no rule"),
    "nobody": ({"allowed_users": []}, ALLOW, False, "no rule"),
    "no names written": ({"allowed_users": None}, ALLOW, False, "no rule"),
    "name in capitals": ({"allowed_users": ["Ann"]}, DENY, False, "no rule"),
    "part of her name": ({"allowed_users": ["an"]}, DENY, False, "no rule"),
    "name and blank": ({"allowed_users": ["ann "]}, DENY, False, "no rule"),
    "her group": ({"allowed_groups": ["x", "lab"]}, DENY, True, "allowed_groups: lab"),
    "first of her groups": (
        {"allowed_groups": ["lab", "/hpc/gpu"]},
        DENY,
        True,
        "allowed_groups: /hpc/gpu",
    ),
    "another group": ({"allowed_groups": ["x"]}, ALLOW, False, "no rule"),
    "d06 last part of her group": ({"allowed_groups": ["gpu"]}, DENY, False, "no rule"),
    "d06 last part with slash": ({"allowed_groups": ["/gpu"]}, DENY, False, "no rule"),
    "d06 group below hers": ({"allowed_groups": ["/hpc/gpu/x"]}, DENY, False, "no rule"),
    "d06 group above hers": ({"allowed_groups": ["/hpc"]}, DENY, False, "no rule"),
    "group in capitals": ({"allowed_groups": ["LAB"]}, DENY, False, "no rule"),
    "group named as the user": ({"allowed_groups": ["ann"]}, DENY, False, "no rule"),
    "group given as user": ({"allowed_users": ["lab"]}, DENY, False, "no rule"),
    "any rule is enough": (
        {"allowed_users": ["bob"], "allowed_groups": ["x"], "allow_if": "'lab' in groups"},
        DENY,
        True,
        "allow_if: 'lab' in groups",
    ),
    "allow_if true": (
        {"allow_if": "claims.level >= 3"},
        DENY,
        True,
        "allow_if: claims.level >= 3",
    ),
    "allow_if false": (
        {"allow_if": "claims.level > 3"},
        ALLOW,
        False,
        "allow_if: claims.level > 3",
    ),
    "allow_if of a missing claim": (
        {"allow_if": "claims.x == 1"},
        ALLOW,
        False,
        "allow_if: claims.x == 1",
    ),
    "allow_if is no boolean": (
        {"allow_if": "claims.level"},
        ALLOW,
        False,
        "allow_if: claims.level",
    ),
    "allow_if fails, another allows": (
        {"allow_if": "claims.x == 1", "allowed_groups": ["lab"]},
        DENY,
        True,
        "allowed_groups: lab",
    ),
    "blocked name": ({"blocked_users": ["ann"]}, ALLOW, False, "blocked_users: ann"),
    "blocked group": ({"blocked_groups": ["lab"]}, ALLOW, False, "blocked_groups: lab"),
    "block_if true": ({"block_if": "'lab' in groups"}, ALLOW, False, "block_if: 'lab' in groups"),
    "block_if false": ({"block_if": "'x' in groups"}, ALLOW, True, "default"),
    "block_if fails": ({"block_if": "claims.x == 1"}, ALLOW, False, "block_if: claims.x == 1"),
    "block_if is no boolean": (
        {"block_if": "claims.level"},
        ALLOW,
        False,
        "block_if: claims.level",
    ),
    "another is blocked": ({"blocked_users": ["bob"]}, ALLOW, True, "default"),
    "nobody is blocked": ({"blocked_users": [], "blocked_groups": None}, ALLOW, True, "default"),
    "blocking is no allowing": ({"blocked_users": ["bob"]}, DENY, False, "default"),
    "blocked wins over name": (
        {"allowed_users": ["ann"], "blocked_groups": ["lab"]},
        DENY,
        False,
        "blocked_groups: lab",
    ),
    "blocked wins over all": (
        {"allow_all": True, "blocked_users": ["ann"]},
        ALLOW,
        False,
        "blocked_users: ann",
    ),
    "staff but not interns": (
        {"allow_if": "claims.affiliation == 'staff'", "block_if": "'interns' in groups"},
        DENY,
        True,
        "allow_if: claims.affiliation == 'staff'",
    ),
}


@pytest.mark.parametrize(("rules", "default", "allowed", "rule"), MATRIX.values(), ids=MATRIX)
def test_matrix(rules: dict[str, Any], default: Decision, allowed: bool, rule: str) -> None:
    """D-06."""
    decision = decide(Access.model_validate(rules), ANN, default=default)
    assert (decision.allowed, decision.rule) == (allowed, rule)


@pytest.mark.parametrize(
    ("rules", "bypass", "allowed", "rule"),
    [
        pytest.param({}, False, False, "default", id="no bypass"),
        pytest.param({"allowed_users": ["x"]}, False, False, "no rule", id="no bypass of a rule"),
        pytest.param({}, True, True, "admin_bypass", id="bypass"),
        pytest.param({"allowed_users": ["x"]}, True, True, "admin_bypass", id="bypass of a rule"),
        pytest.param(
            {"blocked_users": ["root"]}, True, False, "blocked_users: root", id="blocked wins"
        ),
        pytest.param({"allow_if": "admin"}, False, True, "allow_if: admin", id="written down"),
    ],
)
def test_d05_admins(rules: dict[str, Any], bypass: bool, allowed: bool, rule: str) -> None:
    access = Access.model_validate(rules)
    decision = decide(access, ROOT, default=DENY, admin_bypass=bypass)
    assert (decision.allowed, decision.rule) == (allowed, rule)
    # The bypass is for admins only.
    assert not decide(Access(), ANN, default=DENY, admin_bypass=bypass).allowed


names = st.text(min_size=1, max_size=8)
some_names = st.none() | st.frozensets(st.sampled_from("abcABC/é"), max_size=3).map(list)
rules = st.fixed_dictionaries(
    {},
    optional={
        "allow_all": st.booleans(),
        "allowed_users": some_names,
        "allowed_groups": some_names,
        "allow_if": st.sampled_from(["true", "false", "claims.x", "claims.x == 1", "admin"]),
        "blocked_users": some_names,
        "blocked_groups": some_names,
        "block_if": st.sampled_from(["true", "false", "claims.x", "claims.x == 1", "admin"]),
    },
)
people = st.builds(
    Person,
    user=st.sampled_from("abcABC/é"),
    groups=st.frozensets(st.sampled_from("abcABC/é"), max_size=3),
    admin=st.booleans(),
    claims=st.sampled_from([{}, {"x": True}, {"x": 1}, {"x": "true"}]),
)
defaults = st.sampled_from([ALLOW, DENY])


@given(user=names, groups=st.frozensets(names, max_size=4))
def test_d05_no_name_is_special(user: str, groups: frozenset[str]) -> None:
    person = Person(user=user, groups=groups)
    assert not decide(Access(), person, default=DENY).allowed
    only_others = Access.model_validate({"allowed_users": [user + "x"]})
    assert not decide(only_others, person, default=ALLOW).allowed


@given(rule=names, group=names)
def test_d06_groups_are_compared_whole_and_exactly(rule: str, group: str) -> None:
    access = Access.model_validate({"allowed_groups": [rule]})
    blocking = Access.model_validate({"blocked_groups": [rule]})
    for held in (group, f"/a/{rule}", f"{rule}/", f"x{rule}", f"{rule}\n", rule.swapcase()):
        person = Person("u", frozenset({held}))
        assert decide(access, person, default=DENY).allowed == (held == rule)
        assert decide(blocking, person, default=ALLOW).allowed == (held != rule)


@given(rule=names, user=names)
def test_d12_users_are_compared_whole_and_exactly(rule: str, user: str) -> None:
    access = Access.model_validate({"allowed_users": [rule]})
    blocking = Access.model_validate({"blocked_users": [rule]})
    for name in (user, rule, f"{rule}x", f"x{rule}", f"{rule}\n", rule.swapcase()):
        assert decide(access, Person(name), default=DENY).allowed == (name == rule)
        assert decide(blocking, Person(name), default=ALLOW).allowed == (name != rule)


@given(rules=rules, person=people, default=defaults)
def test_d12_decisions_do_not_depend_on_what_names_are(
    rules: dict[str, Any], person: Person, default: Decision
) -> None:
    """Whoever is renamed everywhere has the same rights: no rule knows a name of its own."""

    def renamed(name: str) -> str:
        return f"{ord(name):o} of {name}"

    other_rules = {
        key: [renamed(name) for name in value] if isinstance(value, list) else value
        for key, value in rules.items()
    }
    other = Person(
        renamed(person.user),
        frozenset(map(renamed, person.groups)),
        admin=person.admin,
        claims=person.claims,
    )
    before = decide(Access.model_validate(rules), person, default=default)
    after = decide(Access.model_validate(other_rules), other, default=default)
    assert after.allowed == before.allowed
    assert after.rule.split(":")[0] == before.rule.split(":")[0]


@given(rules=rules, person=people, default=defaults, name=st.sampled_from("abcABC/é"))
def test_more_blocking_never_allows_and_more_allowing_never_denies(
    rules: dict[str, Any], person: Person, default: Decision, name: str
) -> None:
    def allowed(changed: dict[str, Any]) -> bool:
        return decide(Access.model_validate(changed), person, default=default).allowed

    def added(key: str) -> dict[str, Any]:
        return rules | {key: [*(rules.get(key) or []), name]}

    before = allowed(rules)
    for key in ("blocked_users", "blocked_groups"):
        assert allowed(added(key)) <= before
    for key in ("allowed_users", "allowed_groups"):
        # The first allowing rule ends the default, which may have allowed.
        has_allowing_rule = Access.model_validate(rules).has_allowing_rule
        assert not before or allowed(added(key)) or not has_allowing_rule


@given(rules=rules, person=people, default=defaults)
def test_blocked_means_no(rules: dict[str, Any], person: Person, default: Decision) -> None:
    blocked = rules | {"blocked_users": [person.user]}
    decision = decide(Access.model_validate(blocked), person, default=default, admin_bypass=True)
    assert not decision.allowed


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("allowed_users", "ann", id="a string is not its letters"),
        pytest.param("allowed_groups", {"lab": True}, id="mapping"),
        pytest.param("blocked_users", [1], id="number"),
        pytest.param("blocked_groups", [False], id="what YAML makes of no"),
        pytest.param("allowed_users", [None], id="null"),
        pytest.param("allowed_users", [""], id="empty name"),
        pytest.param("allowed_users", [["ann"]], id="list in a list"),
        pytest.param("allowed_users", 1, id="one number"),
        pytest.param("allow_all", "true", id="text for a boolean"),
        pytest.param("allow_all", 1, id="number for a boolean"),
        pytest.param("allow_all", None, id="null for a boolean"),
        pytest.param("allow_if", True, id="boolean for an expression"),
        pytest.param("allow_if", "user ==", id="no expression"),
        pytest.param("block_if", "", id="empty expression"),
        pytest.param("allow_groups", ["lab"], id="no access key"),
    ],
)
def test_faulty_rules_are_errors(key: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        Access.model_validate({key: value})


def test_names_may_come_in_any_collection() -> None:
    for names in (["a", "b"], ("a", "b"), {"a", "b"}, frozenset({"a", "b"})):
        assert Access.model_validate({"allowed_users": names}).allowed_users == {"a", "b"}


def test_rules_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Access().allow_all = True  # type: ignore[misc]


@pytest.mark.parametrize("key", ["allow_if", "block_if"])
def test_reasons_do_not_tell_claims(key: str) -> None:
    person = Person("ann", claims={"ssn": "078-05-1120"})
    decision = decide(Access.model_validate({key: "claims.ssn"}), person, default=ALLOW)
    assert not decision.allowed
    assert "078" not in decision.reason


@pytest.mark.parametrize("key", ["allow_if", "block_if"])
def test_claims_too_deep_for_the_evaluator_allow_nothing(key: str) -> None:
    """Its stack would overflow, which ends the whole process."""
    claims: dict[str, Any] = {}
    for _ in range(20_000):
        claims = {"inner": claims}
    access = Access.model_validate({key: "has(claims.x)"})
    assert not decide(access, Person("ann", claims=claims), default=ALLOW).allowed


def test_variables() -> None:
    assert set(ANN.variables) == {"user", "groups", "admin", "server_name", "claims", "now"}
    assert ANN.variables["groups"] == ["/hpc/gpu", "lab"]


def test_the_hours_of_a_rule_are_those_of_utc() -> None:
    """Whoever asks with a time of another zone gets the answer of the hub."""
    access = Access.model_validate({"allow_if": "now.getHours() >= 8"})
    berlin = timezone(timedelta(hours=2))
    for hour, allowed in ((9, False), (10, True)):
        person = Person("ann", now=datetime(2026, 10, 1, hour, tzinfo=berlin))
        default = Decision(True, "", "")
        assert decide(access, person, default=default).allowed is allowed
