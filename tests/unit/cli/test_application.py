"""The command line finds its commands, and is quick to say so."""

from __future__ import annotations

import subprocess
import sys

from typer.testing import CliRunner

from jhext.cli import application

HEAVY = ("jupyterhub", "kubespawner", "kubernetes_asyncio", "pydantic", "aiohttp", "tornado")


def test_help_names_the_commands() -> None:
    result = CliRunner().invoke(application(), ["--help"])
    assert result.exit_code == 0
    assert "demo" in result.output


def test_unknown_command_is_an_error() -> None:
    assert CliRunner().invoke(application(), ["dmo"]).exit_code == 2


def test_help_loads_nothing_heavy() -> None:
    code = f"""
import sys
from jhext.cli import application
application()
print([name for name in {HEAVY} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
