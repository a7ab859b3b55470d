"""Spawners outside a hub: for a person, a configuration, and what was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from jupyterhub import orm
from jupyterhub.auth import Authenticator
from jupyterhub.objects import Hub, Server
from kubernetes_asyncio.config import kube_config
from kubespawner import KubeSpawner
from kubespawner.clients import load_config
from traitlets.config import Config

from jhext import ProfileKubeSpawner

MakeSpawner = Callable[..., Any]

# How long an example takes depends on what else the machine does.
settings.register_profile("unit", deadline=None)
settings.load_profile("unit")

KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "none", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [],
    "contexts": [{"name": "none", "context": {"cluster": "none", "user": ""}}],
    "current-context": "none",
}


@dataclass
class Group:
    name: str


@dataclass
class User:
    """As much of JupyterHub's user as a Spawner reads when it decides and builds a pod."""

    name: str = "ann"
    groups: list[Group] = field(default_factory=list)
    admin: bool = False
    auth_state: Any = None

    def __post_init__(self) -> None:
        self.id = 1
        self.escaped_name = self.name
        self.url = self.base_url = f"/user/{self.name}/"
        self.server = Server(ip="127.0.0.1", port=8888)
        self.settings: dict[str, Any] = {}
        self.spawners: dict[str, Any] = {}
        self.orm_spawners: dict[str, Any] = {}
        self.authenticator = Authenticator()

    async def get_auth_state(self) -> Any:
        return self.auth_state


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let KubeSpawner be built outside a cluster; nothing listens where it would connect to."""
    path = tmp_path_factory.mktemp("kubeconfig") / "config"
    path.write_text(json.dumps(KUBECONFIG))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
        patch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(path))
        load_config.cache_clear()
        yield
    load_config.cache_clear()


@pytest.fixture
def make_spawner(kubeconfig: None) -> MakeSpawner:
    """Make spawners. They need a running event loop, which closes their client at its end."""

    def make(
        profile_list: Any = None,
        options: Any = None,
        *,
        user: str = "ann",
        groups: Iterable[str] = (),
        admin: bool = False,
        auth_state: Any = None,
        name: str = "",
        kind: type[KubeSpawner] = ProfileKubeSpawner,
        config: Config | None = None,
        **traits: Any,
    ) -> Any:
        config = Config() if config is None else config
        if profile_list is not None:
            traits["profile_list"] = profile_list
        for trait, value in traits.items():
            config[kind.__name__][trait] = value
        owner = User(user, [Group(group) for group in groups], admin, auth_state)
        spawner = kind(
            _mock=True,
            config=config,
            user=owner,
            hub=Hub(ip="127.0.0.1", port=8081),
            api_token="none",
            orm_spawner=orm.Spawner(name=name),
        )
        if options is not None:
            spawner.user_options = spawner.orm_spawner.user_options = options
        return spawner

    return make
