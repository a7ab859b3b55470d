"""Keys that take each other's place, without anybody's auth_state being lost."""

from __future__ import annotations

import pytest
from cryptography.fernet import InvalidToken
from jupyterhub.crypto import CryptKeeper

from jhext.crypt_keys import rotated, split

A, B, C = ("aa" * 32, "bb" * 32, "cc" * 32)


@pytest.mark.parametrize(
    ("text", "keys"),
    [("", []), (A, [A]), (f"{A};{B}\n", [A, B]), (f" {A} ;\n{B};;", [A, B])],
)
def test_split(text: str, keys: list[str]) -> None:
    assert split(text) == keys


@pytest.mark.parametrize(
    ("keys", "keep", "kept"),
    [([], 1, []), ([A], 1, [A]), ([A, B], 1, [A]), ([A, B], 2, [A, B]), ([], 0, [])],
)
def test_new_key_comes_first(keys: list[str], keep: int, kept: list[str]) -> None:
    new, *old = rotated(keys, keep)
    assert old == kept
    assert new not in keys
    assert rotated(keys, keep)[0] != new


def test_what_is_stored_stays_readable() -> None:
    with pytest.raises(ValueError, match="keep at least one"):
        rotated([A], 0)


async def test_jupyterhub_reads_what_it_wrote_before() -> None:
    before = await CryptKeeper(keys=[A]).encrypt({"token": "t"})
    keys = rotated([A], 1)
    keeper = CryptKeeper(keys=keys)
    assert await keeper.decrypt(before) == {"token": "t"}
    after = await keeper.encrypt({"token": "t"})
    assert await CryptKeeper(keys=rotated(keys, 1)[1:]).decrypt(after) == {"token": "t"}
    with pytest.raises(InvalidToken):
        await CryptKeeper(keys=[A]).decrypt(after)
