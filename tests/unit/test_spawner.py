"""One place decides, with the same answer by every door."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from traitlets.config import Config

import jhext
from jhext import ProfileKubeSpawner
from jhext.errors import SpawnRefused
from jhext.refusal import Reason
from tests.unit.spawning import (
    GPU,
    LAB_AND_GPU,
    PROFILES,
    TEXT,
    granted_to,
    overridden,
    refusal_of,
)

# The same answer by every door


def by_form(spawner: Any, options: dict[str, str]) -> Any:
    slug = options.get("profile")
    fields = {
        key if key == "profile" else f"profile-option-{slug}--{key}": [value]
        for key, value in options.items()
    }
    return spawner.options_from_form(fields)


DOORS: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "form": (by_form, ""),
    "rest or stored": (lambda spawner, options: options, ""),
    "form of a named server": (by_form, "lab"),
    "rest of a named server": (lambda spawner, options: options, "lab"),
}
ASKED: dict[str, tuple[dict[str, str], str | Reason]] = {
    "theirs": ({"profile": "small"}, "small"),
    "theirs with a choice": (GPU | {"image": "std"}, "gpu"),
    "theirs with free text": (GPU | {TEXT: "ok/x"}, "gpu"),
    "choice of others": (GPU | {"image": "big"}, Reason.CHOICE),
    "unknown choice": (GPU | {"image": "x"}, Reason.CHOICE),
    "free text that does not match": (GPU | {TEXT: "ok/x@evil"}, Reason.OPTIONS),
    "option of another profile": ({"profile": "small", "image": "std"}, Reason.OPTIONS),
    "unknown profile": ({"profile": "gone"}, Reason.PROFILE),
}


@pytest.mark.parametrize(("door", "name"), DOORS.values(), ids=DOORS)
@pytest.mark.parametrize(("options", "answer"), ASKED.values(), ids=ASKED)
async def test_d01_d46_same_answer_by_every_door(
    make_spawner: Any, door: Any, name: str, options: Any, answer: str | Reason
) -> None:
    spawner = make_spawner(PROFILES, groups=LAB_AND_GPU, name=name)
    asked = door(spawner, options)
    if isinstance(answer, Reason):
        before = overridden(spawner)
        assert (await refusal_of(spawner, asked)).reason == answer
        assert overridden(spawner) == before
        assert "jhext" not in spawner.get_state()
    else:
        assert await granted_to(spawner, asked) == answer


async def test_d46_rules_see_the_name_of_the_server(make_spawner: Any) -> None:
    profiles = [{"display_name": "P", "allow_if": "server_name == 'lab'"}]
    assert await granted_to(make_spawner(profiles, name="lab")) == "p"
    for name in ("", "other"):
        assert (await refusal_of(make_spawner(profiles, name=name))).status_code == 403


async def test_d01_link_is_read_as_a_form(make_spawner: Any) -> None:
    spawner = make_spawner(PROFILES, groups=["gpu"])
    query = {"profile": ["gpu"], "profile-option-gpu--image": ["big"]}
    asked = spawner.options_from_query(query)
    assert (await refusal_of(spawner, asked)).reason == Reason.CHOICE


UNREAD: dict[str, dict[str, list[Any]]] = {
    "field of nothing": {"profile": ["small"], "uid": ["0"]},
    "field of nothing, and no profile": {"utm_source": ["mail"]},
    "option of no profile": {"profile-option-gpu--image": ["std"]},
    "option that is not there": {"profile": ["gpu"], "profile-option-gpu--gone": ["std"]},
    "choice of others by the name of the option": {"profile": ["gpu"], "image": ["big"]},
    "file": {"profile": ["small"], "data_file": [{"filename": "x", "body": b"x"}]},
}


@pytest.mark.parametrize("fields", UNREAD.values(), ids=UNREAD)
async def test_d01_fields_that_mean_nothing_are_refused(
    make_spawner: Any, fields: dict[str, list[Any]]
) -> None:
    spawner = make_spawner(PROFILES, groups=LAB_AND_GPU)
    for read in (spawner.run_options_from_form, spawner.options_from_query):
        options = read(fields)
        json.dumps(options)  # as JupyterHub stores them
        assert (await refusal_of(spawner, options)).reason in (Reason.OPTIONS, Reason.CHOICE)


async def test_fields_that_mean_something_to_others_are_not(make_spawner: Any) -> None:
    spawner = make_spawner(PROFILES, groups=LAB_AND_GPU, extra_user_options={"mail"})
    fields = {
        "profile": ["small"],
        "profile-option-gpu--image": ["std"],  # sent by a form without JavaScript
        **{name: ["x"] for name in ("_xsrf", "next", "display_name")},
        "mail": ["to me"],
    }
    options = spawner.run_options_from_form(fields)
    assert options == {"profile": "small", "mail": "to me"}
    assert await granted_to(spawner, options) == "small"


async def test_without_profiles_a_form_is_read_as_kubespawner_reads_it(make_spawner: Any) -> None:
    spawner = make_spawner(default_access="allow")
    assert spawner.run_options_from_form({"mine": ["x"]}) == {}


async def test_d48_what_was_refused_is_not_asked_for_again(make_spawner: Any) -> None:
    spawner = make_spawner(PROFILES, groups=LAB_AND_GPU)

    async def asks_for(options: dict[str, str]) -> None:
        spawner.user_options = spawner.orm_spawner.user_options = options  # as JupyterHub does

    await asks_for({"profile": "gone"})
    await refusal_of(spawner)
    assert spawner.orm_spawner.user_options == {}, "nothing was granted before"
    assert "no longer available" not in await spawner.get_options_form()
    await asks_for(GPU)
    assert await granted_to(spawner) == "gpu"
    await asks_for({"profile": "gone"})
    await refusal_of(spawner)
    assert spawner.orm_spawner.user_options == GPU
    spawner.user.groups = []
    await asks_for(GPU)
    await refusal_of(spawner)
    assert spawner.orm_spawner.user_options == GPU, "the form shall say that it has gone"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
user_options = json_values | st.dictionaries(
    st.sampled_from(["profile", "image", TEXT]) | st.text(max_size=3),
    st.sampled_from(["small", "gpu", "std", "big", "ok/x", ""]) | json_values,
    max_size=4,
)


@given(options=user_options)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
async def test_d01_any_json_is_granted_or_refused(make_spawner: Any, options: Any) -> None:
    for profiles, traits in ((PROFILES, {}), (None, {"default_access": "allow"})):
        spawner = make_spawner(profiles, groups=LAB_AND_GPU, options=options, **traits)
        try:
            await spawner.load_user_options()
        except SpawnRefused as refused:
            outcome = refused.status_code
        else:
            outcome = 200
        assert outcome in (200, 403)
        assert spawner.image in ("std:1", "ok/x", ProfileKubeSpawner.image.default_value)


async def test_d53_mixin_that_takes_an_image_from_the_options(make_spawner: Any) -> None:
    """BinderHub's mixin sets the image in ``start``; what it would read is refused before."""
    spawner = make_spawner(PROFILES, groups=["lab"])
    binder = {"image": "evil/x", "repo_url": "https://example.org", "token": "t"}
    assert (await refusal_of(spawner, binder)).reason == Reason.OPTIONS
    # A profile that lets people give the image is asked by its own rules.
    spawner = make_spawner(PROFILES, groups=["gpu"])
    assert (await refusal_of(spawner, GPU | {TEXT: "evil/x"})).reason == Reason.OPTIONS


