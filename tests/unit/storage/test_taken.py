"""Places that are taken, told before any server starts."""

from __future__ import annotations

from typing import Any

import pytest
from traitlets.config import Config

import jhext
from jhext.profiles.finding import ConfigurationError

SETTINGS: dict[str, Any] = {
    "profiles": [{"display_name": "Small", "allow_all": True}],
    "storage": {
        "home": {"source": {"type": "empty_dir"}, "mount_path": "/home/{username}"},
        "mounts": [
            {
                "name": "data",
                "mount_path": "/data",
                "source": {"type": "empty_dir"},
                "allow_all": True,
            }
        ],
    },
}
HOME = {"name": "v", "mountPath": "/home/{username}/"}
DATA = {"name": "d", "mountPath": "//data"}


@pytest.mark.parametrize("shape", [list, lambda mounts: dict(enumerate(mounts))])
@pytest.mark.parametrize("in_settings", [False, True])
def test_what_is_mounted_there_already(shape: Any, in_settings: bool) -> None:
    mounts = shape([HOME, DATA, {"name": "e", "mountPath": "/elsewhere"}])
    config, settings = Config(), SETTINGS
    if in_settings:
        settings = {**SETTINGS, "hub": {"config": {"KubeSpawner": {"volume_mounts": mounts}}}}
    else:
        config.KubeSpawner.volume_mounts = mounts
    with pytest.raises(ConfigurationError) as caught:
        jhext.configure(config, settings)
    told = [finding.message for finding in caught.value.findings]
    assert told == [
        "something is mounted at '/data' already, which is storage.mounts.data.mount_path",
        "something is mounted at '/home/{username}' already, which is storage.home.mount_path",
    ]


@pytest.mark.parametrize("mounts", [[], {}, [{"name": "e", "mountPath": "/data/more"}], ["?"]])
def test_other_places(mounts: Any) -> None:
    jhext.configure(Config({"KubeSpawner": {"volume_mounts": mounts}}), SETTINGS)
