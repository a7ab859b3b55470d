"""``jhext.configure``: one call wires a hub, in any order with what the operator sets."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.app import JupyterHub
from kubespawner import KubeSpawner
from traitlets.config import Config

import jhext
from jhext import ProfileKubeSpawner
from jhext.config import SPAWNER_CLASS
from jhext.errors import SpawnRefused
from jhext.profiles.finding import ConfigurationError

SMALL = {"display_name": "Small", "allow_all": True}
GPU = {"display_name": "GPU", "allowed_groups": ["gpu"]}


class Mine(ProfileKubeSpawner):
    """What an operator may make of it."""


async def startable(spawner: Any) -> list[str]:
    found = []
    for slug in ("small", "gpu", "plain"):
        spawner.user_options = {"profile": slug}
        try:
            await spawner.load_user_options()
        except SpawnRefused:
            continue
        found.append(slug)
    return found


async def test_one_call_wires_a_hub(make_spawner: Any) -> None:
    config = Config()
    settings = jhext.configure(config, {"profiles": [SMALL, GPU]})
    assert config.JupyterHub.spawner_class == SPAWNER_CLASS
    assert JupyterHub(config=config).spawner_class is ProfileKubeSpawner
    spawner = make_spawner(config=config)
    assert spawner.settings is settings
    assert await startable(spawner) == ["small"]
    assert await startable(make_spawner(config=config, groups=["gpu"])) == ["small", "gpu"]


async def test_d28_twice_is_once(make_spawner: Any) -> None:
    once, twice = Config(), Config()
    raw = {"profiles": [SMALL], "hub": {"admin_bypass": True}}
    jhext.configure(once, raw)
    jhext.configure(twice, {"profiles": [GPU]})
    jhext.configure(twice, raw)
    assert once == twice
    assert await startable(make_spawner(config=twice)) == ["small"]


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("section", ["Spawner", "KubeSpawner", "ProfileKubeSpawner"])
async def test_traits_win_in_either_order(make_spawner: Any, before: bool, section: str) -> None:
    config = Config()
    raw = {"profiles": [{"display_name": "Plain"}], "hub": {"default_access": "allow"}}
    if not before:
        jhext.configure(config, raw)
    config[section].default_access = "deny"
    if before:
        jhext.configure(config, raw)
    assert await startable(make_spawner(config=config)) == []
    assert make_spawner(config=config).default_access == "deny"


async def test_what_is_not_set_comes_from_the_settings(make_spawner: Any) -> None:
    config = Config()
    hub = {
        "default_access": "allow",
        "admin_bypass": True,
        "claims_key": "oauth_user",
        "allowed_sensitive_overrides": ["uid"],
        "extra_profile_keys": ["icon"],
        "extra_user_options": ["repo"],
    }
    jhext.configure(config, {"hub": hub})
    spawner = make_spawner(config=config)
    for name, value in hub.items():
        assert getattr(spawner, name) == (set(value) if isinstance(value, list) else value)
    assert make_spawner(config=config).extra_profile_keys is not spawner.extra_profile_keys


async def test_profiles_of_both_are_joined(make_spawner: Any) -> None:
    config = Config()
    config.KubeSpawner.profile_list = [SMALL]
    jhext.configure(config, {"profiles": [GPU]})
    assert await startable(make_spawner(config=config, groups=["gpu"])) == ["small", "gpu"]
    config = Config()
    config.KubeSpawner.profile_list = lambda spawner: [SMALL]
    jhext.configure(config, {"profiles": [GPU]})
    assert await startable(make_spawner(config=config, groups=["gpu"])) == ["small", "gpu"]


async def test_d28_hooks_of_operators_stay(make_spawner: Any) -> None:
    def hook(*args: Any) -> None:
        """Do what operators do."""

    hooks = ("pre_spawn_hook", "modify_pod_hook", "auth_state_hook", "after_pod_created_hook")
    for before in (True, False):
        config = Config()
        if not before:
            jhext.configure(config, {"profiles": [SMALL]})
        for name in hooks:
            config.KubeSpawner[name] = hook
        if before:
            jhext.configure(config, {"profiles": [SMALL]})
        spawner = make_spawner(config=config)
        assert all(getattr(spawner, name) is hook for name in hooks)


@pytest.mark.parametrize(
    ("configured", "expected"),
    [
        pytest.param(None, SPAWNER_CLASS, id="none"),
        pytest.param("kubespawner.KubeSpawner", SPAWNER_CLASS, id="KubeSpawner"),
        pytest.param("kubespawner.spawner.KubeSpawner", SPAWNER_CLASS, id="its other path"),
        pytest.param(KubeSpawner, SPAWNER_CLASS, id="class"),
        pytest.param("jhext", SPAWNER_CLASS, id="entry point"),
        pytest.param("JHEXT", SPAWNER_CLASS, id="entry points ignore case"),
        pytest.param(SPAWNER_CLASS, SPAWNER_CLASS, id="ours"),
        pytest.param(Mine, Mine, id="subclass"),
    ],
)
def test_spawner_class(configured: Any, expected: Any) -> None:
    config = Config()
    if configured is not None:
        config.JupyterHub.spawner_class = configured
    jhext.configure(config, {"profiles": [SMALL]})
    assert config.JupyterHub.spawner_class == expected


def test_spawner_class_that_was_only_read() -> None:
    config = Config()
    assert config.JupyterHub.spawner_class
    jhext.configure(config, {"profiles": [SMALL]})
    assert config.JupyterHub.spawner_class == SPAWNER_CLASS


def test_faulty_values_of_the_traits_that_decide_are_errors() -> None:
    """In a hub they would fail each start."""
    config = Config()
    config.KubeSpawner.profile_list = "small"
    config.ProfileKubeSpawner.default_access = "alow"
    config.ProfileKubeSpawner.admin_bypass = "yes"
    config.ProfileKubeSpawner.extra_profile_keys.add("icon")
    with pytest.raises(ConfigurationError) as raised:
        jhext.configure(config, {"profiles": [SMALL]})
    assert {finding.where for finding in raised.value.findings} == {
        "c.KubeSpawner.profile_list",
        "c.ProfileKubeSpawner.default_access",
        "c.ProfileKubeSpawner.admin_bypass",
    }


@pytest.mark.parametrize(
    "configured",
    ["jupyterhub.spawner.LocalProcessSpawner", "simple", "no.such.Spawner", int, 7],
    ids=str,
)
def test_another_spawner_is_an_error(configured: Any) -> None:
    config = Config()
    config.JupyterHub.spawner_class = configured
    with pytest.raises(ConfigurationError, match="spawner_class"):
        jhext.configure(config, {"profiles": [SMALL]})


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"profiles": [SMALL | {"allow_groups": ["x"]}]}, "looks like an access rule"),
        ({"profiles": [SMALL | {"kubespawner_override": {"mem_limt": "1G"}}]}, "mem_limit"),
        ({"profiles": [SMALL | {"kubespawner_override": {"uid": 0}}]}, "may widen rights"),
        ({"profiles": [SMALL, SMALL]}, "slugs are unique"),
        ({"profil": [SMALL]}, "did you mean 'profiles'?"),
    ],
)
def test_d50_d57_faults_end_the_start_of_the_hub(raw: Any, message: str) -> None:
    config = Config()
    with pytest.raises(ConfigurationError, match=r"\w") as error:
        jhext.configure(config, raw)
    assert message in str(error.value)
    # Nothing is configured by halves.
    assert config == Config()


def test_faults_of_a_configured_list_are_told_too() -> None:
    config = Config()
    config.KubeSpawner.profile_list = [SMALL | {"allow_groups": ["x"]}]
    with pytest.raises(ConfigurationError, match="allow_groups"):
        jhext.configure(config, {})
    config.KubeSpawner.profile_list = {"a": SMALL | {"allow_groups": ["x"]}}
    with pytest.raises(ConfigurationError, match="allow_groups"):
        jhext.configure(config, {})
    with pytest.raises(ConfigurationError, match=r"did you mean 'profiles'[\s\S]*allow_groups"):
        jhext.configure(config, {"profil": [SMALL]})


@pytest.mark.parametrize("section", ["Spawner", "KubeSpawner", "ProfileKubeSpawner", "Mine"])
def test_traits_that_are_set_count_when_profiles_are_checked(section: str) -> None:
    raw = {"profiles": [SMALL | {"kubespawner_override": {"uid": 5}, "icon": "cat"}]}
    config = Config()
    config.JupyterHub.spawner_class = Mine
    config[section].allowed_sensitive_overrides = {"uid"}
    config[section].extra_profile_keys = ["icon"]
    jhext.configure(config, raw)


async def test_values_that_are_added_to(make_spawner: Any) -> None:
    """``c.KubeSpawner.profile_list.append(...)`` on what is not set yet."""
    config = Config()
    config.KubeSpawner.profile_list.append(SMALL | {"kubespawner_override": {"uid": 5}})
    config.KubeSpawner.allowed_sensitive_overrides.add("uid")
    hub = {"allowed_sensitive_overrides": ["gid"]}
    gpu = GPU | {"kubespawner_override": {"gid": 5}}
    jhext.configure(config, {"profiles": [gpu], "hub": hub})
    # What is added afterwards counts too.
    config.KubeSpawner.profile_list.append({"display_name": "Plain", "allow_all": True})
    spawner = make_spawner(config=config, groups=["gpu"])
    assert spawner.allowed_sensitive_overrides == {"uid", "gid"}
    assert await startable(spawner) == ["small", "gpu", "plain"]


def test_faults_in_what_is_added_are_told() -> None:
    config = Config()
    config.KubeSpawner.profile_list.append(SMALL | {"allow_groups": ["x"]})
    with pytest.raises(ConfigurationError, match="allow_groups"):
        jhext.configure(config, {})


def test_callables_are_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config()

    def profiles(spawner: Any) -> Any:
        raise AssertionError

    config.KubeSpawner.profile_list = profiles
    jhext.configure(config, {})


def test_secrets_go_where_they_belong_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JHEXT_TEST_KEY", "11" * 32)
    cookie = tmp_path / "cookie"
    cookie.write_text("22" * 32 + "\n")
    config = Config()
    hub = {"cookie_secret": {"file": str(cookie)}, "crypt_keys": [{"env": "JHEXT_TEST_KEY"}]}
    settings = jhext.configure(config, {"hub": hub, "profiles": [SMALL]})
    assert config.JupyterHub.cookie_secret == "22" * 32
    assert config.CryptKeeper["keys"] == ["11" * 32]
    shown = repr(settings) + settings.model_dump_json() + repr(config.ProfileKubeSpawner)
    assert "2222" not in shown
    assert "1111" not in shown


def test_secrets_that_are_set_on_c_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JHEXT_TEST_KEY", "11" * 32)
    config = Config()
    config.JupyterHub.cookie_secret = b"c" * 32
    config.CryptKeeper["keys"] = ["cc" * 32]
    key = {"env": "JHEXT_TEST_KEY"}
    jhext.configure(
        config, {"hub": {"cookie_secret": key, "crypt_keys": [key]}, "profiles": [SMALL]}
    )
    assert config.JupyterHub.cookie_secret == b"c" * 32
    assert config.CryptKeeper["keys"] == ["cc" * 32]


def test_a_file_by_path(tmp_path: Path) -> None:
    path = tmp_path / "jhext.yaml"
    path.write_text("profiles: [{display_name: Small, allow_all: true}]\n")
    for source in (path, str(path)):
        config = Config()
        jhext.configure(config, source)
        assert config.ProfileKubeSpawner.settings.file == os.fspath(path)


def test_what_is_given_is_not_changed() -> None:
    raw = {"profiles": [copy.deepcopy(SMALL)], "hub": {"extra_profile_keys": ["icon"]}}
    before = copy.deepcopy(raw)
    jhext.configure(Config(), raw)
    assert raw == before


@pytest.mark.parametrize("with_list", [True, False])
async def test_d04_what_was_checked_at_the_start_is_the_version_before(
    make_spawner: Any, tmp_path: Path, with_list: bool
) -> None:
    """Files that break between the start of the hub and the first request keep nobody out."""
    settings, profiles, mapping = (tmp_path / name for name in ("jhext.yaml", "p.yaml", "m"))
    settings.write_text("hub: {profile_files: [p.yaml], profile_mapping_files: [m]}")
    profiles.write_text("profiles: [{display_name: Small, allow_all: true}, {display_name: GPU}]")
    mapping.write_text("ann:gpu\n")
    config = Config()
    listed = [{"display_name": "Plain", "allow_all": True}] if with_list else []
    if with_list:
        config.KubeSpawner.profile_list = listed
    jhext.configure(config, settings)
    profiles.write_text("profiles: [")
    mapping.unlink()

    async def starts(**traits: Any) -> list[str]:
        hub = copy.deepcopy(config)
        hub.ProfileKubeSpawner.update(traits)
        return await startable(make_spawner(config=hub))

    assert await starts() == ["small", "gpu", *["plain"][:with_list]]
    assert await starts(reload_policy="fail_closed") == []
    assert await starts(extra_profile_keys={"icon"}) == [], "it was checked by other rules"
    listed.append(SMALL)
    config.KubeSpawner.profile_list = listed
    assert await starts() == [], "another list was checked"
