"""``jhext.yaml``: strict, frozen, and without secrets in it or in its errors."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from jhext.profiles.finding import ConfigurationError
from jhext.profiles.freeze import FrozenList
from jhext.section import SecretRef
from jhext.settings import HubSettings, Settings, load_settings

PROFILE = {"display_name": "Small", "allow_all": True}


def faults(source: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        load_settings(source)
    return str(error.value)


def test_nothing_written() -> None:
    settings = load_settings({})
    assert (settings.hub.default_access, settings.hub.admin_bypass) == ("deny", False)
    assert not settings.has_profiles
    assert settings.hub.traits == {}


def test_file_and_dict_say_the_same(tmp_path: Path) -> None:
    path = tmp_path / "jhext.yaml"
    path.write_text(
        "hub: {default_access: allow, allowed_sensitive_overrides: [uid]}\n"
        "profiles:\n- {display_name: Small, allow_all: true}\n"
    )
    raw = {
        "hub": {"default_access": "allow", "allowed_sensitive_overrides": ["uid"]},
        "profiles": [PROFILE],
    }
    assert load_settings(path).model_dump() == load_settings(raw).model_dump()
    assert load_settings(str(path)).file == str(path)
    assert load_settings(raw).hub.traits == {
        "default_access": "allow",
        "allowed_sensitive_overrides": {"uid"},
    }


@pytest.mark.parametrize("profiles", [[], [PROFILE]])
def test_d03_written_profiles_are_told_from_none(profiles: Any) -> None:
    assert load_settings({"profiles": profiles}).has_profiles


# Each: what is written, and what the error says.
FAULTS: dict[str, tuple[Any, str]] = {
    "no mapping": (["profiles"], ""),
    "section": ({"profile": []}, "profile: unknown key; did you mean 'profiles'?"),
    "key": ({"hub": {"default_acces": "allow"}}, "did you mean 'default_access'?"),
    "key far from any": ({"hub": {"zzz": 1}}, "hub.zzz: unknown key"),
    "key of a secret": ({"hub": {"cookie_secret": {"fille": "x"}}}, "did you mean 'file'?"),
    "value": ({"hub": {"default_access": "alow"}}, "'deny' or 'allow'"),
    "what YAML makes of no": ({"hub": {"default_access": False}}, "hub.default_access"),
    "text for a boolean": ({"hub": {"admin_bypass": "yes"}}, "hub.admin_bypass"),
    "number for a boolean": ({"hub": {"admin_bypass": 1}}, "hub.admin_bypass"),
    "text for a list": ({"hub": {"extra_profile_keys": "icon"}}, "hub.extra_profile_keys"),
    "number for a name": ({"hub": {"extra_user_options": [1]}}, "hub.extra_user_options"),
    "null for a section": ({"hub": None}, "hub"),
    "dict for profiles": ({"profiles": {"a": PROFILE}}, "profiles"),
    "null for profiles": ({"profiles": None}, "profiles"),
    "secret in place of its place": (
        {"hub": {"cookie_secret": "0123secret"}},
        "hub.cookie_secret",
    ),
    "secret in a list": ({"hub": {"crypt_keys": ["0123secret"]}}, "hub.crypt_keys"),
    "both places": (
        {"hub": {"cookie_secret": {"env": "A", "file": "b"}}},
        "must be {env: NAME} or {file: PATH}",
    ),
    "no place": ({"hub": {"cookie_secret": {}}}, "must be {env: NAME} or {file: PATH}"),
    "token without identity": ({"pod": {"token": {}}}, "pod.token: needs the section identity"),
}


@pytest.mark.parametrize(("written", "message"), FAULTS.values(), ids=FAULTS)
def test_d43_faults_are_told_with_their_path(written: Any, message: str) -> None:
    if not isinstance(written, dict):
        with pytest.raises((ConfigurationError, TypeError)):
            load_settings(written)
        return
    told = faults(written)
    assert message in told
    assert "0123secret" not in told


def test_all_faults_at_once() -> None:
    told = faults({"hub": {"a": 1, "admin_bypass": 1}, "b": 2, "profiles": 3})
    assert len(told.splitlines()) == 4


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("hub: {default_access: deny}\nhub: {default_access: allow}\n", id="section"),
        pytest.param("hub:\n  admin_bypass: false\n  admin_bypass: true\n", id="key"),
        pytest.param(
            "profiles: [{display_name: A, blocked_users: [x], blocked_users: []}]", id="rule"
        ),
        pytest.param("hub: [", id="no YAML"),
        pytest.param("hub: &a {b: *a}", id="contains itself"),
        pytest.param("profiles: !!python/object/apply:os.system ['true']", id="python"),
        pytest.param("profiles: [!!python/name:os.system ]", id="python name"),
        pytest.param("{}\n---\n{}", id="two documents"),
        pytest.param("? [a]\n: b", id="list for a key"),
        pytest.param("", id="empty"),
        pytest.param("- hub", id="list"),
        pytest.param("hub: \x07", id="control character"),
    ],
)
def test_d43_files_that_are_no_settings(tmp_path: Path, text: str) -> None:
    path = tmp_path / "jhext.yaml"
    path.write_text(text)
    assert str(path) in faults(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert "nothing" in faults(tmp_path / "nothing")
    assert str(tmp_path) in faults(tmp_path)
    (tmp_path / "latin").write_bytes("profiles: [ä]".encode("latin-1"))
    assert "latin" in faults(tmp_path / "latin")


def test_merge_keys_may_be_overridden(tmp_path: Path) -> None:
    path = tmp_path / "jhext.yaml"
    path.write_text(
        "profiles:\n"
        "- &base {display_name: Base, allow_all: true}\n"
        "- {<<: *base, display_name: Other}\n"
    )
    names = [profile["display_name"] for profile in load_settings(path).profiles]
    assert names == ["Base", "Other"]


def test_secrets_are_read_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JHEXT_TEST_SECRET", "from env")
    (tmp_path / "secret").write_text("from file\n")
    assert SecretRef(env="JHEXT_TEST_SECRET").resolve() == "from env"
    assert SecretRef(file=str(tmp_path / "secret")).resolve() == "from file"


@pytest.mark.parametrize("ref", [{"env": "JHEXT_TEST_UNSET"}, {"file": "/nonexistent"}])
def test_secrets_that_are_not_there(ref: dict[str, str]) -> None:
    (place,) = ref.values()
    with pytest.raises(ConfigurationError, match=place):
        SecretRef(**ref).resolve()


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe0"])
def test_secrets_that_are_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError):
        SecretRef(file=str(path)).resolve()


def test_settings_are_frozen_and_never_copied() -> None:
    raw = {"profiles": [{**PROFILE, "kubespawner_override": {"environment": {"A": "1"}}}]}
    settings = load_settings(raw)
    assert copy.deepcopy(settings) is settings
    assert isinstance(settings.profiles, FrozenList)
    with pytest.raises(TypeError):
        settings.profiles[0]["allow_all"] = False
    with pytest.raises(ValidationError):
        settings.hub.admin_bypass = True  # type: ignore[misc]
    raw["profiles"][0]["kubespawner_override"] = {}
    assert settings.profiles[0]["kubespawner_override"] == {"environment": {"A": "1"}}


@pytest.mark.parametrize("section", [Settings, HubSettings, SecretRef])
def test_d43_every_field_is_documented_and_no_other_is_taken(section: type[BaseModel]) -> None:
    assert section.model_config["extra"] == "forbid"
    assert section.model_config["frozen"]
    for name, field in section.model_fields.items():
        assert field.description, name


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["hub", "profiles", "default_access", "cookie_secret", "env"])
            | st.text(max_size=3)
            | st.integers(),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(raw=st.dictionaries(st.sampled_from(["hub", "profiles", "x"]) | st.integers(), json))
def test_d43_settings_of_any_shape_load_or_are_faulty(raw: Any) -> None:
    try:
        load_settings(raw)
    except ConfigurationError as error:
        told = str(error)
    else:
        told = "none"
    assert told


def test_files_of_identity_sources_lie_beside_the_settings(tmp_path):
    (tmp_path / "jhext.yaml").write_text(
        """
identity:
  sources:
    - {type: files, passwd: passwd, group: /etc/group}
    - {type: table, path: sub/people.yaml}
"""
    )
    files, table = load_settings(tmp_path / "jhext.yaml").identity.sources
    assert (files.passwd, files.group) == (str(tmp_path / "passwd"), "/etc/group")
    assert table.path == str(tmp_path / "sub/people.yaml")
