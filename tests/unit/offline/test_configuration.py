"""What a configuration says about people, and which secrets it names."""

from __future__ import annotations

from pathlib import Path

import pytest
from traitlets.config import Config

from jhext import ProfileKubeSpawner
from jhext.offline.configuration import Configuration, read_configuration

SETTINGS = """
identity:
  ledger: {env: LEDGER}
  sources:
    - type: rest
      url: "https://ids.example.org/{username}"
      fields: {uid: /uid, gid: /gid}
      headers: {Authorization: {file: %s}}
hub:
  cookie_secret: {env: COOKIE}
  crypt_keys: [{env: KEY}, {env: NOT_THERE}]
"""


def configured(config: Config) -> Configuration:
    return Configuration(Path("jupyterhub_config.py"), config, ProfileKubeSpawner)


def test_d24_every_secret_is_known_wherever_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LEDGER", "COOKIE", "KEY"):
        monkeypatch.setenv(name, f"the {name.lower()}")
    (tmp_path / "header").write_text("Bearer abc\n")
    path = tmp_path / "jhext.yaml"
    path.write_text(SETTINGS % (tmp_path / "header"))
    secrets = read_configuration(path).secrets()
    assert secrets == {"the ledger", "the cookie", "the key", "Bearer abc"}


def test_groups_in_both_shapes_of_load_groups() -> None:
    config = Config()
    config.JupyterHub.load_groups = {"a": ["ada", "bob"], "b": {"users": ["ada"], "properties": {}}}
    assert configured(config).groups == {"a": {"ada", "bob"}, "b": {"ada"}}
    assert configured(Config()).groups == {}


def test_admins_of_any_authenticator() -> None:
    config = Config()
    config.Authenticator.admin_users = {"ada"}
    config.GitHubOAuthenticator.admin_users.add("bob")
    config.Spawner.admin_users = {"eve"}
    assert configured(config).admins == {"ada", "bob"}


def test_traits_win_over_the_settings_and_may_be_appended_to() -> None:
    config = Config()
    assert configured(config).extra_user_options == frozenset()
    config.ProfileKubeSpawner.extra_user_options.add("project")
    assert configured(config).extra_user_options == {"project"}
    config.KubeSpawner.profile_list.append({"slug": "a", "display_name": "A", "allow_all": True})
    assert [profile.slug for profile in configured(config).catalog.profiles] == ["a"]
