"""Profiles as written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from slugify import slugify

from jhext.profiles.model import Choice, Option, Profile, UnlistedChoice, walk_options


def test_least_profile() -> None:
    profile = Profile.model_validate({"display_name": "Small server"})
    assert profile.slug == "small-server"
    assert not profile.has_rule
    assert profile.profile_options == {}


# No name holds a control, but YAML's blocks end with the end of a line.
CHARACTERS = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], include_characters="\n")
NAMES = st.text(CHARACTERS, max_size=20)


@given(name=NAMES)
def test_slug_is_made_as_kubespawner_makes_it(name: str) -> None:
    assert Profile.model_validate({"display_name": name}).slug == slugify(name)
    assert Profile.model_validate({"display_name": name, "slug": "own"}).slug == "own"


@pytest.mark.parametrize("text", ["Up to\n4 GB\n", "Up to\r\n4 GB\r\n", "Up to 4 GB"])
def test_what_people_see_may_have_several_lines(text: str) -> None:
    profile = Profile.model_validate({"display_name": text})
    assert profile.display_name == "Up to 4 GB"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"allow_groups": ["x"]}, id="no access key"),
        pytest.param({"descripton": "x"}, id="misspelt"),
        pytest.param({"display_name": 1}, id="number for a name"),
        pytest.param({"slug": False}, id="what YAML makes of no"),
        pytest.param({"default": "yes"}, id="text for a boolean"),
        pytest.param({"description": None}, id="null for text"),
        pytest.param({"kubespawner_override": None}, id="null for overrides"),
        pytest.param({"kubespawner_override": ["mem_limit"]}, id="list for overrides"),
        pytest.param({"profile_options": []}, id="list for options"),
        pytest.param({"profile_options": {"o": {}}}, id="option without a name"),
        pytest.param({"profile_options": {1: {"display_name": "O"}}}, id="number for an option"),
        pytest.param(
            {"profile_options": {"o": {"display_name": "O", "choices": {"c": {}}}}},
            id="choice without a name",
        ),
        pytest.param(
            {"profile_options": {"o": {"display_name": "O", "choices": ["c"]}}},
            id="list for choices",
        ),
        pytest.param(
            {"profile_options": {"o": {"display_name": "O", "choices": {False: {}}}}},
            id="boolean for a choice",
        ),
        pytest.param(
            {
                "profile_options": {
                    "o": {"display_name": "O", "unlisted_choice": {"validation_regex": "("}}
                }
            },
            id="no regular expression",
        ),
        pytest.param(
            {"profile_options": {"o": {"display_name": "O", "unlisted_choice": {"enabled": 1}}}},
            id="number for enabled",
        ),
    ],
)
def test_d57_what_does_not_fit_is_an_error(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Profile.model_validate({"display_name": "P", **change})


@pytest.mark.parametrize("model", [Profile, Option, Choice, UnlistedChoice])
def test_d57_keys_without_a_meaning(model: Any) -> None:
    known = {"display_name": "A"}
    context = {"extra_keys": frozenset({"icon", "allowed_teams", "display_name"})}
    model.model_validate({**known, "x-note": {"any": "thing"}})
    model.model_validate({**known, "icon": "cat"}, context=context)
    # A declared key is none that somebody meant as a rule, and takes no field away.
    with pytest.raises(ValidationError):
        model.model_validate({**known, "allowed_teams": ["x"]}, context=context)
    with pytest.raises(ValidationError):
        model.model_validate({"display_name": 1}, context=context)
    with pytest.raises(ValidationError):
        model.model_validate({**known, "icon": "cat"})


def test_access_keys_on_every_level() -> None:
    rules = {"allowed_groups": ["lab"], "block_if": "user == 'x'"}
    choice = {
        "display_name": "C",
        **rules,
        "profile_options": {"inner": {"display_name": "I", "unlisted_choice": rules}},
    }
    option = {"display_name": "O", "choices": {"c": choice}, "unlisted_choice": rules}
    profile = Profile.model_validate(
        {"display_name": "P", **rules, "profile_options": {"outer": option}}
    )
    levels = [profile]
    for _, _, found in walk_options(profile.profile_options):
        levels += [found.unlisted_choice, *found.choices.values()]  # type: ignore[list-item]
    assert [level.has_rule for level in levels] == [True, True, True, True]


def test_walk_options_gives_paths_and_keys() -> None:
    def option(**choices: Any) -> dict[str, Any]:
        return {"display_name": "O", "choices": choices}

    inner = {"display_name": "C", "profile_options": {"size": option(s={"display_name": "S"})}}
    profile = Profile.model_validate(
        {"display_name": "P", "profile_options": {"image": option(a=inner), "zone": option()}}
    )
    walked = [(path, key) for path, key, _ in walk_options(profile.profile_options)]
    assert walked == [
        ("profile_options.image", "image"),
        ("profile_options.image.choices.a.profile_options.size", "image--a--size"),
        ("profile_options.zone", "zone"),
    ]


def test_frozen() -> None:
    profile = Profile.model_validate({"display_name": "P"})
    with pytest.raises(ValidationError):
        profile.allow_all = True  # type: ignore[misc]


def test_json_schema_tells_every_key() -> None:
    schema = Profile.model_json_schema()
    assert set(schema["properties"]) == set(Profile.model_fields)
    for model in ("Option", "Choice", "UnlistedChoice"):
        assert schema["$defs"][model]["additionalProperties"] is False
