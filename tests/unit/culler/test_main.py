"""What the command of the culler prints is what the hub says."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from jhext.culler.__main__ import main
from tests.unit.culler.fake_hub import FakeHub, running


async def test_names_between_colons_stay_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``:x:`` is the name of an emoji."""
    settings = tmp_path / "jhext.yaml"
    settings.write_text("culler: {timeout: 1h}\n")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "secret")
    async with FakeHub({"lab:x:eve": {"": running(7200)}}).serving() as hub:
        arguments = ["--settings", str(settings), "--url", hub.url, "--dry-run"]
        assert await asyncio.to_thread(main, arguments) == 0
    assert "lab:x:eve" in capsys.readouterr().out
