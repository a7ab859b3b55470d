"""``jhext show``: what is in force, and what somebody has taken away again."""

from __future__ import annotations

from typing import Any

import pytest
from traitlets.config import Config

import jhext
from jhext.in_force import lost


@pytest.mark.parametrize(("file", "code"), [("jhext.yaml", 0), ("jupyterhub_config.py", 1)])
def test_page(golden: Any, file: str, code: int) -> None:
    golden("show", file.partition(".")[0], "show", file, code=code)


@pytest.mark.parametrize("file", ["jhext.yaml", "jupyterhub_config.py"])
def test_d24_no_secret_is_shown(golden: Any, shell: Any, file: str) -> None:
    test_page(golden, file, int(file.endswith(".py")))
    for output in ("text", "json"):
        shown = shell("show", file, "--output", output).stdout
        assert "hunter2" not in shown
        assert "in-clear" not in shown


def test_check_tells_too_what_is_missing(golden: Any, shell: Any) -> None:
    test_page(golden, "jupyterhub_config.py", 1)
    ran = shell("check", "jupyterhub_config.py")
    assert ran.code == 1
    assert "jhext-culler is missing" in ran.stdout


CULLER = {"profiles": [], "culler": {"timeout": "1h"}}


@pytest.mark.parametrize("name", ["services", "load_roles", "extra_handlers"])
def test_d28_each_list_that_is_assigned_afterwards_is_told(name: str) -> None:
    """Whatever was added before or is added afterwards is no reason."""
    c = Config()
    c.JupyterHub[name] = [("/mine", object)] if name == "extra_handlers" else [{"name": "mine"}]
    settings = jhext.configure(c, CULLER)
    c.JupyterHub[name].append(("/more", object) if name == "extra_handlers" else {"name": "more"})
    assert list(lost(c, settings)) == []
    c.JupyterHub[name] = []
    (finding,) = lost(c, settings)
    assert finding.where == f"c.JupyterHub.{name}"


def test_added_templates_are_missed() -> None:
    c = Config()
    hub = {"config": {"JupyterHub": {"template_paths": ["/srv/theme"]}}}
    settings = jhext.configure(c, {"profiles": [], "hub": hub})
    assert list(lost(c, settings)) == []
    c.JupyterHub.template_paths = ["/srv/mine"]
    (finding,) = lost(c, settings)
    assert "/srv/theme is missing" in finding.message


async def test_the_hub_says_it_when_it_starts(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "traitlets"):
        jhext.configure(Config(), CULLER)
    (record,) = (record for record in caplog.records if "In force" in record.message)
    assert "culler.timeout" in record.message


IN_PYTHON = """
import jhext
c = get_config()
c.JupyterHub.authenticator_class = "jhext-github"
c.JupyterHub.db_url = "postgresql://hub:in/clear@1@db/hub"
c.JupyterHub.services = [{"name": "grader", "url": "http://grader:9", "api_token": "in/clear-2"}]
c.JupyterHub.cookie_secret = b"in/clear-3 in/clear-3 in/clear-3"
c.JupyterHub.template_vars = {"note": "in/clear-4"}
c.ConfigurableHTTPProxy.auth_token = "in/clear-5"
c.CryptKeeper.keys = ["696e2f636c6561722d36696e2f636c6561722d36696e2f636c6561722d363636"]
c.OAuthenticator.client_secret = "in/clear-7"
c.GitHubOAuthenticator.client_secret = "in/clear-8"
c.HeaderAuthenticator.shared_secret = "in/clear-9"
c.LDAPAuthenticator.lookup_dn_search_password = "in/clear-10"
c.KubeSpawner.environment = {"ANYTHING": "in/clear-11"}
c.KubeSpawner.extra_container_config = {"envFrom": [{"prefix": "in/clear-12"}]}
settings = {
    "profiles": [{"slug": "any", "display_name": "Any", "allow_all": True}],
    "hub": {"config": {"OAuthenticator": {"client_secret": "in/clear-13"}}},
}
jhext.configure(c, settings)
"""


def test_d24_what_is_written_in_python_is_not_shown(
    shell: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither on the page, nor in the log that has it at the start of a hub."""
    shell.write(jupyterhub_config__py=IN_PYTHON)
    told = ""
    with caplog.at_level("INFO", "traitlets"):
        for output in ("text", "json"):
            ran = shell("show", "jupyterhub_config.py", "--output", output)
            assert ran.code == 0, ran.stderr
            told += ran.stdout + ran.stderr
    assert "********@db/hub" in told
    assert "In force" in caplog.text
    for word in ("clear", "696e2f63"):
        assert word not in told
        assert word not in caplog.text
