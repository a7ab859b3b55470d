"""The spawner decides in one place, applies what it granted, and leaves nothing behind."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kubernetes_asyncio.client import V1Container, V1ObjectMeta, V1Pod
from tornado import web
from traitlets.config import Config

import jhext
from jhext import ProfileKubeSpawner
from jhext.errors import SpawnRefused
from jhext.refusal import Reason
from jhext.upstream import SpawnException

PROFILES = yaml.safe_load("""
- display_name: Small
  slug: small
  allowed_groups: [lab]
  kubespawner_override: {mem_limit: 1G, environment: {A: small, S: small}, cmd: [small]}
- display_name: GPU
  slug: gpu
  allow_if: "claims.role == 'staff' || 'gpu' in groups"
  blocked_users: [eve]
  kubespawner_override:
    environment: {A: gpu, G: gpu}
    extra_resource_limits: {nvidia.com/gpu: "1"}
    volumes: [{name: data}]
  profile_options:
    image:
      display_name: Image
      choices:
        std: {display_name: Standard, kubespawner_override: {image: "std:1", environment: {I: std}}}
        big: {display_name: Big, allowed_groups: [big], kubespawner_override: {image: "big:1"}}
      unlisted_choice:
        enabled: true
        validation_regex: ok/[a-z]+
        kubespawner_override: {image: "{value}"}
