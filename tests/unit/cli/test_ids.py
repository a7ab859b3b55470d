"""``jhext ids``: releasing what the ledger remembers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jhext.identity.build import ledger_of
from jhext.identity.ledger import Holder
from jhext.identity.source import Workers
from jhext.settings import load_settings

CONFIG = "identity: {sources: [{type: auth_state}], ledger: 'sqlite:///ids.sqlite'}\n"
ANN, BOB = Holder("campus", "8f14", "ann"), Holder("campus", "77aa", "bob")


async def claim(holder: Holder) -> Holder | None:
    settings = load_settings("jhext.yaml").identity
    assert settings
    workers = Workers(1)
    ledger = ledger_of(settings, workers)
    try:
        return await ledger.claim(1001, holder)
    finally:
        await ledger.close()
        workers.close()


def test_released_uid_is_for_the_next_one(shell: Any) -> None:
    shell.write(jhext__yaml=CONFIG)
    assert asyncio.run(claim(ANN)) is None
    assert asyncio.run(claim(BOB)) == ANN
    forgotten = shell("ids", "forget", "1001")
    assert forgotten.code == 0
    assert forgotten.stdout == "uid 1001 was ann's (source campus, subject 8f14)\n"
    assert shell("ids", "forget", "1001").code == 1
    assert asyncio.run(claim(BOB)) is None


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("profiles: []", "no ledger is kept"),
        ("identity: {mode: platform}", "no ledger is kept"),
        (CONFIG.replace("ledger", "unique_uid: 'off', ledger"), "no ledger is kept"),
        (CONFIG, "no such table"),
        (CONFIG.replace("sqlite:///", "nosql://:s3cret@"), "ledger"),
        (CONFIG.replace("'sqlite:///ids.sqlite'", "{env: JHEXT_NO_SUCH}"), "JHEXT_NO_SUCH"),
        ("identity: {sauces: []}", "sauces"),
    ],
)
def test_no_ledger_is_an_error_in_words(shell: Any, config: str, told: str) -> None:
    shell.write(jhext__yaml=config)
    answer = shell("ids", "forget", "1001")
    assert answer.code == 2
    assert told in answer.stderr
    assert "s3cret" not in answer.stderr
