"""Configurations as commands read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from jhext.offline.configuration import Configuration, read_configuration

Configured = Callable[..., Configuration]
SMALL = {"display_name": "Small", "allow_all": True}


@pytest.fixture
def configured(tmp_path: Path) -> Configured:
    """Read a ``jhext.yaml`` and what follows it in a ``jupyterhub_config.py``."""

    def read(settings: dict[str, Any] | None = None, python: str = "") -> Configuration:
        file = tmp_path / "jhext.yaml"
        file.write_text(yaml.safe_dump(settings or {"profiles": [SMALL]}))
        config = tmp_path / "jupyterhub_config.py"
        config.write_text(f"import jhext\njhext.configure(c, {str(file)!r})\n{python}\n")
        return read_configuration(config)

    return read
