"""Spawners of both kinds outside a hub, for one person and a given number of profiles."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from typing import Any

from jupyterhub.auth import Authenticator
from jupyterhub.objects import Hub, Server
from kubespawner import KubeSpawner
from traitlets.config import Config


@dataclass
class Group:
    name: str


@dataclass
class User:
    """As much of JupyterHub's user as a Spawner reads when it makes a form and a pod."""

    name: str = "ada"
    id: int = 1
    admin: bool = False
    groups: list[Group] = field(default_factory=lambda: [Group("staff"), Group("lab:theirs")])
    url: str = "/user/ada/"
    server: Server = field(default_factory=Server)

    def __post_init__(self) -> None:
        self.escaped_name = self.name
        self.spawners: dict[str, Any] = {}
        self.settings: dict[str, Any] = {}
        self.authenticator = Authenticator()

    async def get_auth_state(self) -> None:
        return None


def profiles(count: int) -> list[dict[str, Any]]:
    """Make profiles of a usual size; the person's groups allow the first and every tenth."""
    return [_profile(number) for number in range(count)]


def _profile(number: int) -> dict[str, Any]:
    return {
        "slug": f"profile-{number}",
        "display_name": f"Profile {number}",
        "description": "A notebook server with the usual scientific packages",
        "allowed_groups": [f"lab:{number}" if number % 10 else "lab:theirs"],
        "kubespawner_override": {
            "image": f"registry.example.org/lab/notebook-{number}:2026.1",
            "cpu_limit": 2,
            "mem_limit": "4G",
            "mem_guarantee": "1G",
            "environment": {"LAB": f"lab-{number}", "THREADS": "2"},
            "node_selector": {"pool": "notebooks"},
        },
        "profile_options": {
            "size": {
                "display_name": "Size",
                "choices": {
                    size: {
                        "display_name": f"{memory} of memory",
                        "default": size == "small",
                        "kubespawner_override": {"mem_limit": memory},
                    }
                    for size, memory in (("small", "4G"), ("medium", "8G"), ("large", "16G"))
                },
            },
            "image": {
                "display_name": "Image",
                "unlisted_choice": {
                    "enabled": True,
                    "display_name": "Another image",
                    "validation_regex": "registry.example.org/.+",
                    "kubespawner_override": {"image": "{value}"},
                },
                "choices": {
                    "usual": {"display_name": "Usual", "default": True},
                    "next": {
                        "display_name": "Next",
                        "kubespawner_override": {"image": "registry.example.org/lab/next"},
                    },
                },
            },
        },
    }


CHOSEN = {"profile": "profile-0", "size": "medium"}


def filtered(count: int) -> Config:
    """Configure plain KubeSpawner with the callable that operators write to filter profiles."""
    known = profiles(count)

    def permitted(spawner: KubeSpawner) -> list[dict[str, Any]]:
        names = {group.name for group in spawner.user.groups}
        return [profile for profile in known if names.intersection(profile["allowed_groups"])]

    return Config({"KubeSpawner": {"profile_list": permitted}})


def listed(count: int) -> Config:
    """Configure a list of profiles, which plain KubeSpawner does not filter."""
    return Config({"KubeSpawner": {"profile_list": profiles(count)}})


def make(kind: type[KubeSpawner], config: Config) -> KubeSpawner:
    spawner = kind(_mock=True, config=config, user=User(), hub=Hub(), api_token="none")
    spawner.log = LOG
    spawner.user_options = dict(CHOSEN)
    return spawner


def _log() -> logging.Logger:
    """Make a log that formats each line as a hub's does, and drops it."""
    log = logging.Logger("benchmarks", logging.INFO)
    log.addHandler(logging.FileHandler(os.devnull))
    return log


LOG = _log()
