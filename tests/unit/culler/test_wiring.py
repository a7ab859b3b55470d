"""``configure()`` adds the culler's service, role and handlers, once, and removes another's."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

import jhext
from jhext.culler.source import ENVIRONMENT
from jhext.culler.wiring import is_other_culler
from jhext.culler.work import BASE_SCOPES, USER_SCOPES

PROFILES = [{"display_name": "Small", "allow_all": True}]
CHART = {
    "name": "jupyterhub-idle-culler",
    "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600"],
}
CHART_ROLE = {"name": "jupyterhub-idle-culler", "services": [CHART["name"]], "scopes": ["servers"]}


def configured(c: Config, **culler: Any) -> Any:
    jhext.configure(c, {"profiles": PROFILES, "culler": culler})
    return c.JupyterHub


def test_without_the_section_nothing_is_added() -> None:
    c = Config()
    jhext.configure(c, {"profiles": PROFILES})
    assert not {"services", "load_roles", "extra_handlers"} & c.JupyterHub.keys()


def test_a_dict_reaches_the_service_through_its_environment() -> None:
    hub = configured(Config(), timeout="2h")
    (service,) = hub.services
    assert service["command"] == [sys.executable, "-m", "jhext.culler"]
    assert json.loads(service["environment"][ENVIRONMENT]) == {"timeout": "2h"}
    (role,) = hub.load_roles
    assert role == {"name": "jhext-culler", "services": ["jhext-culler"], "scopes": [*BASE]}
    assert [path for path, _ in hub.extra_handlers] == PATHS


BASE = sorted(BASE_SCOPES)
PATHS = [
    "/api/jhext/idle",
    "/api/jhext/notices",
    "/api/jhext/revoked",
    "/api/jhext/servers/([^/]+)/([^/]*)",
]


def test_a_file_reaches_it_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "jhext.yaml"
    path.write_text("profiles: [{display_name: A, allow_all: true}]\nculler: {cull_users: true}\n")
    monkeypatch.chdir(tmp_path)
    c = Config()
    jhext.configure(c, "jhext.yaml")
    (service,) = c.JupyterHub.services
    assert service["command"][-2:] == ["--settings", str(path)]
    assert set(c.JupyterHub.load_roles[0]["scopes"]) == BASE_SCOPES | USER_SCOPES


def test_twice_is_once_and_what_is_there_stays() -> None:
    c = Config()
    c.JupyterHub.services = [{"name": "mine", "url": "http://127.0.0.1:1"}]
    c.JupyterHub.load_roles.append({"name": "own", "users": ["ada"], "scopes": ["self"]})
    c.JupyterHub.extra_handlers.append(("/mine", object))
    configured(c, timeout="1h")
    hub = configured(c, timeout="2h", handlers=True)
    assert [service["name"] for service in hub.services] == ["mine", "jhext-culler"]
    assert [role["name"] for role in hub.load_roles] == ["own", "jhext-culler"]
    assert hub.extra_handlers[0] == ("/mine", object)
    assert [path for path, _ in hub.extra_handlers][1:] == PATHS


def test_no_handlers_where_they_are_not_wanted() -> None:
    assert "extra_handlers" not in configured(Config(), handlers=False)


def test_another_idle_culler_is_left_out(caplog: Any) -> None:
    c = Config()
    shared = {"name": "shared", "services": [CHART["name"], "mine"], "scopes": ["self"]}
    c.JupyterHub.services = [CHART, {"name": "mine", "command": "mine --verbose"}]
    c.JupyterHub.load_roles = [CHART_ROLE, shared]
    hub = configured(c)
    assert [service["name"] for service in hub.services] == ["mine", "jhext-culler"]
    assert [role["name"] for role in hub.load_roles] == ["shared", "jhext-culler"]
    assert hub.load_roles[0]["services"] == ["mine"]
    assert "jupyterhub-idle-culler is left out" in caplog.text


@pytest.mark.parametrize(
    ("command", "is_other"),
    [
        (CHART["command"], True),
        (["python3", "-u", "-m", "jupyterhub_idle_culler"], True),
        ("python3 -m jupyterhub_idle_culler --timeout=9", True),
        (["/opt/bin/jupyterhub-idle-culler", "--timeout=9"], True),
        (["/opt/bin/cull_idle_servers.py"], True),
        (["python3", "/srv/cull_idle_servers.py"], True),
        (["sh", "-c", "exec jupyterhub-idle-culler --timeout=9"], True),
        (["sh", "-c", "sleep 9; python3 -m jupyterhub_idle_culler"], True),
        (["sh", "-c", "report --about jupyterhub-idle-culler"], False),
        (["python3", "/srv/idle-culler/report.py"], False),
        (["/srv/jupyterhub-idle-culler/bin/report"], False),
        (["report", "--about", "jupyterhub-idle-culler"], False),
        (["python3", "-m", "report.jupyterhub_idle_culler"], False),
        ([], False),
        (None, False),
    ],
)
def test_what_another_idle_culler_is(command: Any, is_other: bool) -> None:
    """By its name: what has it in a path or an argument is something else."""
    assert is_other_culler({"name": "x", "command": command}) is is_other


def test_another_idle_culler_can_stay() -> None:
    c = Config()
    c.JupyterHub.services = [CHART]
    c.JupyterHub.load_roles = [CHART_ROLE]
    hub = configured(c, keep_other=True)
    assert [service["name"] for service in hub.services] == [CHART["name"], "jhext-culler"]
    assert hub.load_roles[0] == CHART_ROLE
