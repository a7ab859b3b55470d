"""A list of profiles, and what a spawner makes of what is asked for."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from jhext.errors import SpawnRefused

PROFILES = yaml.safe_load("""
- display_name: Small
  slug: small
  allowed_groups: [lab]
  kubespawner_override: {mem_limit: 1G, environment: {A: small, S: small}, cmd: [small]}
- display_name: GPU
  slug: gpu
  allow_if: "claims.role == 'staff' || 'gpu' in groups"
  blocked_users: [eve]
  kubespawner_override:
    environment: {A: gpu, G: gpu}
    extra_resource_limits: {nvidia.com/gpu: "1"}
    volumes: [{name: data}]
  profile_options:
    image:
      display_name: Image
      choices:
        std: {display_name: Standard, kubespawner_override: {image: "std:1", environment: {I: std}}}
        big: {display_name: Big, allowed_groups: [big], kubespawner_override: {image: "big:1"}}
      unlisted_choice:
        enabled: true
        validation_regex: ok/[a-z]+
        kubespawner_override: {image: "{value}"}
""")
GPU = {"profile": "gpu"}
TEXT = "image--unlisted-choice"
LAB_AND_GPU = ("lab", "gpu")


async def refusal_of(spawner: Any, options: Any = None) -> Any:
    if options is not None:
        spawner.user_options = options
    with pytest.raises(SpawnRefused) as refused:
        await spawner.load_user_options()
    return refused.value.refusal


async def granted_to(spawner: Any, options: Any = None) -> str:
    if options is not None:
        spawner.user_options = options
    await spawner.load_user_options()
    slug: str = spawner.get_state()["jhext"]["profile"]
    return slug


def overridden(spawner: Any) -> dict[str, Any]:
    names = ("mem_limit", "environment", "cmd", "extra_resource_limits", "volumes", "image")
    return copy.deepcopy({name: getattr(spawner, name) for name in names})


def failing(error: BaseException) -> Callable[[Any], Any]:
    def call(spawner: Any) -> Any:
        raise error

    return call
