"""The package as a whole."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import jhext

ROOT = Path(inspect.getfile(jhext)).parent
MODULES = sorted(ROOT.rglob("*.py"))


def test_public_names() -> None:
    assert set(jhext.__all__) == {
        "CILogonOAuthenticator",
        "GenericOAuthenticator",
        "GitHubOAuthenticator",
        "HeaderAuthenticator",
        "LDAPAuthenticator",
        "ProfileKubeSpawner",
        "configure",
        "database_url",
        "load_config_dir",
    }
    for name in jhext.__all__:
        # traitlets would apply the section of a parent of the same name twice
        parents = getattr(getattr(jhext, name), "__mro__", ())[1:]
        assert getattr(jhext, name).__name__ not in {parent.__name__ for parent in parents}
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        jhext.nothing  # noqa: B018


def test_entry_point() -> None:
    (point,) = entry_points(group="jupyterhub.spawners", name="jhext")
    assert point.load() is jhext.ProfileKubeSpawner


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_d43_data_is_never_run_as_code(path: Path) -> None:
    for name, call in calls(path):
        assert name not in ("eval", "exec", "compile", "os.system", "pickle.loads", "marshal.loads")
        assert not name.startswith(("yaml.load", "yaml.unsafe", "yaml.full")), ast.unparse(call)
        assert "shell=True" not in map(ast.unparse, call.keywords)
