"""The oldest releases that the tests run with are those that the package asks for."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]


def test_oldest_constraints_are_the_lower_bounds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = [*project["dependencies"], *project["optional-dependencies"]["demo"]]
    bounds = {
        wanted.name: Version(clause.version)
        for wanted in map(Requirement, requirements)
        for clause in wanted.specifier
        if clause.operator == ">="
    }
    lines = (ROOT / "tests" / "constraints-oldest.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    assert {name: Version(pin) for name, pin in pins.items()} == bounds
