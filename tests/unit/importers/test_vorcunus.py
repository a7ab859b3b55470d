"""vOrcunus/jupyter-openshift: the mapping file and the profiles in Python, read and never run."""

from __future__ import annotations

from typing import Any

import pytest

from jhext.importers.vorcunus import CONFIG_KEY, MAPPING_KEY, convert
from jhext.profiles.finding import ConfigurationError

CONFIG = """
def hook(spawner):
  if spawner.user_options.get('profile') == "type0":
    return
c.KubeSpawner.pre_spawn_hook = hook
c.KubeSpawner.profile_list = [
  {'display_name': 'type0'}, {'display_name': 'type1'}, {'display_name': 'Type 2'}]
"""


def imported(mapping: str, config: str = CONFIG) -> tuple[dict[str, Any], str]:
    found = convert({"data": {CONFIG_KEY: config, MAPPING_KEY: mapping}})
    rules = {
        profile.pop("display_name"): profile for profile in map(dict, found.settings["profiles"])
    }
    return rules, "\n".join(map(str, found.notes))


def test_lines_become_allowed_users() -> None:
    rules, _ = imported("# who\n\nuser1:type1\r\nuser2:type1\nuser1:Type 2\nuser1:type1\n")
    assert rules == {
        "type0": {"allow_all": True},
        "type1": {"allowed_users": ["user1", "user2"]},
        "Type 2": {"allowed_users": ["user1"]},
    }


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("user4:gpu", f"{MAPPING_KEY}:2: there is no profile 'gpu' for 'user4'"),
        ("User4:type1", f"{MAPPING_KEY}:2: JupyterHub's names are in lower case"),
        ("user4", f"{MAPPING_KEY}:2: 'user4' is not user:profile"),
        (":type1", f"{MAPPING_KEY}:2: ':type1' is not user:profile"),
    ],
)
def test_lines_that_never_matched_are_left_out(line: str, note: str) -> None:
    rules, notes = imported(f"user1:type1\n{line}\n")
    assert rules["type1"] == {"allowed_users": ["user1"]}
    assert note in notes


def test_profile_that_nobody_is_mapped_to_stays_closed() -> None:
    rules, notes = imported("")
    assert rules["type1"] == {}
    assert "profile 'type1': no line lets anybody in" in notes


@pytest.mark.parametrize(
    "config",
    [
        "",
        "c.KubeSpawner.profile_list = make()",
        "c.KubeSpawner.profile_list = [{'display_name': name}]",
        "c.KubeSpawner.profile_list = 'all'",
        "c.KubeSpawner.profile_list = [",
    ],
)
def test_d43_python_is_not_run(config: str) -> None:
    with pytest.raises(ConfigurationError):
        imported("user1:type1", f"raise SystemExit\n{config}")
