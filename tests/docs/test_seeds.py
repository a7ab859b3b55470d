"""The page of capabilities has every row, and what a row names is there."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from pathlib import Path

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from jhext.cli import application
from jhext.profiles.schema import WrittenProfile
from jhext.settings import Settings
from tests.docs.configurables import CONFIGURABLES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "seeds.md").read_text()
ROWS_OF = {"S1": 58, "S2": 28, "S3": 36, "S4": 59, "S5": 22}
ROWS_OF |= {"N-ARCH": 8, "N-ID": 12, "N-RES": 12}
ROWS = re.findall(r"^\| ((?:S\d|N-[A-Z]+)\.\d+) \| (.+?) \| (.+) \|$", PAGE, re.MULTILINE)
NAMED = sorted({(row, name) for row, _, where in ROWS for name in re.findall("`([^`]+)`", where)})
FOLDERS = ("jhext", "docs", "tests", "example_configs", "benchmarks")
NO_NAMES = {
    "unlisted_choice",
    "email",
    "jhext.yaml",
    "jupyterhub_config.py",
    "mountpoints.json",
} | {
    *("{env:}", "{file:}", "jhext-culler", "make test", "enableServiceLinks"),
    *("oc apply", "kubectl apply"),
    *("host_path", "nfs", "csi", "shared_claim", "rest", "platform", "act_as", "mount_path"),
    *("when_in_use", "data_source", "selector"),
}


def test_every_row_is_there_once_and_in_order() -> None:
    expected = [f"{seed}.{n}" for seed, rows in ROWS_OF.items() for n in range(1, rows + 1)]
    assert [row for row, _, _ in ROWS] == expected


def test_what_is_named_exists() -> None:
    assert [found for found in NAMED if not exists(found[1])] == []


def exists(name: str) -> bool:
    match name.split():
        case ["jhext", *words]:
            return is_command(words)
        case [one] if one.split("/")[0] in FOLDERS and "/" in one:
            return (ROOT / one).exists()
        case [one] if one.startswith("c."):
            _, section, trait = one.split(".")
            return trait in CONFIGURABLES[section].class_trait_names(config=True)
        case [one] if one.split(".")[0] in Settings.model_fields:
            return is_setting(one.split("."))
        case _:
            return name in NO_NAMES


def is_command(words: list[str]) -> bool:
    command: typing.Any = typer.main.get_command(application())
    for word in words:
        command = command.commands.get(word)
        if command is None:
            return False
    return True


def is_setting(keys: list[str]) -> bool:
    models: list[type[BaseModel]] = [Settings]
    if keys[0] == "profiles":
        keys, models = keys[1:], [WrittenProfile]
    for key in keys:
        fields = [model.model_fields[key] for model in models if key in model.model_fields]
        if not fields:
            return False
        models = [model for found in fields for model in models_in(found)]
    return True


def models_in(field: FieldInfo) -> Iterator[type[BaseModel]]:
    waiting = [field.annotation]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield kind
        waiting += typing.get_args(kind)


def test_what_is_not_here_says_why() -> None:
    without = re.compile("not here(?!(, on purpose)?: )")
    assert [row for row, _, where in ROWS if without.search(where)] == []