""")
GPU = {"profile": "gpu"}
TEXT = "image--unlisted-choice"
LAB_AND_GPU = ("lab", "gpu")


async def refusal_of(spawner: Any, options: Any = None) -> Any:
    if options is not None:
        spawner.user_options = options
    with pytest.raises(SpawnRefused) as refused:
        await spawner.load_user_options()
    return refused.value.refusal


async def granted_to(spawner: Any, options: Any = None) -> str:
    if options is not None:
        spawner.user_options = options
    await spawner.load_user_options()
    slug: str = spawner.get_state()["jhext"]["profile"]
    return slug


def overridden(spawner: Any) -> dict[str, Any]:
    names = ("mem_limit", "environment", "cmd", "extra_resource_limits", "volumes", "image")
    return copy.deepcopy({name: getattr(spawner, name) for name in names})


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
    profiles = [PROFILES[0] | {"default": True}, PROFILES[1]]
    assert await granted_to(make_spawner(profiles, groups=["gpu"], options={})) == "gpu"
    assert await granted_to(make_spawner(profiles, groups=LAB_AND_GPU, options={})) == "small"


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


async def test_tokens_are_no_claims(make_spawner: Any) -> None:
    rule = "has(claims.access_token) || has(claims.jhext) || has(claims.token_response)"
    spawner = make_spawner(
        [{"display_name": "P", "allow_if": rule}],
        auth_state={"access_token": "t", "token_response": {}, "jhext": {"claims": {}}},
        claims_key="oauth_user",
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


# Where profiles come from


def as_dict(profiles: Any) -> dict[str, Any]:
    return {f"key-{n}": profile for n, profile in enumerate(profiles)}


async def by_async_list(spawner: Any) -> Any:
    return PROFILES


async def by_async_dict(spawner: Any) -> Any:
    return as_dict(PROFILES)


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param(PROFILES, id="list"),
        pytest.param(tuple(PROFILES) and as_dict(PROFILES), id="dict"),
        pytest.param(lambda spawner: PROFILES, id="callable"),
        pytest.param(lambda spawner: tuple(PROFILES), id="callable gives a tuple"),
        pytest.param(lambda spawner: as_dict(PROFILES), id="callable gives a dict"),
        pytest.param(by_async_list, id="async callable"),
        pytest.param(by_async_dict, id="async callable gives a dict"),
    ],
)
async def test_f07_list_dict_and_callables(make_spawner: Any, listed: Any) -> None:
    spawner = make_spawner(listed, groups=["lab"])
    assert await granted_to(spawner, {}) == "small"
    assert (await refusal_of(spawner, GPU)).reason == Reason.PROFILE
    assert 'value="small"' in await spawner.get_options_form()


def failing(error: BaseException) -> Callable[[Any], Any]:
    def call(spawner: Any) -> Any:
        raise error

    return call


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param(lambda spawner: None, id="none"),
        pytest.param(lambda spawner: "small", id="text"),
        pytest.param(lambda spawner: {1: PROFILES[0], "a": PROFILES[0]}, id="mixed keys"),
        pytest.param(failing(RuntimeError("password=x")), id="error"),
        pytest.param(failing(KeyError("x")), id="key error"),
        pytest.param(failing(TimeoutError()), id="timeout"),
        pytest.param(failing(web.HTTPError(500, "password=x")), id="http 500"),
        pytest.param(failing(web.HTTPError(503, "%s %s", "x")), id="http 503"),
    ],
)
async def test_d04_policy_that_cannot_be_read_starts_nothing(
    make_spawner: Any, caplog: pytest.LogCaptureFixture, listed: Any
) -> None:
    spawner = make_spawner(listed, options={}, default_access="allow")
    refusal = await refusal_of(spawner)
    assert (refusal.reason, refusal.status_code) == (Reason.CONFIG, 503)
    assert "password" not in refusal.message
    assert "administrator" in refusal.message
    with pytest.raises(SpawnRefused) as refused:
        await spawner.get_options_form()
    assert refused.value.status_code == 503
    assert any(record.levelname in ("ERROR", "CRITICAL") for record in caplog.records)


async def test_list_that_contains_itself_is_a_fault(make_spawner: Any) -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert (await refusal_of(make_spawner(lambda spawner: endless), {})).status_code == 503


async def test_d04_faulty_profile_of_a_callable_is_left_out_and_logged_once(
    make_spawner: Any, caplog: pytest.LogCaptureFixture
) -> None:
    listed = [PROFILES[0], {"display_name": "Open", "allow_groups": ["nobody"]}]
    config = Config({"KubeSpawner": {"profile_list": lambda spawner: listed}})
    for _ in range(3):
        spawner = make_spawner(config=config, groups=["lab"], default_access="allow")
        assert await granted_to(spawner, {}) == "small"
        assert (await refusal_of(spawner, {"profile": "open"})).reason == Reason.PROFILE
    logged = [r for r in caplog.records if "allow_groups" in r.getMessage()]
    assert [record.levelname for record in logged] == ["CRITICAL"]


async def test_faulty_list_starts_nothing_and_is_logged_once(
    make_spawner: Any, caplog: pytest.LogCaptureFixture
) -> None:
    listed = [PROFILES[0], {"display_name": "Open", "allow_groups": ["nobody"]}]
    config = Config({"KubeSpawner": {"profile_list": listed}})
    for _ in range(3):
        spawner = make_spawner(config=config, groups=["lab"])
        refusal = await refusal_of(spawner, {"profile": "small"})
        assert (refusal.reason, refusal.status_code) == (Reason.CONFIG, 503)
        with pytest.raises(SpawnRefused) as refused:
            await spawner.get_options_form()
        assert refused.value.status_code == 503
        assert "allow_groups" not in refusal.message
    logged = [r for r in caplog.records if r.levelname == "CRITICAL"]
    assert len(logged) == 1
    assert "allow_groups" in logged[0].getMessage()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (web.HTTPError(403, "The term is over."), "The term is over."),
        (web.HTTPError(429, "%s servers at most", 3), "3 servers at most"),
        (web.HTTPError(409, "100% used"), "100% used"),
        (web.HTTPError(403, "%d", "x"), "You may not start a server."),
        (web.HTTPError(403), "You may not start a server."),
        (SpawnException("Too late.", reason="x", log_message="secret"), "Too late."),
    ],
    ids=["words", "arguments", "percent", "wrong arguments", "none", "text for the log"],
)
@pytest.mark.parametrize("where", ["profile_list", "override"])
async def test_refusals_of_callables_keep_their_words(
    make_spawner: Any, error: Exception, message: str, where: str
) -> None:
    override = {"kubespawner_override": {"image": "half:1", "mem_limit": failing(error)}}
    profiles = [{"display_name": "P", "allow_all": True, **override}]
    spawner = make_spawner(failing(error) if where == "profile_list" else profiles, options={})
    before = overridden(spawner)
    refusal = await refusal_of(spawner)
    assert (refusal.message, refusal.status_code) == (message, 403)
    assert overridden(spawner) == before


async def coroutine() -> str:
    return "x"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(failing(RuntimeError("password=x")), id="error"),
        pytest.param(lambda spawner: coroutine(), id="coroutine"),
        pytest.param(lambda spawner: object(), id="wrong type"),
    ],
)
async def test_callable_override_that_fails_leaves_nothing_applied(
    make_spawner: Any, value: Any
) -> None:
    override = {"image": "half:1", "environment": {"A": "1"}, "mem_limit": value}
    profiles = [{"display_name": "P", "allow_all": True, "kubespawner_override": override}]
    spawner = make_spawner(profiles, options={})
    before = overridden(spawner)
    refusal = await refusal_of(spawner)
    assert (refusal.reason, refusal.status_code) == (Reason.CONFIG, 503)
    assert "password" not in refusal.message
    assert overridden(spawner) == before


async def test_free_text_that_does_not_fit_the_trait_is_refused(make_spawner: Any) -> None:
    unlisted = {"enabled": True, "kubespawner_override": {"mem_limit": "{value}"}}
    option = {"memory": {"display_name": "Memory", "unlisted_choice": unlisted}}
    profiles = [{"display_name": "P", "allow_all": True, "profile_options": option}]
    spawner = make_spawner(profiles)
    assert await granted_to(spawner, {"memory--unlisted-choice": "2G"}) == "p"
    refusal = await refusal_of(spawner, {"memory--unlisted-choice": "a lot"})
    assert refusal.reason == Reason.OPTIONS
    assert spawner.mem_limit is None


# Nothing is left behind, nothing is shared


async def test_f06_profile_leaves_nothing_for_the_next(make_spawner: Any) -> None:
    """D-40."""
    spawner = make_spawner(PROFILES, groups=LAB_AND_GPU, environment={"A": "base", "B": "base"})
    base = overridden(spawner)
    await granted_to(spawner, GPU)
    with_gpu = overridden(spawner)
    assert with_gpu["environment"] == {"A": "gpu", "B": "base", "G": "gpu", "I": "std"}
    await granted_to(spawner, {"profile": "small"})
    assert spawner.environment == {"A": "small", "B": "base", "S": "small"}
    assert (spawner.extra_resource_limits, spawner.volumes) == ({}, base["volumes"])
    await granted_to(spawner, GPU)
    assert overridden(spawner) == with_gpu
    await refusal_of(spawner, {"profile": "gone"})
    assert overridden(spawner) == base
    await granted_to(spawner, GPU)
    spawner.clear_state()
    assert overridden(spawner) == base
    assert "jhext" not in spawner.get_state()


async def test_f06_what_hooks_set_stays(make_spawner: Any) -> None:
    """A reset of everything would take away what the hooks of this start have just set."""
    spawner = make_spawner(PROFILES, groups=LAB_AND_GPU)
    await granted_to(spawner, GPU)
    spawner.clear_state()
    spawner.environment["HOOK"] = "1"
    spawner.node_selector = {"hook": "1"}
    await granted_to(spawner, {"profile": "small"})
    assert spawner.environment == {"A": "small", "S": "small", "HOOK": "1"}
    assert spawner.node_selector == {"hook": "1"}
    await granted_to(spawner, GPU)
    assert spawner.environment["HOOK"] == "1"
    assert spawner.node_selector == {"hook": "1"}


async def test_d10_applied_once_in_a_start(make_spawner: Any) -> None:
    calls = []
    profiles = [
        {
            "display_name": "P",
            "allow_all": True,
            "kubespawner_override": {
                "volumes": [{"name": "profile"}],
                "image": lambda spawner: calls.append(1) or "x:1",  # type: ignore[func-returns-value]
            },
        }
    ]
    spawner = make_spawner(profiles, options={})
    await spawner.load_user_options()
    spawner.volumes.append({"name": "hook"})
    await spawner.load_user_options()
    assert spawner.volumes == [{"name": "profile"}, {"name": "hook"}]
    assert len(calls) == 1


async def test_d10_decided_by_another_rule_is_applied_once_too(make_spawner: Any) -> None:
    profiles = [
        {
            "display_name": "P",
            "allowed_users": ["ann"],
            "allow_all": False,
            "allow_if": "true",
            "kubespawner_override": {"volumes": [{"name": "profile"}]},
        }
    ]
    listed = copy.deepcopy(profiles)
    spawner = make_spawner(lambda spawner: listed, options={})
    await spawner.load_user_options()
    spawner.volumes.append({"name": "hook"})
    spawner.user.name = "bob"
    await spawner.load_user_options()
    assert spawner.volumes == [{"name": "profile"}, {"name": "hook"}]


async def test_d10_options_apply_after_the_profile(make_spawner: Any) -> None:
    profile = {
        "display_name": "P",
        "allow_all": True,
        "kubespawner_override": {"image": "p:1", "environment": {"A": "p", "B": "p"}},
        "profile_options": {
            "z": {
                "display_name": "Z",
                "choices": {
                    "c": {
                        "display_name": "C",
                        "kubespawner_override": {
                            "image": "z:1",
                            "environment": {"B": "z", "C": "z"},
                        },
                    }
                },
            },
            "a": {
                "display_name": "A",
                "choices": {
                    "c": {
                        "display_name": "C",
                        "kubespawner_override": {
                            "image": "a:1",
                            "environment": {"C": "a", "A": None},
                        },
                    }
                },
            },
        },
    }
    spawner = make_spawner([profile], options={})
    await spawner.load_user_options()
    assert (spawner.image, spawner.environment) == ("a:1", {"B": "z", "C": "a"})


async def test_d40_hundred_starts_change_nothing_that_is_configured(make_spawner: Any) -> None:
    config = Config()
    config.KubeSpawner.profile_list = copy.deepcopy(PROFILES)
    config.KubeSpawner.environment = {"BASE": "1"}
    config.KubeSpawner.volumes = [{"name": "base"}]
    before = repr(config)
    manifests: dict[Any, set[str]] = {}
    for n in range(100):
        groups = [("lab",), ("gpu",), LAB_AND_GPU][n % 3]
        spawner = make_spawner(config=config, user=f"user-{n}", groups=groups, options={})
        await spawner.load_user_options()
        seen = json.dumps(overridden(spawner), default=str)
        manifests.setdefault(groups, set()).add(seen)
        spawner.environment["USER"] = str(n)
        spawner.volumes.append({"name": str(n)})
        spawner.cmd.append(str(n)) if spawner.cmd else None
    assert repr(config) == before
    assert all(len(seen) == 1 for seen in manifests.values())


async def test_d40_objects_in_overrides_are_not_shared(make_spawner: Any) -> None:
    config = Config()
    container = V1Container(name="init", image="x:1", env=[])
    shared = {"nested": {"list": ["theirs"]}}
    config.KubeSpawner.profile_list = [
        {
            "display_name": "P",
            "allow_all": True,
            "kubespawner_override": {
                "init_containers": [container],
                "volumes": lambda spawner: shared["nested"]["list"],
                "lifecycle_hooks": lambda spawner: shared,
            },
        }
    ]
    ann, bob = (make_spawner(config=config, user=user, options={}) for user in ("ann", "bob"))
    await ann.load_user_options()
    ann.init_containers[0].env.append("ann's")
    ann.volumes.append("ann's")
    ann.lifecycle_hooks["nested"]["list"].append("ann's")
    await bob.load_user_options()
    assert bob.init_containers[0].env == []
    assert bob.volumes == ["theirs"]
    assert shared == {"nested": {"list": ["theirs"]}} == bob.lifecycle_hooks


async def test_d14_results_of_one_person_reach_no_other(make_spawner: Any) -> None:
    class Token(str):
        __slots__ = ()

        def __repr__(self) -> str:
            return "'***'"

    cached: list[dict[str, Any]] = [{"display_name": "P", "allow_all": True}]

    def own(spawner: Any) -> Any:
        # The same list, changed in place, as a careless cache would.
        name = spawner.user.name
        cached[0]["kubespawner_override"] = {"environment": {"T": Token(name)}}
        cached[1:] = [{"display_name": f"Of {name}", "allow_all": True}]
        return cached

    config = Config({"KubeSpawner": {"profile_list": own}})
    spawners = [make_spawner(config=config, user=user) for user in ("ann", "bob", "ann")]
    for spawner in spawners:
        name = spawner.user.name
        await granted_to(spawner, {"profile": "p"})
        assert spawner.environment == {"T": name}
        assert f"Of {name}" in await spawner.get_options_form()
    for spawner in spawners:
        other = "bob" if spawner.user.name == "ann" else "ann"
        assert (await refusal_of(spawner, {"profile": f"of-{other}"})).reason == Reason.PROFILE


async def test_d14_what_a_hook_allows_one_spawner_it_allows_no_other(make_spawner: Any) -> None:
    override = {"kubespawner_override": {"service_account": "admin"}}
    profiles = [{"display_name": "P", "allow_all": True, **override}]
    config = Config({"KubeSpawner": {"profile_list": profiles}})
    trusted = make_spawner(config=config, options={})
    trusted.allowed_sensitive_overrides = {"service_account"}
    assert await granted_to(trusted) == "p"
    assert (await refusal_of(make_spawner(config=config), {})).status_code == 503


async def test_one_list_for_all_spawners(make_spawner: Any) -> None:
    config = Config({"KubeSpawner": {"profile_list": copy.deepcopy(PROFILES)}})
    one, other = make_spawner(config=config), make_spawner(config=config)
    assert one.profile_list is other.profile_list
    with pytest.raises(TypeError, match="shared by all spawners"):
        one.profile_list[0]["allow_all"] = True
    assert copy.deepcopy(one.profile_list) == PROFILES


# What is remembered and sent


async def test_state_keeps_what_was_granted_over_a_restart(make_spawner: Any) -> None:
    spawner = make_spawner(PROFILES, groups=["gpu"], options={TEXT: "ok/x"})
    await spawner.load_user_options()
    state = json.loads(json.dumps(spawner.get_state()))
    assert state["jhext"]["profile"] == "gpu"
    assert state["jhext"]["choices"] == {TEXT: "ok/x"}
    assert state["jhext"]["policy"]
    restarted = make_spawner(PROFILES, groups=["gpu"], options={"profile": "small"})
    restarted.load_state(state)
    assert restarted.get_state()["jhext"] == state["jhext"]
    restarted.clear_state()
    assert "jhext" not in restarted.get_state()
    restarted.load_state({})
    assert "jhext" not in restarted.get_state()


async def test_labels_tell_what_was_granted(make_spawner: Any) -> None:
    profile = {"display_name": "Ünï/cödé", "slug": "Ünï/cödé", "allow_all": True}
    spawner = make_spawner([profile], user="Ann@example.org", name="lab", options={})
    await spawner.load_user_options()
    pod = V1Pod(metadata=V1ObjectMeta(labels={"keep": "1", "jhext.io/profile": "forged"}))
    for _ in range(2):
        pod = await spawner.before_pod_create(pod)
    labels = pod.metadata.labels
    assert labels["keep"] == "1"
    assert labels["jhext.io/server"] == "lab"
    assert labels["jhext.io/component"] == spawner.component_label
    for key in ("profile", "user"):
        value = labels[f"jhext.io/{key}"]
        assert value.isascii()
        assert value != "forged"
        assert len(value) <= 63


# The form


async def test_d48_stale_options_lead_to_the_form_with_a_message(make_spawner: Any) -> None:
    """F-10."""
    spawner = make_spawner(PROFILES, groups=["lab"], options={"profile": "gone"})
    html = await spawner.get_options_form()
    assert "no longer available" in html
    assert html.count(" checked") == 1
    spawner.user_options = {"profile": "small"}
    assert "no longer available" not in await spawner.get_options_form()


async def test_form_of_the_operator_wins_and_the_answer_is_the_same(make_spawner: Any) -> None:
    spawner = make_spawner(PROFILES, options_form="<input name='profile'>")
    assert await spawner.get_options_form() == "<input name='profile'>"
    assert (await refusal_of(spawner, {"profile": "small"})).reason == Reason.NONE_PERMITTED


async def test_templates_of_the_operator(make_spawner: Any, tmp_path: Any) -> None:
    inline = "{{ profile_list[0].display_name }}|{{ user_options.profile }}"
    traits = {"profile_form_template": inline, "groups": ["lab"]}
    profiles = [PROFILES[0] | {"display_name": "<b>Small</b>"}]
    spawner = make_spawner(profiles, {"profile": "small"}, **traits)
    assert await spawner.get_options_form() == "&lt;b&gt;Small&lt;/b&gt;|small"
    (tmp_path / "form.html").write_text("mine: {{ profile_list | length }}")
    paths = [str(tmp_path)]
    spawner = make_spawner(PROFILES, groups=["lab"], additional_profile_form_template_paths=paths)
    assert await spawner.get_options_form() == "mine: 1"


# Configuration


@pytest.mark.parametrize("section", ["Spawner", "KubeSpawner", "ProfileKubeSpawner"])
async def test_traits_may_stand_in_any_section_and_the_nearest_wins(
    make_spawner: Any, section: str
) -> None:
    config = Config()
    config.Spawner.default_access = "deny"
    config[section].default_access = "allow"
    config.KubeSpawner.profile_list = [{"display_name": "P"}]
    if section == "KubeSpawner":
        config.ProfileKubeSpawner.profile_list = [{"display_name": "Q"}]
    wanted = "q" if section == "KubeSpawner" else "p"
    assert await granted_to(make_spawner(config=config), {}) == wanted


async def test_appended_list_is_read_once(make_spawner: Any) -> None:
    config = Config()
    config.KubeSpawner.profile_list.append(PROFILES[0])
    config.KubeSpawner.profile_list.extend([PROFILES[1]])
    one, other = make_spawner(config=config), make_spawner(config=config, groups=["gpu"])
    assert one.profile_list is other.profile_list
    assert await granted_to(other, {}) == "gpu"


async def test_subclass_with_traits_and_callables_of_its_own(make_spawner: Any) -> None:
    class Mine(ProfileKubeSpawner):
        extra_profile_keys = {"colour"}

        async def load_user_options(self) -> None:
            await super().load_user_options()
            self.image = "mine:1"

    config = Config()
    config.KubeSpawner.profile_list = [{"display_name": "P", "allow_all": True, "colour": "red"}]
    config.Mine.default_access = "allow"
    spawner = make_spawner(config=config, kind=Mine)
    assert await granted_to(spawner, {}) == "p"
    assert spawner.image == "mine:1"
    # What a subclass lets pass, its parent does not.
    assert (await refusal_of(make_spawner(config=config), {})).status_code == 503


async def test_options_of_hooks_are_declared(make_spawner: Any) -> None:
    options = {"profile": "small", "repo": "x"}
    assert (await refusal_of(make_spawner(PROFILES, options, groups=["lab"]))).status_code == 403
    spawner = make_spawner(PROFILES, options, groups=["lab"], extra_user_options={"repo"})
    assert await granted_to(spawner) == "small"


async def test_jupyterhub_does_not_warn_of_options_and_hooks_of_operators_win(
    make_spawner: Any,
) -> None:
    spawner = make_spawner(PROFILES)
    assert spawner.apply_user_options(spawner, {"profile": "small"}) is None

    def mine(spawner: Any, options: Any) -> None:
        """Read options of its own."""

    assert make_spawner(PROFILES, apply_user_options=mine).apply_user_options is mine
