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
