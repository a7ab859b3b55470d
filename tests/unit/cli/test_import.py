"""``jhext import``: what comes out can be used, and what does not is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

SYSTEMS = [
    ("2i2c", ["common.values.yaml", "hub.values.yaml"]),
    ("nebari", ["nebari-config.yaml"]),
    ("odh", ["sizes.yaml", "profiles.yaml"]),
    ("vorcunus", ["configmap.yaml"]),
]


@pytest.mark.parametrize(("system", "values"), SYSTEMS)
def test_golden(golden: Any, system: str, values: list[str]) -> None:
    golden(f"import/{system}", "jhext", "import", system, *values, code=1)


@pytest.mark.parametrize(("system", "values"), SYSTEMS)
def test_only_what_was_told_keeps_a_hub_from_starting(
    golden: Any, shell: Any, system: str, values: list[str]
) -> None:
    golden(f"import/{system}", "jhext", "import", system, *values, code=1)
    shell("import", system, *values, "-o", "jhext.yaml")
    told = shell("import", system, *values, "--output", "json").json["findings"]
    errors = {item["message"] for item in told if item["level"] == "error"}
    found = shell("check", "jhext.yaml", "--output", "json").json["findings"]
    assert {item["message"] for item in found if item["level"] == "error"} == errors


def test_machines_get_settings_and_findings(shell: Any) -> None:
    shell.write(values__yaml="singleuser: {profileList: [{display_name: P}]}")
    found = shell("import", "2i2c", "values.yaml", "--output", "json").json
    assert found["settings"] == {"profiles": [{"display_name": "P", "allow_all": True}]}
    assert [item["where"] for item in found["findings"]] == ["deployment-service-check"]


def test_machines_get_them_beside_the_file(shell: Any) -> None:
    shell.write(values__yaml="singleuser: {profileList: [{display_name: P}]}")
    found = shell("import", "2i2c", "values.yaml", "--output", "json", "-o", "jhext.yaml").json
    assert yaml.safe_load(Path("jhext.yaml").read_text()) == found["settings"]


def test_lists_of_objects_as_kubectl_gives_them(shell: Any) -> None:
    def config_map(name: str, text: str) -> dict[str, Any]:
        data = {"jupyterhub-singleuser-profiles.yaml": text}
        return {"kind": "ConfigMap", "metadata": {"name": name}, "data": data}

    items = [
        config_map("profiles", "profiles: [{name: globals, env: {A: '1'}}]"),
        config_map("sizes", "sizes: [{name: Small, resources: {limits: {cpu: 1}}}]"),
    ]
    shell.write(list__yaml=yaml.safe_dump({"kind": "List", "items": items}))
    for item in items:
        shell.write(**{f"{item['metadata']['name']}__yaml": yaml.safe_dump(item)})
    listed = shell("import", "odh", "list.yaml")
    assert listed == shell("import", "odh", "profiles.yaml", "sizes.yaml")
    assert "small" in listed.stdout


def test_nothing_to_tell(shell: Any) -> None:
    config = {"data": {"jupyterhub_config.py": "c.KubeSpawner.profile_list = []"}}
    shell.write(map__yaml=yaml.safe_dump(config))
    ran = shell("import", "vorcunus", "map.yaml", "-o", "jhext.yaml")
    assert ran.stdout == ""
    assert yaml.safe_load(Path("jhext.yaml").read_text()) == {"profiles": []}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["2i2c", "nowhere.yaml"], "No such file"),
        (["2i2c", "broken.yaml"], "broken.yaml"),
        (["2i2c", "date.yaml"], "month must be in"),
        (["2i2c", "empty.yaml"], "there are no profiles here"),
        (["nebari", "map.yaml", "map.yaml"], "one document is expected"),
        (["2i2c", "map.yaml", "-o", "no/such/folder"], "No such file"),
    ],
)
def test_what_cannot_be_read(shell: Any, arguments: list[str], message: str) -> None:
    shell.write(
        broken__yaml="a: [",
        date__yaml="a: 2026-13-45",
        empty__yaml="",
        map__yaml="singleuser: {profileList: [{slug: a}]}",
    )
    ran = shell("import", *arguments)
    assert ran.code == 2
    assert message in ran.stderr


def test_unknown_system(shell: Any) -> None:
    assert shell("import", "slurm", "values.yaml").code == 2
