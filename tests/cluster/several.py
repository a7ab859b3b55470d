"""Hubs that differ in their settings alone, run as one: each person has the spawner of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from jhext.demo.accounts import Account
from tests.cluster.bench import ClusterBench
from tests.cluster.conftest import RunHub

# A person is called after the settings that they have: `claim-alice`.
CONFIG = """
from jhext.settings import load_settings

several = {{name: load_settings(file) for name, file in {files}.items()}}

class SpawnerWithItsOwnSettings(jhext.ProfileKubeSpawner):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.settings = several[self.user.name.partition("-")[0]]

c.JupyterHub.spawner_class = SpawnerWithItsOwnSettings
"""


def run_several(
    run_hub: RunHub,
    folder: Path,
    people: Iterable[str],
    several: Mapping[str, Mapping[str, Any]],
    config: str = "",
) -> ClusterBench:
    """
    Run a hub whose spawners have one of several settings.

    Parameters
    ----------
    folder
        Where the files of settings go.
    people
        The names of all; each begins with the key of their settings and a hyphen.
    several
        What a ``jhext.yaml`` says, each under a key without hyphens.
    """
    files = {}
    for name, settings in several.items():
        file = folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(dict(settings), sort_keys=False))
        files[name] = str(file)
    accounts = [Account(name=name, uid=2001) for name in people]
    common = next(iter(several.values()))
    return run_hub(accounts, common, CONFIG.format(files=files) + config)
