"""People from files: the short shape, and what JupyterHub's API gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from jhext.offline.people import read_people
from jhext.profiles.finding import ConfigurationError


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "people.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "ada: {groups: [lab], admin: true, claims: {x: 1}}\nbob: [lab, staff]\ncy:\n",
        """[{"kind": "user", "name": "ada", "admin": true, "groups": ["lab"], "claims": {"x": 1}},
            {"name": "bob", "groups": ["lab", "staff"], "servers": {}},
            {"name": "cy", "last_activity": null}]""",
    ],
)
def test_shapes(tmp_path: Path, text: str) -> None:
    assert [
        (person.user, sorted(person.groups), person.admin, dict(person.claims))
        for person in read_people(written(tmp_path, text))
    ] == [
        ("ada", ["lab"], True, {"x": 1}),
        ("bob", ["lab", "staff"], False, {}),
        ("cy", [], False, {}),
    ]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", ""),
        ("3", ""),
        ("[ada]", ""),
        ("[{groups: [lab]}]", ""),
        ("ada: {group: [lab]}", "ada.group"),
        ("ada: {groups: lab}", "ada.groups"),
        ("ada: lab", "ada"),
        ("1: [lab]", "1"),
        ("ada: [", ""),
    ],
)
def test_other_shapes_are_errors(tmp_path: Path, text: str, where: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_people(written(tmp_path, text))
    assert caught.value.findings[0].path == where
    assert caught.value.findings[0].file.endswith("people.yaml")
