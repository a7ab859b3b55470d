"""Profiles in files: where they are looked for, and what is said about what is wrong."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from jhext.profiles.access import Person
from jhext.profiles.catalog import Policy
from jhext.profiles.lint import LintRules
from jhext.profiles.reading import Reading
from jhext.profiles.sources import Sources, Version, load

Load = Callable[..., Version]


def text(*slugs: str, more: str = "") -> str:
    lines = [f"- {{slug: {slug}, display_name: {slug.title()}, allow_all: true}}" for slug in slugs]
    return "\n".join(["profiles:", *lines, more])


@pytest.fixture
def load_from(lint_rules: LintRules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load sources from a folder with some files."""

    def load_from(files: Mapping[str, str], **sources: Any) -> Version:
        monkeypatch.chdir(tmp_path)
        for name, content in files.items():
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return load(Sources(**sources), lint_rules, Policy())

    return load_from


def slugs(version: Version) -> list[str]:
    assert not version.catalog.errors
    return [profile.slug for profile in version.catalog.profiles]


def test_all_sources_one_after_the_other(load_from: Load) -> None:
    files = {
        "jhext.yaml": text("settings", more="hub: {default_access: deny}"),
        "d/20-b.yml": text("second"),
        "d/10-a.yaml": text("first"),
        "d/notes.txt": "no profiles",
        "d/.hidden.yaml": "nothing: good",
        "one.yaml": text("one"),
    }
    version = load_from(
        files,
        listed=([{"display_name": "Listed", "allow_all": True}],),
        settings_file="jhext.yaml",
        profile_files=("one.yaml", "d"),
    )
    assert slugs(version) == ["listed", "settings", "one", "first", "second"]


def test_files_of_names_are_relative_to_the_file_that_names_them(
    load_from: Load, tmp_path: Path
) -> None:
    rules = f"allowed_users: {{file: lists/users}}, blocked_groups: {{file: {tmp_path}/groups}}"
    version = load_from(
        {
            "d/a.yaml": f"profiles: [{{display_name: A, {rules}}}]",
            "d/lists/users": "ada eve\n",
            "groups": '"Domain Guests"\n',
            "here": "ada",
        },
        profile_files=("d/a.yaml",),
        listed=([{"display_name": "B", "allowed_users": {"file": "here"}}],),
    )
    ada = Person("ada")
    guest = Person("ada", groups=frozenset({"Domain Guests"}))
    assert [item.profile.slug for item in version.catalog.permitted(ada)] == ["b", "a"]
    assert [item.profile.slug for item in version.catalog.permitted(guest)] == ["b"]


def test_profiles_extend_each_other_across_files(load_from: Load) -> None:
    base = "profiles: [{slug: base, abstract: true, allow_all: true, start_timeout: 5m}]"
    version = load_from(
        {"base.yaml": base, "a.yaml": "profiles: [{display_name: A, extends: base}]"},
        profile_files=("a.yaml", "base.yaml"),
    )
    assert slugs(version) == ["a"]
    assert version.catalog.profiles[0].kubespawner_override == {"start_timeout": 300}


FAULTS = [
    ("profiles: [\n", 2, "did not find expected node content"),
    ("", 1, "must be a mapping with a section profiles"),
    ("- a", 1, "must be a mapping with a section profiles"),
    ("profiles:\n", 1, "must be a list of profiles"),
    ("# nothing\nhub: {}\n", 2, "unknown section"),
    ("profile: []\n", 1, "did you mean 'profiles'?"),
    ("profiles:\n- a\n", 2, "must be a mapping, not str"),
    ("profiles:\n- display_name: A\n  slug: a\n  slug: b\n", 4, "the key 'slug' is written twice"),
    ("profiles:\n- slug: a\n  allow_all: true\n", 2, "display_name: is missing"),
    ("profiles:\n- display_name: A\n  alow_all: true\n", 3, "did you mean 'allow_all'?"),
    (
        "profiles:\n- display_name: A\n  kubespawner_override:\n    mem_limt: 1G\n",
        4,
        "did you mean 'mem_limit'?",
    ),
    (
        "profiles:\n- display_name: A\n  allow_all: true\n  profile_options:\n    a.b:\n"
        "      display_name: O\n      choices:\n        x:\n          display_nam: X\n",
        9,
        "did you mean 'display_name'?",
    ),
    (
        "profiles:\n- display_name: A\n  allowed_users: {file: none}\n",
        3,
        "none cannot be read: No such file",
    ),
    ("profiles:\n- display_name: A\n  allowed_users:\n    users: x\n", 3, "a list of names or"),
    ("profiles:\n- display_name: A\n  allow_all: true\n  node:\n    selektor: {}\n", 5, "selector"),
    (
        "profiles:\n- display_name: A\n  allow_all: true\n  start_timeout: 60\n"
        "  kubespawner_override: {start_timeout: 60}\n",
        4,
        "write it in one of the two places",
    ),
    ("profiles:\n- display_name: A\n  allow_all: true\n\n  extends: b\n", 5, "no profile has"),
    ("profiles:\n- display_name: A\n  allow_if: usr == 'a'\n", 3, "unknown variable usr"),
]