# Nothing permitted, nothing configured

NOTHING: dict[str, Any] = {
    "none of the list": PROFILES,
    "callable gives an empty list": lambda spawner: [],
    "callable gives an empty dict": lambda spawner: {},
    "callable gives profiles of others": lambda spawner: PROFILES,
    "callable gives nothing but faults": lambda spawner: [{"display_name": "X", "allow": 1}],
}


@pytest.mark.parametrize("listed", NOTHING.values(), ids=NOTHING)
@pytest.mark.parametrize("default_access", ["deny", "allow"])
@pytest.mark.parametrize("options", [{}, {"profile": "small"}, {"image": "evil/x"}])
async def test_d03_nothing_permitted_starts_nothing(
    make_spawner: Any, listed: Any, default_access: str, options: Any
) -> None:
    """F-01: a callable that lists nothing would start the base configuration."""
    spawner = make_spawner(listed, options=options, default_access=default_access)
    before = overridden(spawner)
    refusal = await refusal_of(spawner)
    assert (refusal.reason, refusal.status_code) == (Reason.NONE_PERMITTED, 403)
    assert overridden(spawner) == before
    with pytest.raises(SpawnRefused) as refused:
        await spawner.get_options_form()
    assert refused.value.status_code == 403
    assert refused.value.jupyterhub_message == refusal.message


async def test_f02_default_among_the_permitted(make_spawner: Any) -> None:
    profiles = [PROFILES[0], PROFILES[1] | {"default": True}]
    assert await granted_to(make_spawner(profiles, groups=["lab"], options={})) == "small"
    assert await granted_to(make_spawner(profiles, groups=LAB_AND_GPU, options={})) == "gpu"


@pytest.mark.parametrize("traits", [{}, {"profile_list": []}, {"profile_list": {}}])
async def test_nothing_configured_is_a_fault_where_the_default_denies(
    make_spawner: Any, traits: dict[str, Any]
) -> None:
    spawner = make_spawner(**traits)
    assert (await refusal_of(spawner, {})).status_code == 503
    with pytest.raises(SpawnRefused) as refused:
        await spawner.get_options_form()
    assert refused.value.status_code == 503


