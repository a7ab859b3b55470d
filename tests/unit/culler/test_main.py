"""What the command of the culler prints is what the hub says."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.unit.culler.fake_hub import FakeHub, running


async def test_names_between_colons_stay_words(tmp_path: Path) -> None:
    """``:x:`` is the name of an emoji."""
    settings = tmp_path / "jhext.yaml"
    settings.write_text("culler: {timeout: 1h}\n")
    async with FakeHub({"lab:x:eve": {"": running(7200)}}).serving() as hub:
        # A process of its own, for the command says how loud the log of its process is.
        command = [sys.executable, "-m", "jhext.culler", "--settings", str(settings)]
        process = await asyncio.create_subprocess_exec(
            *command,
            "--url",
            hub.url,
            "--dry-run",
            env={**os.environ, "JUPYTERHUB_API_TOKEN": "secret"},
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()
    assert process.returncode == 0
    assert "lab:x:eve" in printed.decode()
