"""A machine that knows no cluster is told so, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from kubernetes_asyncio.config import ConfigException
from typer.testing import CliRunner

from jhext import kube
from jhext.cli import application
from jhext.doctor.cluster import look_at_cluster


async def problem(file: Path) -> str:
    with pytest.raises(ConfigException) as raised:
        async with kube.connected(kubeconfig=file):
            pass
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1", "is no kubeconfig: ParserError"),
        ("token: s3cret: x", "is no kubeconfig: ScannerError"),
        ("5", "is no kubeconfig: TypeError"),
        ("{}", "Expected key current-context"),
        ("current-context: x", "Expected object with name x"),
    ],
)
async def test_files_that_are_no_kubeconfig(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(text)
    told = await problem(file)
    assert message in told
    assert "s3cret" not in told


async def test_nothing_else_is_said_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The client would log a line of its own, for two paths as for one."""
    paths = f"{tmp_path / 'a'}:{tmp_path / 'b'}"
    monkeypatch.setattr(kube, "KUBE_CONFIG_DEFAULT_LOCATION", paths)
    found = await look_at_cluster([])
    assert found.problem == f"no cluster is known: there is no kubeconfig: {paths}"
    assert caplog.text == ""


def test_the_command_says_it_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube, "KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "no"))
    ran = CliRunner().invoke(application(), ["storage", "list"])
    assert ran.exit_code == 2
    told = "".join(ran.output.split())  # the width of the terminal is not known
    assert told == f"error:noclusterisknown:thereisnokubeconfig:{tmp_path / 'no'}"