@pytest.mark.parametrize("options", [{}, None, {"image": "x"}, {"profile": ""}])
async def test_nothing_configured_starts_the_base_where_the_default_allows(
    make_spawner: Any, options: Any
) -> None:
    spawner = make_spawner(default_access="allow")
    spawner.user_options = options
    before = overridden(spawner)
    await spawner.load_user_options()
    assert overridden(spawner) == before
    assert "jhext" not in spawner.get_state()
    assert await spawner.get_options_form() == ""


@pytest.mark.parametrize("options", [{"profile": "x"}, {"profile": ["x"]}, ["x"], "x", 1])
async def test_d48_odd_options_are_refused_where_nothing_is_configured(
    make_spawner: Any, options: Any
) -> None:
    spawner = make_spawner(default_access="allow")
    assert (await refusal_of(spawner, options)).status_code == 403


async def test_d03_empty_list_in_the_settings_starts_nothing(make_spawner: Any) -> None:
    config = Config()
    jhext.configure(config, {"profiles": [], "hub": {"default_access": "allow"}})
    refusal = await refusal_of(make_spawner(config=config), {})
    assert refusal.reason == Reason.NONE_PERMITTED


@pytest.mark.parametrize("emptied", [[], {}], ids=["list", "dict"])
async def test_d03_list_that_a_hook_empties_starts_nothing(make_spawner: Any, emptied: Any) -> None:
    spawner = make_spawner(PROFILES, groups=["lab"], default_access="allow")
    spawner.profile_list = emptied
    assert (await refusal_of(spawner, {})).reason == Reason.NONE_PERMITTED


# Who it is about


@pytest.mark.parametrize(
    "auth_state",
    [
        None,
        {},
        [],
        "text",
        7,
        {"jhext": None},
        {"jhext": []},
        {"jhext": {"claims": None}},
        {"jhext": {"claims": ["role"]}},
        {"jhext": {"claims": {"role": b"staff"}}},
        {"jhext": {"claims": {"role": 2**80}}},
        {"jhext": {"claims": {"other": "staff"}}},
        {"oauth_user": {"role": "staff"}},
    ],
    ids=repr,
)
async def test_d25_missing_or_odd_auth_state_denies(make_spawner: Any, auth_state: Any) -> None:
    spawner = make_spawner(PROFILES, groups=["lab"], auth_state=auth_state)
    assert (await refusal_of(spawner, GPU)).reason == Reason.PROFILE
    assert await granted_to(spawner, {}) == "small"


@pytest.mark.parametrize(
    ("auth_state", "claims_key"),
    [
        ({"jhext": {"claims": {"role": "staff"}}}, ""),
        ({"oauth_user": {"role": "staff"}}, "oauth_user"),
        ({"jhext": {"claims": {"role": "staff"}}, "oauth_user": {"role": "x"}}, "oauth_user"),
    ],
)
async def test_claims(make_spawner: Any, auth_state: Any, claims_key: str) -> None:
    spawner = make_spawner(PROFILES, auth_state=auth_state, claims_key=claims_key)
    assert await granted_to(spawner, GPU) == "gpu"


@pytest.mark.parametrize("claims_key", ["", "oauth_user", "token_response", "access_token"])
async def test_tokens_are_no_claims(make_spawner: Any, claims_key: str) -> None:
    rule = "claims.exists(name, name.contains('token') && name != 'token_type')"
    tokens = {"access_token": "t", "refresh_token": "t", "id_token": "t", "token_type": "bearer"}
    auth_state = {"access_token": "t", "token_response": tokens, "oauth_user": {"a": 1}}
    spawner = make_spawner(
        [{"display_name": "P", "allow_if": rule}], auth_state=auth_state, claims_key=claims_key
    )
    assert (await refusal_of(spawner, {})).status_code == 403


async def test_f03_rights_that_ended_bite_on_the_next_start(make_spawner: Any) -> None:
    spawner = make_spawner(PROFILES, groups=LAB_AND_GPU, options=dict(GPU))
    assert await granted_to(spawner) == "gpu"
    html = await spawner.get_options_form()
    spawner.user.groups.pop()
    # Also between the form and the start, and with the options of last time.
    assert (await refusal_of(spawner)).reason == Reason.PROFILE
    assert spawner.environment == {}
    assert 'value="gpu"' in html
    assert 'value="gpu"' not in await spawner.get_options_form()


async def test_d13_rights_in_the_hub_are_not_touched(make_spawner: Any) -> None:
    for profiles, status in (
        ([{"display_name": "P", "allow_all": True, "kubespawner_override": {"user": None}}], 503),
        ([{"display_name": "P", "allow_all": True, "kubespawner_override": {"image": "x"}}], 0),
    ):
        spawner = make_spawner(profiles, options={})
        user = spawner.user
        if status:
            assert (await refusal_of(spawner)).status_code == status
        else:
            await spawner.load_user_options()
        assert spawner.user is user
        assert not user.admin
        assert user.groups == []
