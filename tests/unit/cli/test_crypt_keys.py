"""``jhext crypt-keys``: what is printed is the next value, and nothing else tells it."""

from __future__ import annotations

from typing import Any

import pytest

A, B = "aa" * 32, "bb" * 32


@pytest.mark.parametrize("from_file", [True, False])
def test_next_value(shell: Any, monkeypatch: pytest.MonkeyPatch, from_file: bool) -> None:
    shell.write(keys=f"{A};{B}\n")
    monkeypatch.setenv("JUPYTERHUB_CRYPT_KEY", "" if from_file else f"{A};{B}")
    ran = shell("crypt-keys", "rotate", *(["--file", "keys"] if from_file else []))
    new, *old = ran.stdout.strip().split(";")
    assert (len(new), old, ran.code) == (64, [A], 0)
    assert ran.stderr == "1 key is new, 1 still decrypt, 1 are left out\n"


def test_the_first_key(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUPYTERHUB_CRYPT_KEY", raising=False)
    assert len(shell("crypt-keys", "rotate").stdout.strip()) == 64


def test_none_is_lost(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_CRYPT_KEY", A)
    ran = shell("crypt-keys", "rotate", "--keep", "0")
    assert (ran.code, ran.stdout) == (2, "")
    assert A not in ran.stderr
