"""``hub.config``: all that ``c`` can say, checked, and below what is set on ``c`` itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jupyterhub.app import JupyterHub
from traitlets.config import Config

import jhext
from jhext.profiles.finding import ConfigurationError

SMALL = {"display_name": "Small", "allow_all": True}
Hub = dict[str, Any]


def configured(hub: Hub, c: Config | None = None) -> Config:
    c = Config() if c is None else c
    jhext.configure(c, {"profiles": [SMALL], "hub": hub})
    return c


def test_traits_of_the_hub_its_spawner_and_its_authenticator() -> None:
    c = configured(
        {
            "config": {
                "JupyterHub": {"authenticator_class": "jhext-github", "base_url": "/jupyter/"},
                "GitHubOAuthenticator": {"allowed_organizations": ["lab"], "outage_grace": 60},
                "Authenticator": {"admin_users": ["ada"]},
                "KubeSpawner": {"image": "a:1", "node_selector": {"ssd": "yes"}},
            }
        }
    )
    hub = JupyterHub(config=c)
    assert hub.authenticator_class is jhext.GitHubOAuthenticator
    authenticator = hub.authenticator_class(config=c)
    assert (authenticator.admin_users, authenticator.allowed_organizations) == ({"ada"}, {"lab"})
    assert authenticator.outage_grace == 60, "which only its subclass has"
    assert (hub.base_url, c.KubeSpawner.image) == ("/jupyter/", "a:1")


@pytest.mark.parametrize(
    ("config", "path", "message"),
    [
        ({"Jupyterhub": {}}, "Jupyterhub", "did you mean 'JupyterHub'?"),
        ({"KubeSpawner": {"imge": "a"}}, "KubeSpawner.imge", "did you mean 'image'?"),
        ({"KubeSpawner": {"cpu_limit": []}}, "KubeSpawner.cpu_limit", "float"),
        ({"JupyterHub": {"spawner_class": "jhext"}}, "JupyterHub.spawner_class", "set by jhext"),
        ({"LDAPAuthenticator": {}}, "LDAPAuthenticator", "no class of the hub has this name"),
        ({"JupyterHub": {"authenticator_class": "no.such"}}, "JupyterHub.authenticator_class", ""),
    ],
)
def test_d50_faults_are_told_with_their_path(config: Hub, path: str, message: str) -> None:
    c = Config()
    with pytest.raises(ConfigurationError) as error:
        configured({"config": config}, c)
    (finding,) = error.value.findings
    assert finding.path == f"hub.config.{path}"
    assert message in str(finding)
    assert c == Config()


@pytest.mark.parametrize("section", ["Spawner", "KubeSpawner", "ProfileKubeSpawner"])
async def test_what_is_set_on_c_wins(make_spawner: Any, section: str) -> None:
    c = Config()
    c[section].start_timeout = 77
    configured({"config": {"KubeSpawner": {"start_timeout": 5}}}, c)
    assert make_spawner(config=c).start_timeout == 77


async def test_what_is_added_on_c_is_added(make_spawner: Any) -> None:
    c = Config()
    c.KubeSpawner.tolerations.append({"key": "mine"})
    configured({"config": {"KubeSpawner": {"tolerations": [{"key": "ours"}]}}}, c)
    assert [t["key"] for t in make_spawner(config=c).tolerations] == ["ours", "mine"]


ADDED: Hub = {
    "services": [{"name": "prometheus", "api_token": {"env": "JHEXT_TEST_TOKEN"}}],
    "load_roles": [{"name": "metrics", "services": ["prometheus"], "scopes": ["read:metrics"]}],
    "load_groups": {"lab": {"users": ["ada"]}},
    "template_paths": ["/srv/theme"],
}


@pytest.mark.parametrize("appended", [True, False])
def test_d28_lists_are_added_to(monkeypatch: pytest.MonkeyPatch, appended: bool) -> None:
    """Services, roles, groups and templates of others stay, however often this is called."""
    monkeypatch.setenv("JHEXT_TEST_TOKEN", "t" * 32)
    c = Config()
    if appended:
        c.JupyterHub.services.append({"name": "mine", "url": "http://127.0.0.1"})
        c.JupyterHub.template_paths.append("/srv/mine")
    else:
        c.JupyterHub.services = [{"name": "mine", "url": "http://127.0.0.1"}]
        c.JupyterHub.template_paths = ["/srv/mine"]
    c.JupyterHub.load_groups = {"mine": {"users": []}}
    for _ in range(2):
        configured({"config": {"JupyterHub": ADDED}}, c)
    hub = JupyterHub(config=c)
    assert [service["name"] for service in hub.services] == ["mine", "prometheus"]
    assert hub.services[1]["api_token"] == "t" * 32
    assert [role["name"] for role in hub.load_roles] == ["metrics"]
    assert set(hub.load_groups) == {"mine", "lab"}
    assert hub.template_paths == ["/srv/mine", "/srv/theme"]


def test_names_in_files(tmp_path: Path) -> None:
    (tmp_path / "admin_users.txt").write_text("ada grace\n# of the computing centre:\nmary\n")
    reference = {"file": str(tmp_path / "admin_users.txt")}
    c = configured({"config": {"Authenticator": {"admin_users": reference}}})
    assert set(c.Authenticator.admin_users) == {"ada", "grace", "mary"}


@pytest.mark.parametrize(
    ("trait", "text", "value"),
    [
        ("mem_limit", "2G", "2G"),
        ("cpu_limit", "1.5", 1.5),
        ("start_timeout", "90\n", 90),
        ("delete_pvc", "false", False),
    ],
)
def test_variables_are_numbers_and_switches_too(
    monkeypatch: pytest.MonkeyPatch, trait: str, text: str, value: Any
) -> None:
    monkeypatch.setenv("JHEXT_TEST_LIMIT", text)
    c = configured({"config": {"KubeSpawner": {trait: {"env": "JHEXT_TEST_LIMIT"}}}})
    assert repr(c.KubeSpawner[trait]) == repr(value)


@pytest.mark.parametrize("trait", ["db_url", "port"])
def test_d24_secrets_are_in_no_message(monkeypatch: pytest.MonkeyPatch, trait: str) -> None:
    monkeypatch.setenv("JHEXT_TEST_SECRET", "hunter2hunter2")
    hub = {"config": {"JupyterHub": {trait: {"env": "JHEXT_TEST_SECRET"}}}}
    if trait == "db_url":
        c = Config()
        settings = jhext.configure(c, {"profiles": [SMALL], "hub": hub})
        assert c.JupyterHub.db_url == "hunter2hunter2"
        assert "hunter2" not in repr(settings) + settings.model_dump_json()
        return
    with pytest.raises(ConfigurationError, match="does not fit") as error:
        configured(hub)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("password", ["p@ss/w:rd", "%41", "a b?#[]"])
def test_database(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setenv("JHEXT_TEST_PASSWORD", password)
    database = {"host": "db", "password": {"env": "JHEXT_TEST_PASSWORD"}}
    c = configured({"database": database})
    assert c.JupyterHub.db_url == jhext.database_url("db", "jupyterhub", "jupyterhub", password)
    c = Config()
    c.JupyterHub.db_url = "sqlite://"
    assert configured({"database": database}, c).JupyterHub.db_url == "sqlite://"


def test_public_url() -> None:
    c = configured({"public_url": "https://hub.example.org/lab"})
    assert c.JupyterHub.public_url == "https://hub.example.org/lab"
    callback = "https://hub.example.org/lab/hub/oauth_callback"
    assert c.OAuthenticator.oauth_callback_url == callback


def test_several_keys_in_one_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_CRYPT_KEY", f"{'aa' * 32};{'bb' * 32}")
    c = configured({"crypt_keys": [{"env": "JUPYTERHUB_CRYPT_KEY"}]})
    assert c.CryptKeeper["keys"] == ["aa" * 32, "bb" * 32]


def test_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "hub.yaml"
    file.write_text(yaml.safe_dump({"hub": {"config": {"Authenticator": {"admin_usrs": []}}}}))
    with pytest.raises(ConfigurationError) as error:
        jhext.configure(Config(), file)
    assert error.value.findings[0].file == str(file)
