"""Whatever a model refuses, it is said what to do about it, and no value is repeated."""

from __future__ import annotations

import difflib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from jhext.advice import advise
from jhext.culler.settings import CullerSettings
from jhext.profiles.finding import Finding, Suggestions, did_you_mean
from jhext.profiles.schema import WrittenProfile
from jhext.settings import Settings


def advice(model: type[BaseModel], value: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(ValidationError) as raised:
        model.model_validate(value)
    found = [advise(error, model) for error in raised.value.errors()]
    return [(".".join(map(str, item.keys)), item.message, item.suggestion) for item in found]


LDAP = {"type": "ldap", "servers": ["ldaps://a"], "user_base": "dc=a"}


@pytest.mark.parametrize(
    ("value", "path", "suggestion"),
    [
        ({"hub": {"default_acess": "deny"}}, "hub.default_acess", "did you mean 'default_access'?"),
        ({"hubs": {}}, "hubs", "did you mean 'hub'?"),
        ({"xyz": {}}, "xyz", "take it out; known here: profiles, identity"),
        ({"hub": {"reload_policy": "kep"}}, "hub.reload_policy", "did you mean 'keep'?"),
        ({"hub": {"reload_policy": "x"}}, "hub.reload_policy", "write one; known here: keep, "),
        ({"hub": {"admin_bypass": "yes"}}, "hub.admin_bypass", "write true or false"),
        ({"hub": {"claims_key": 5}}, "hub.claims_key", "such as claims_key: oauth_user"),
        ({"hub": []}, "hub", "write a mapping"),
        ({"profiles": {}}, "profiles", "What can be started"),
        ({"hub": {"crypt_keys": [{"env": "A", "file": "b"}]}}, "hub.crypt_keys.0", "crypt_keys: ["),
        ({"identity": {"sources": []}}, "identity.sources", "sources"),
        ({"identity": {"sources": [{}]}}, "identity.sources.0", "write the key 'type'"),
        ({"identity": {"sources": [{"type": "ldp"}]}}, "identity.sources.0", "'ldap'"),
        (
            {"identity": {"sources": [LDAP | {"user_bas": "x"}]}},
            "identity.sources.0.ldap.user_bas",
            "did you mean 'user_base'?",
        ),
        ({"storage": {"homes": {}}}, "storage.homes", "did you mean 'home'?"),
        ({"storage": {"mounts": [{"name": "a"}]}}, "storage.mounts.0.mount_path", "/datasets"),
        ({"culler": {"timout": 5}}, "culler.timout", "did you mean 'timeout'?"),
        ({"pod": {"privileged_containers": "a"}}, "pod.privileged_containers", "write a list"),
    ],
)
def test_settings(value: Any, path: str, suggestion: str) -> None:
    found = advice(Settings, value)
    assert any(keys == path and suggestion in told for keys, _, told in found), found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "sources", "home", "claims", "rules", "name", "slug", "file"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@given(
    value=JSON, model=st.sampled_from([Settings, CullerSettings, WrittenProfile]), data=st.data()
)
def test_there_is_always_something_to_do(value: Any, model: type[BaseModel], data: Any) -> None:
    key = data.draw(st.sampled_from(sorted(model.model_fields)))
    try:
        model.model_validate({key: value})
    except ValidationError as error:
        for item in error.errors():
            keys, message, suggestion = advise(item, model)
            Finding("error", "", ".".join(map(str, keys)), message, suggestion=suggestion)


def test_no_secret_is_repeated() -> None:
    written = {
        "hub": {"cookie_secret": "s3cret", "crypt_keys": ["s3cret"], "reload_policy": "s3cret"}
    }
    assert "s3cret" not in str(advice(Settings, written))


@pytest.mark.parametrize("suggestion", ["", " "])
def test_no_finding_is_without_a_suggestion(suggestion: str) -> None:
    with pytest.raises(ValueError, match="nothing is suggested"):
        Finding("error", "", "", "is wrong", suggestion=suggestion)
    with pytest.raises(TypeError):
        Finding("error", "", "", "is wrong")  # type: ignore[call-arg]


def test_looking_for_names_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def close(word: str, *_: Any) -> list[str]:
        looked.append(word)
        return []

    monkeypatch.setattr(difflib, "get_close_matches", close)
    suggestions = Suggestions({f"Group{n}": f"Group{n}" for n in range(1000)}, "otherwise")
    assert {suggestions[f"{n}"] for n in range(1000)} == {"otherwise"}
    assert suggestions["GROUP7"] == "did you mean 'Group7'?"
    assert len(looked) < 50


@pytest.mark.parametrize(
    ("word", "known", "suggestion"),
    [
        ("STAFF", ["staff", "lab"], "did you mean 'staff'?"),
        ("staf", ["Staff", "lab"], "did you mean 'Staff'?"),
        ("staff", [], "otherwise"),
        ("", ["staff"], "otherwise"),
    ],
)
def test_the_nearest_name_is_suggested(word: str, known: list[str], suggestion: str) -> None:
    assert did_you_mean(word, known, "otherwise") == suggestion
