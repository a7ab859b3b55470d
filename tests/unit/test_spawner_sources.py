"""Where profiles come from, and what code of the operator may do wrong."""

from __future__ import annotations

from typing import Any

import pytest
from tornado import web
from traitlets.config import Config

from jhext.errors import SpawnRefused
from jhext.refusal import Reason
from jhext.upstream import SpawnException
from tests.unit.spawning import GPU, PROFILES, failing, granted_to, overridden, refusal_of

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


async def test_lists_that_are_made_anew_are_logged_once(
    make_spawner: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """No two of them are equal, since no two functions are."""

    def listed(spawner: Any) -> Any:
        if spawner.user.name == "bob":
            return 5
        image = {"image": lambda spawner: "x"}
        return [PROFILES[0] | {"kubespawner_override": image}, {"allow_groups": ["nobody"]}]

    config = Config({"KubeSpawner": {"profile_list": listed}})
    for _ in range(3):
        assert await granted_to(make_spawner(config=config, groups=["lab"]), {}) == "small"
        refusal = await refusal_of(make_spawner(config=config, user="bob"), {})
        assert refusal.status_code == 503
    logged = [r.getMessage() for r in caplog.records if r.levelname == "CRITICAL"]
    for text in ("allow_groups", "must be a list"):
        assert sum(text in message for message in logged) == 1


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
    status = error.status_code if error.status_code in (403, 409, 429) else 403
    assert (refusal.message, refusal.status_code) == (message, status)
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


async def test_a_start_that_ended_leaves_no_catalogue_for_the_next(make_spawner: Any) -> None:
    """Between its hooks and its decision a start may end; the next one asks for itself."""
    profiles = [{"display_name": "P", "allow_all": True}]
    spawner = make_spawner(lambda spawner: profiles, options={})
    await spawner.run_pre_spawn_hook()
    profiles[:] = []
    spawner.clear_state()
    assert (await refusal_of(spawner)).reason == "none_permitted"


PATIENT = {"display_name": "P", "allow_all": True, "kubespawner_override": {"start_timeout": 600}}


@pytest.mark.parametrize("source", [[PATIENT], lambda spawner: [PATIENT]])
async def test_a_profile_says_how_long_its_start_is_waited_for(
    make_spawner: Any, source: Any
) -> None:
    spawner = make_spawner(source, options={})
    for _ in range(2):  # once read, a list is known without waiting
        spawner.clear_state()
        assert spawner.start_timeout != 600
        await spawner.run_pre_spawn_hook()
        assert spawner.start_timeout == 600


async def test_a_list_that_says_nothing_of_it_makes_no_start_wait(make_spawner: Any) -> None:
    spawner = make_spawner([{"display_name": "P", "allow_all": True}], options={})
    await spawner.catalog()  # once read, it is known without waiting
    assert spawner.run_pre_spawn_hook() is None
    assert await granted_to(spawner) == "p"


async def test_a_faulty_list_that_a_hook_sets_is_refused_whole(make_spawner: Any) -> None:
    spawner = make_spawner([{"display_name": "P", "allow_all": True}], options={})
    spawner.profile_list = [
        {"display_name": "P", "allow_all": True},
        {"display_name": "Q", "allow_groups": ["x"]},
    ]
    assert (await refusal_of(spawner)).reason == "config"


async def test_a_form_that_is_refused_is_audited(make_spawner: Any, caplog: Any) -> None:
    spawner = make_spawner([{"display_name": "P", "allowed_users": ["nobody"]}], options={})
    spawner.log.propagate = True
    with pytest.raises(SpawnRefused), caplog.at_level("WARNING"):
        await spawner.get_options_form()
    assert "none_permitted" in caplog.text


@pytest.mark.parametrize("text", ["1e400", "inf", "nan"])
async def test_free_text_that_does_not_fit_is_the_persons(make_spawner: Any, text: str) -> None:
    option = {
        "display_name": "Memory",
        "unlisted_choice": {"enabled": True, "kubespawner_override": {"mem_limit": "{value}G"}},
    }
    profile = {"display_name": "P", "allow_all": True, "profile_options": {"memory": option}}
    spawner = make_spawner([profile], options={"memory--unlisted-choice": text})
    assert (await refusal_of(spawner)).reason == "options"
