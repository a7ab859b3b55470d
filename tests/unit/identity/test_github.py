"""Identities from GitHub's numbers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.identity import names
from jhext.identity.build import build_resolver
from jhext.identity.errors import IdentityRefused
from jhext.identity.github import MAX_NAME, GitHubSource, group_name, hub_groups
from jhext.identity.settings import IdentitySettings
from jhext.identity.source import Person

USER = {"id": 583231, "login": "Octocat", "name": None, "email": "octocat@github.com"}
LAB = {"login": "Lab", "id": 900}
TEAM = {"id": 7, "slug": "GPU-users", "name": "GPU users", "organization": LAB}
STATE = {"github_user": USER, "teams": [TEAM], "organizations": [LAB]}

LOGINS = st.from_regex(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}", fullmatch=True)
SLUGS = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,60}", fullmatch=True)


async def ask(state: Any, **options: Any) -> Any:
    kinds = options.pop("groups", frozenset({"teams", "organizations"}))
    return await GitHubSource("github", kinds, **options).lookup(Person("octocat", state))


async def test_ids_are_githubs_own() -> None:
    assert await ask(STATE) == {
        "uid": 583231,
        "subject": "583231",
        "gecos": "Octocat",
        "email": "octocat@github.com",
        "groups": [{"name": "lab.gpu-users", "gid": 7}, {"name": "lab", "gid": 900}],
        "claims": {"login": "Octocat", "groups": ["lab", "lab:gpu-users"]},
    }


async def test_numbers_can_be_moved_apart() -> None:
    offsets = {"uid_offset": 1, "team_gid_offset": 100, "organization_gid_offset": 1000}
    answer = await ask(STATE, **offsets)
    assert answer["uid"] == 583232
    assert [group["gid"] for group in answer["groups"]] == [107, 1900]


@pytest.mark.parametrize(("kind", "gids"), [("teams", [7]), ("organizations", [900])])
async def test_only_the_kind_that_is_wanted(kind: str, gids: list[int]) -> None:
    answer = await ask(STATE, groups=frozenset({kind}))
    assert [group["gid"] for group in answer["groups"]] == gids


@pytest.mark.parametrize("state", [None, {}, {"github_user": None}, {"oauth_user": {"id": 1}}, []])
async def test_who_is_not_from_github_is_not_known(state: Any) -> None:
    assert await ask(state) is None


@pytest.mark.parametrize("number", [None, "583231", True, 0, -1, 1.5, [583231]])
async def test_d23_what_is_no_number_of_github_is_refused(number: Any) -> None:
    with pytest.raises(IdentityRefused):
        await ask({"github_user": {**USER, "id": number}})


@pytest.mark.parametrize("kind", ["teams", "organizations"])
@pytest.mark.parametrize("provides", [None, ["uid", "groups"], ["uid"]])
async def test_groups_that_nobody_has_asked_for_are_not_taken_for_none(
    kind: str, provides: list[str] | None
) -> None:
    source = {"type": "github", "groups": [kind], "provides": provides, "team_gid_offset": 1}
    settings = {"sources": [source], "user_private_groups": True, "unique_uid": "off"}
    resolver = build_resolver(IdentitySettings.model_validate(settings))
    person = Person("octocat", {"github_user": USER, kind: None})
    try:
        if provides == ["uid"]:
            assert (await resolver.resolve(person)).uid == 583231
            return
        with pytest.raises(IdentityRefused, match=f"no {kind} in auth_state"):
            await resolver.resolve(person)
    finally:
        await resolver.close()


@pytest.mark.parametrize("teams", [[None], [{}], [{"slug": "x"}], [{**TEAM, "id": "7"}]])
async def test_what_is_no_team_is_left_out(teams: Any) -> None:
    answer = await ask({**STATE, "teams": teams}, groups=frozenset({"teams"}))
    assert answer["groups"] == []


def test_groups_of_the_hub() -> None:
    assert hub_groups(STATE) == {"lab", "lab:gpu-users"}
    assert hub_groups({}) == set()


@given(one=st.tuples(LOGINS, SLUGS | st.just("")), other=st.tuples(LOGINS, SLUGS | st.just("")))
def test_d06_no_two_have_one_name(one: tuple[str, str], other: tuple[str, str]) -> None:
    same = [part.casefold() for part in one] == [part.casefold() for part in other]
    assert (group_name(*one) == group_name(*other)) is same


@given(LOGINS, SLUGS)
def test_a_name_is_short_and_the_same_each_time(login: str, slug: str) -> None:
    name = group_name(login, slug)
    assert len(name) <= MAX_NAME
    assert name == group_name(login.upper(), slug)
    if not name.isdigit():
        assert names.group_name(name) == name
