"""What a configuration needs of the world around it."""

from __future__ import annotations

from typing import Any

import pytest

from jhext.doctor.plan import Claim, plan_of
from tests.unit.cluster.conftest import SMALL, Configured, configured

__all__ = ["configured"]
PROFILES = {"profiles": [SMALL]}
CULLER = PROFILES | {"culler": {"timeout": "1h"}}
NFS = {"type": "nfs", "server": "nfs.example.org", "path": "/homes/{username}"}
HOST_PATH = {
    "name": "data",
    "source": {"type": "host_path", "path": "/data"},
    "mount_path": "/data",
    "allow_all": True,
}
FILES = [{"type": "files", "passwd": "passwd"}]


@pytest.mark.parametrize(
    ("settings", "python", "expected"),
    [
        pytest.param(PROFILES, "", {"hardened": False, "database": "jupyterhub.sqlite"}, id="none"),
        pytest.param(
            PROFILES,
            "c.JupyterHub.db_url = 'postgresql://hub@db/hub'",
            {"database": ""},
            id="PostgreSQL",
        ),
        pytest.param(
            PROFILES,
            "c.JupyterHub.db_url = 'sqlite:////srv/hub.sqlite'",
            {"database": "/srv/hub.sqlite"},
            id="SQLite",
        ),
        pytest.param(
            PROFILES | {"identity": {"sources": FILES}, "pod": {"privileged_containers": ["x"]}},
            "",
            {"hardened": True, "privileged": ("the container x",), "needs_auth_state": ""},
            id="identity",
        ),
        pytest.param(
            PROFILES | {"identity": {"sources": [{"type": "github"}]}},
            "c.Authenticator.enable_auth_state = True",
            {"needs_auth_state": "identity has the source github", "enables_auth_state": True},
            id="source in auth_state",
        ),
        pytest.param(
            PROFILES | {"identity": {"mode": "platform"}, "pod": {"token": {}}},
            "",
            {"needs_auth_state": "pod.token gives pods what it holds", "enables_auth_state": False},
            id="token",
        ),
        pytest.param(
            PROFILES | {"storage": {"claims": {"home": {"storage_class": "fast"}}}},
            "",
            {"claims": {"home": Claim("fast", grows=False)}},
            id="claims",
        ),
        pytest.param(
            PROFILES | {"storage": {"home": {"source": NFS}, "mounts": [HOST_PATH]}},
            "",
            {
                "privileged": ("volumes of type host_path",),
                "unrestricted": ("volumes of type nfs",),
            },
            id="volumes",
        ),
        pytest.param(
            PROFILES,
            "c.Spawner.pre_spawn_hook = print\nc.KubeSpawner.pre_spawn_hook = len",
            {"hooks": {"pre_spawn_hook": ("Spawner", "KubeSpawner")}},
            id="hooks that clash",
        ),
        pytest.param(
            PROFILES,
            "c.Spawner.pre_spawn_hook = print\nc.KubeSpawner.modify_pod_hook = len",
            {"hooks": {}},
            id="hooks that do not",
        ),
        pytest.param(
            CULLER, "", {"culler_scopes": (), "lost": (), "other_cullers": ()}, id="culler"
        ),
        pytest.param(
            CULLER,
            "c.JupyterHub.load_roles = [{'name': 'jhext-culler', 'scopes': ['list:users']}]",
            {
                "culler_scopes": (
                    *("admin:server_state", "delete:servers", "read:servers"),
                    "read:users:groups",
                )
            },
            id="scopes",
        ),
        pytest.param(
            CULLER,
            "c.JupyterHub.services.append({'name': 'old', 'command': ['jupyterhub-idle-culler']})",
            {"other_cullers": ("old",)},
            id="two cullers",
        ),
        pytest.param(
            PROFILES,
            "c.JupyterHub.services.append({'name': 'old', 'command': ['jupyterhub-idle-culler']})",
            {"other_cullers": ()},
            id="another culler alone",
        ),
        pytest.param(
            PROFILES,
            "c.GenericOAuthenticator.issuer = 'https://id.example.org'\n"
            "c.GenericOAuthenticator.authorize_url = 'https://id.example.org/auth'",
            {"issuer": "https://id.example.org", "login_url": "https://id.example.org/auth"},
            id="provider",
        ),
        pytest.param(
            PROFILES,
            "c.GenericOAuthenticator.http_request_kwargs = {'ca_certs': '/etc/ssl/lab.pem'}",
            {"login_ca": "/etc/ssl/lab.pem"},
            id="authority of the provider",
        ),
    ],
)
def test_plan(
    configured: Configured, settings: dict[str, Any], python: str, expected: dict[str, Any]
) -> None:
    plan = plan_of(configured(settings, python))
    assert {name: getattr(plan, name) for name in expected} == expected


def test_what_was_taken_away(configured: Configured) -> None:
    plan = plan_of(configured(CULLER, "c.JupyterHub.services = []"))
    assert [finding.where for finding in plan.lost] == ["c.JupyterHub.services"]
