"""The seams of KubeSpawner, JupyterHub and traitlets that jhext stands on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import jupyterhub.spawner
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kubespawner import KubeSpawner
from tornado import web
from traitlets import Unicode

from jhext import ProfileKubeSpawner, upstream
from jhext.upstream import (
    REFUSALS_COUNT_AS_FAILURES,
    SpawnException,
    format_free_text,
    overridable_traits,
)

KINDS = (KubeSpawner, ProfileKubeSpawner)


def test_private_names_exist() -> None:
    for name in (
        "_apply_overrides",
        "_expand_user_properties",
        "_find_my_config",
        "_make_create_pod_request",
        "_sorted_dict_values",
        "_start",
    ):
        assert callable(getattr(KubeSpawner, name)), name


@pytest.mark.parametrize(
    ("pending", "counted", "handler", "after"),
    [
        ("spawn", True, True, 4),
        ("spawn", False, True, 5),
        (None, True, True, 5),
        ("stop", True, True, 5),
        ("spawn", True, False, 5),
    ],
)
def test_refusal_is_taken_out_of_the_count_of_failures(
    monkeypatch: pytest.MonkeyPatch, pending: Any, counted: bool, handler: bool, after: int
) -> None:
    monkeypatch.setattr(upstream, "REFUSALS_COUNT_AS_FAILURES", counted)
    hub = SimpleNamespace(settings={"failure_count": 5})
    spawner = SimpleNamespace(handler=hub if handler else None, pending=pending)
    upstream.forget_failure(spawner)
    upstream.forget_failure(spawner)  # once for each start, however often it is refused
    assert hub.settings["failure_count"] == after


def test_which_jupyterhub_counts_refusals() -> None:
    assert hasattr(jupyterhub.spawner, "SpawnException") != REFUSALS_COUNT_AS_FAILURES
    error = SpawnException("No.", reason="policy", message_html="<b>No.</b>", status_code=403)
    assert isinstance(error, web.HTTPError)
    assert (error.status_code, error.reason, error.message) == (403, "policy", "No.")


def test_d13_traits_that_no_profile_overrides() -> None:
    names = overridable_traits(ProfileKubeSpawner).names
    own = set(ProfileKubeSpawner.class_own_traits(config=True))
    added = set(ProfileKubeSpawner.class_traits(config=True)) - set(
        KubeSpawner.class_traits(config=True)
    )
    assert names & (own | added) == {"storage_claims"}  # what is there for profiles alone
    assert not names & {"profile_list", "user_options", "user", "hub", "handler", "orm_spawner"}
    assert {"image", "mem_limit", "environment", "volumes", "start_timeout"} <= names


def test_traits_of_a_subclass_can_be_overridden() -> None:
    class Mine(ProfileKubeSpawner):
        colour = Unicode(config=True)
        secret = Unicode()

    names = overridable_traits(Mine).names
    assert "colour" in names
    assert "secret" not in names


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("mem_limit", "1G", True),
        ("mem_limit", 1, True),
        ("mem_limit", None, True),
        ("mem_limit", "much", False),
        ("cpu_limit", 0.5, True),
        ("cpu_limit", "2", False),
        ("image", None, False),
        ("cmd", ["a"], True),
        ("cmd", [1], False),
        ("environment", {"A": None}, True),
        ("environment", ["A"], False),
        ("node_selector", {"a": {"b": None}}, True),
        ("volumes", [], True),
        ("volumes", {}, True),
        ("volumes", "v", False),
        ("start_timeout", "60", False),
        ("image", lambda spawner: 1, True),
    ],
)
def test_values_for_traits(name: str, value: Any, fits: bool) -> None:
    problem = overridable_traits(ProfileKubeSpawner).problem(name, value)
    assert (problem is None) == fits
    assert "HasTraits" not in (problem or "")


@given(text=st.text().filter(lambda text: "{" not in text and "}" not in text))
def test_d01_free_text_is_put_in_as_it_is(text: str) -> None:
    overrides = {"image": "{value}", "environment": {"{value}": ["{value}-{username}"]}, "n": 1}
    assert format_free_text(overrides, text) == {
        "image": text,
        "environment": {text: [f"{text}-{{username}}"]},
        "n": 1,
    }


@given(
    text=st.text(st.characters(blacklist_characters="{}"), max_size=8)
    | st.sampled_from(["{username}-", "-{servername}-", "{servername}", "{{}}", "--", "{pod_name}"])
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
async def test_strings_expand_as_kubespawner_expands_them(make_spawner: Any, text: str) -> None:
    ours = make_spawner(user="Ann@x", name="lab")
    theirs = make_spawner(kind=KubeSpawner, user="Ann@x", name="lab")
    assert ours._expand_user_properties(text) == theirs._expand_user_properties(text)


async def test_strings_expand_anew_where_what_they_hold_has_changed(make_spawner: Any) -> None:
    ours, theirs = (make_spawner(user="Ann!", name="x", kind=k) for k in KINDS)
    for spawner in (ours, theirs):
        assert spawner._expand_user_properties("{user_server}{pod_name}", "safe")
        assert spawner._expand_user_properties("{user_server}", "safe")
        spawner.pod_name = "other"
    for text in ("{user_server}", "{pod_name}", "{user_server}{pod_name}"):
        for scheme in ("escape", "safe"):
            expanded = {s._expand_user_properties(text, scheme) for s in (ours, theirs)}
            assert len(expanded) == 1, text


async def test_strings_expand_anew_for_somebody_who_was_renamed(make_spawner: Any) -> None:
    spawner = make_spawner(user="ann")
    assert spawner._expand_user_properties("/home/{username}") == "/home/ann"
    spawner.user.name = "bob"  # who is called ann now is somebody else
    assert spawner._expand_user_properties("/home/{username}") == "/home/bob"


@pytest.mark.parametrize("text", ["}", "{", "{unknown}", "{0}"])
async def test_strings_that_kubespawner_cannot_expand(make_spawner: Any, text: str) -> None:
    for kind in KINDS:
        with pytest.raises((ValueError, LookupError)):
            make_spawner(kind=kind)._expand_user_properties(text)
