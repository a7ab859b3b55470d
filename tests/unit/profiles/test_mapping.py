"""Mapping files: each line is read as it stands, and each is a rule beside those of the profile."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.profiles.access import Person
from jhext.profiles.build import build
from jhext.profiles.catalog import Catalog, Policy
from jhext.profiles.finding import ConfigurationError
from jhext.profiles.lint import LintRules
from jhext.profiles.mapping import MappingLine, parse_mapping

SEED1 = Path(__file__).parents[2] / "data" / "seed1" / "tcuser_profile_mappings"


def lines(text: str) -> list[MappingLine]:
    return list(parse_mapping(text.encode(), "users").lines)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("alice:gpu", ("user", "alice", "gpu", False)),
        ("alice:GPU: 2 cards", ("user", "alice", "GPU: 2 cards", False)),
        ("alice@example.org:gpu", ("user", "alice@example.org", "gpu", False)),
        ("  alice : gpu \t", ("user", "alice", "gpu", False)),
        ("alice:C# lab", ("user", "alice", "C# lab", False)),
        ("@lab:gpu:users:gpu", ("group", "lab:gpu:users", "gpu", False)),
        ("@/hpc/big mem:gpu", ("group", "/hpc/big mem", "gpu", False)),
        ("*:gpu", ("everybody", "", "gpu", False)),
        ("!alice:gpu", ("user", "alice", "gpu", True)),
        ("!@lab:gpu:gpu", ("group", "lab:gpu", "gpu", True)),
        ("ålice:größe", ("user", "ålice", "größe", False)),
    ],
)
def test_a_line(text: str, read: tuple[object, ...]) -> None:
    (line,) = lines(text)
    assert (line.kind, line.name, line.profile, line.deny) == read


def test_comments_blanks_marks_and_line_ends() -> None:
    text = "\ufeff# a comment\r\n\r\nalice:gpu\r\n  # bob:gpu\nbob:gpu"
    assert [(line.number, line.name) for line in lines(text)] == [(3, "alice"), (5, "bob")]


UNREADABLE = ["ali\u200bce:gpu", "ali\x00ce:gpu", "ali\rce:gpu"]
INCOMPLETE = ["alice", "alice:", ":gpu", "@lab", "@:gpu", "@lab:", "!", "!:gpu", "!*:gpu"]


@pytest.mark.parametrize("text", [*UNREADABLE, *INCOMPLETE])
def test_malformed_lines_are_errors(text: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        lines(f"alice:gpu\n{text}\nbob\n")
    assert [(found.level, found.line) for found in raised.value.findings] == [
        ("error", 2),
        ("error", 3),
    ]


def test_bytes_that_are_no_text_are_errors_of_their_line() -> None:
    with pytest.raises(ConfigurationError, match="users:2: is not UTF-8"):
        parse_mapping(b"alice:gpu\n\xff:gpu\n", "users")


NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1)
PLAIN = NAMES.filter(lambda name: name[0] not in "!@*#" and ":" not in name)


@given(
    st.one_of(
        st.builds(MappingLine, st.just(1), st.booleans(), st.just("user"), PLAIN, NAMES),
        st.builds(MappingLine, st.just(1), st.booleans(), st.just("group"), NAMES, PLAIN),
        st.builds(
            MappingLine, st.just(1), st.just(False), st.just("everybody"), st.just(""), NAMES
        ),
    )
)
def test_a_line_is_read_as_it_is_written(line: MappingLine) -> None:
    assert lines(str(line)) == [line]


# What the lines mean for profiles

PROFILES = [
    {"slug": "gpu", "display_name": "Big: GPU", "allowed_groups": ["staff"]},
    {"slug": "small", "display_name": "Small"},
    {"slug": "open", "display_name": "Open", "allow_all": True, "blocked_users": ["eve"]},
]


class Mapped:
    def __init__(self, rules: LintRules) -> None:
        self._rules = rules

    def catalog(self, text: str, policy: Policy | None = None) -> Catalog:
        files = [parse_mapping(text.encode(), "users")]
        return build(PROFILES, self._rules, policy or Policy(), mappings=files)

    def decision(self, text: str, slug: str, person: Person, **policy: str) -> tuple[bool, str]:
        catalog = self.catalog(text, Policy(**policy))  # type: ignore[arg-type]
        decisions = {item.slug: decision for item, decision in catalog.decisions(person)}
        found = decisions[slug]
        # The index must not hide what the decision allows.
        shown = {item.profile.slug for item in catalog.permitted(person)}
        assert found.allowed == (slug in shown)
        return found.allowed, found.rule


@pytest.fixture
def mapped(lint_rules: LintRules) -> Mapped:
    return Mapped(lint_rules)


ALICE = Person("alice")
STAFF = Person("alice", groups=frozenset({"staff", "lab:gpu"}))
EVE = Person("eve")


@pytest.mark.parametrize(
    ("text", "slug", "person", "allowed", "rule"),
    [
        ("alice:gpu", "gpu", ALICE, True, "mapping: users:1"),
        ("#\nalice:Big: GPU", "gpu", ALICE, True, "mapping: users:2"),
        ("bob:gpu", "gpu", ALICE, False, "no rule"),
        ("bob:small", "small", ALICE, False, "no rule"),
        ("", "small", ALICE, False, "default_access"),
        ("@lab:gpu:gpu", "gpu", STAFF, True, "mapping: users:1"),
        ("@lab:gpu:small", "small", STAFF, True, "mapping: users:1"),
        ("@gpu:gpu", "gpu", ALICE, False, "no rule"),
        ("bob:gpu", "gpu", STAFF, True, "allowed_groups: staff"),
        ("*:small", "small", ALICE, True, "mapping: users:1"),
        ("!alice:gpu", "gpu", STAFF, False, "mapping: users:1"),
        ("alice:gpu\n!alice:gpu", "gpu", ALICE, False, "mapping: users:2"),
        ("!@staff:Open\n!@staff:open", "open", STAFF, False, "mapping: users:2"),
        ("!bob:open", "open", ALICE, True, "allow_all"),
        ("eve:open", "open", EVE, False, "blocked_users: eve"),
        ("alice:gpu\nalice:gpu", "gpu", ALICE, True, "mapping: users:1"),
    ],
)
def test_grants_add_and_denies_win(
    mapped: Mapped, text: str, slug: str, person: Person, allowed: bool, rule: str
) -> None:
    assert mapped.decision(text, slug, person) == (allowed, rule)


def test_a_grant_is_a_rule_that_others_do_not_meet(mapped: Mapped) -> None:
    """Under `default_access: allow` as well: somebody is named, so the rest is not."""
    allow = {"default_access": "allow"}
    assert mapped.decision("", "small", ALICE, **allow) == (True, "default_access")
    assert mapped.decision("bob:small", "small", ALICE, **allow) == (False, "no rule")
    assert mapped.decision("!bob:small", "small", ALICE, **allow) == (True, "default_access")


def test_a_bypassing_admin_is_stopped_by_a_deny(mapped: Mapped) -> None:
    admin = Person("root", admin=True)
    catalog = mapped.catalog("!root:gpu", Policy(admin_bypass=True))
    assert [item.profile.slug for item in catalog.permitted(admin)] == ["small", "open"]


@pytest.mark.parametrize(
    ("text", "level", "message"),
    [
        ("alice:none", "warning", "alice:none: never matches: no profile has this slug or"),
        ("alice:smal", "warning", "slug or display name; did you mean 'small'?"),
        ("@staff:Small", "warning", "profile has this slug; did you mean 'small'?"),
        ("!alice:none", "warning", "never matches"),
        ("Alice:gpu", "warning", "JupyterHub's names are lower case; write 'alice'"),
    ],
)
def test_lines_that_never_match_are_reported(
    mapped: Mapped, text: str, level: str, message: str
) -> None:
    found = [item for item in mapped.catalog(f"\n{text}").findings if item.file]
    assert [(item.level, item.file, item.line) for item in found] == [(level, "users", 2)]
    assert message in str(found[0])


def test_d07_a_display_name_of_two_profiles_is_an_error(lint_rules: LintRules) -> None:
    """D-07: rights go by slug, and a name that could mean two means none."""
    twins = [{"slug": slug, "display_name": "Twin"} for slug in ("one", "two")]
    files = [parse_mapping(b"!alice:Twin", "users")]
    catalog = build(twins, lint_rules, Policy("allow"), mappings=files)
    assert "could be any of one, two; write the slug" in str(catalog.errors[0])


def test_a_slug_comes_before_a_display_name(lint_rules: LintRules) -> None:
    profiles = [
        {"slug": "a", "display_name": "b"},
        {"slug": "b", "display_name": "a"},
    ]
    catalog = build(profiles, lint_rules, Policy(), mappings=[parse_mapping(b"alice:a", "users")])
    assert [item.profile.slug for item in catalog.permitted(ALICE)] == ["a"]


def test_a_profile_that_only_a_mapping_grants_is_not_called_unusable(mapped: Mapped) -> None:
    def unusable(text: str) -> list[str]:
        return [item.where for item in mapped.catalog(text).findings if "nobody" in item.message]

    assert unusable("") == ["profile 'small'"]
    assert unusable("alice:small") == []
    assert unusable("!alice:small") == ["profile 'small'"]


# Seed 1's own file


def test_seed1_file_byte_for_byte() -> None:
    read = parse_mapping(SEED1.read_bytes(), "tcuser_profile_mappings")
    assert [(line.number, line.name, line.profile) for line in read.lines] == [
        (4, "user1", "notebook-cpu-type1"),
        (5, "user1", "notebook-cpu-type2"),
        (6, "user2", "notebook-cpu-type2"),
        (7, "user3", "notebook-cpu-type2"),
        (8, "user3", "notebook-cpu-type3"),
        (9, "user4", "notebook-gpu-type0"),
    ]
    assert read.lines[0].meaning == "user 'user1' may start 'notebook-cpu-type1'"


def test_seed1_people_have_what_its_file_says(lint_rules: LintRules) -> None:
    profiles = [
        {"display_name": f"notebook-cpu-type{n}", **({"allow_all": True} if n == 0 else {})}
        for n in range(4)
    ]
    read = parse_mapping(SEED1.read_bytes(), "tcuser_profile_mappings")
    catalog = build(profiles, lint_rules, Policy(), mappings=[read])
    granted = {
        name: [item.profile.slug[-5:] for item in catalog.permitted(Person(name))]
        for name in ("user1", "user2", "user3", "user4", "stranger")
    }
    assert granted == {
        "user1": ["type0", "type1", "type2"],
        "user2": ["type0", "type2"],
        "user3": ["type0", "type2", "type3"],
        "user4": ["type0"],
        "stranger": ["type0"],
    }
    assert [(item.level, item.line) for item in catalog.findings] == [("warning", 9)]
