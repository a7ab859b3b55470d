"""The environment of a local hub's programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from jhext.demo.hub import environment


def test_no_other_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """KubeSpawner prefers the cluster that it runs in to any kubeconfig."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    assert not [name for name in environment() if name.startswith("KUBERNETES_SERVICE")]


def test_own_programs_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/somewhere")
    path = environment()["PATH"].split(os.pathsep)
    assert path == [str(Path(sys.executable).parent), "/somewhere"]


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_no_proxy_for_this_machine(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv(name, "example.org")
    env = environment(EXTRA="1")
    assert env["no_proxy"] == env["NO_PROXY"] == "127.0.0.1,localhost,example.org"
    assert env["EXTRA"] == "1"