@pytest.mark.parametrize(("content", "line", "message"), FAULTS)
def test_d04_faults_have_their_line_and_make_the_version_unusable(
    load_from: Load, content: str, line: int, message: str
) -> None:
    """D-04: nothing of what was read is used without the rest."""
    files = {"a.yaml": content, "b.yaml": text("good")}
    version = load_from(files, profile_files=("b.yaml", "a.yaml"))
    assert any(
        (found.line, Path(found.file).parent) == (line, Path()) and message in str(found)
        for found in version.catalog.errors
    ), version.catalog.errors


def test_faults_below_a_shorthand_or_a_base_have_their_line(load_from: Load) -> None:
    base = (
        "profiles:\n- slug: base\n  abstract: true\n  default_url: /a\n  node:\n    selector: 5\n"
    )
    override = (
        "profiles:\n- slug: base\n  abstract: true\n  kubespawner_override:\n    mem_limt: 1G\n"
    )
    child = "profiles:\n- {display_name: A, extends: base, allow_all: true}\n"
    for content, line in ((base, 6), (override, 5)):
        version = load_from(
            {"a.yaml": child, "b.yaml": content}, profile_files=("a.yaml", "b.yaml")
        )
        assert {(found.file, found.line) for found in version.catalog.errors} >= {("b.yaml", line)}


def test_slugs_are_unique_across_all_sources(load_from: Load) -> None:
    files = {"jhext.yaml": text("a"), "a.yaml": text("b"), "b.yaml": text("c", "b")}
    (error,) = load_from(
        files, settings_file="jhext.yaml", profile_files=("a.yaml", "b.yaml")
    ).catalog.errors
    assert str(error) == (
        "error: b.yaml:3: profile 'b': slug: 'b' is taken in a.yaml:2: slugs are unique; "
        "give one of the two another slug"
    )


def test_missing_files_and_empty_folders(load_from: Load, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    version = load_from({}, profile_files=("none.yaml", "empty"), mapping_files=("none",))
    assert [(item.level, item.file, item.message) for item in version.catalog.findings] == [
        ("error", "none.yaml", "cannot be read: No such file or directory"),
        ("warning", "empty", "the folder holds no *.yaml and no *.yml"),
        ("error", "none", "cannot be read: No such file or directory"),
    ]


def test_mapping_files(load_from: Load) -> None:
    files = {
        "a.yaml": text("a"),
        "one": "ada:a\n!eve:a\n",
        "two": "eve:a\nada:none\n",
        "three": "x",
    }
    version = load_from(files, profile_files=("a.yaml",), mapping_files=("one", "two"))
    eve = version.catalog.find("a", Person("eve"))
    assert getattr(eve, "rule", None) == "mapping: one:2"
    assert [str(found) for found in version.catalog.findings] == [
        "warning: two:2: ada:none: never matches: no profile has this slug or display name; "
        "add such a profile, or take the line out"
    ]
    broken = load_from(files, profile_files=("a.yaml",), mapping_files=("one", "three"))
    assert [str(found) for found in broken.catalog.errors] == [
        "error: three:1: is not user:profile, @group:profile or *:profile; "
        "name both, with a colon between them; # begins a comment"
    ]


def test_the_version_is_that_of_the_content(load_from: Load) -> None:
    def version(**files: str) -> str:
        loaded = load_from(files, profile_files=("a",), mapping_files=("m",))
        return loaded.catalog.version

    before = version(a=text("a"), m="ada:a")
    assert version(a=text("a"), m="ada:a") == before
    assert len({before, version(a=text("b"), m="ada:a"), version(a=text("a"), m="eve:a")}) == 3


def test_files_that_change_all_the_time_give_no_version(
    load_from: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jhext.profiles.sources.time.sleep", lambda seconds: None)
    outcomes = itertools.chain([False, False], itertools.repeat(True))
    monkeypatch.setattr(Reading, "holds", property(lambda self: next(outcomes)))
    assert slugs(load_from({"a.yaml": text("a")}, profile_files=("a.yaml",))) == ["a"]
    monkeypatch.setattr(Reading, "holds", False)
    (error,) = load_from({}, profile_files=("a.yaml",)).catalog.errors
    assert "no version of them is whole" in error.message
