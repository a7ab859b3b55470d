"""No secret is left in what is shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.offline.mask import MASK, mask

WORDS = st.text(
    st.characters(codec="ascii", categories=["L", "N", "P"], exclude_characters=MASK), min_size=4
)


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("JUPYTERHUB_API_TOKEN", True),
        ("JPY_API_TOKEN", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("DB_PASSWORD", True),
        ("MY_APIKEY", True),
        ("JUPYTERHUB_USER", False),
        ("KEYBOARD", False),
    ],
)
def test_variables_whose_names_speak_of_secrets(name: str, hidden: bool) -> None:
    assert mask({"name": name, "value": "abc"}, ()) == {
        "name": name,
        "value": MASK if hidden else "abc",
    }


@pytest.mark.parametrize(
    "harmless",
    [
        {"name": "API_TOKEN", "valueFrom": {"secretKeyRef": {"name": "bucket", "key": "token"}}},
        {"name": "API_TOKEN", "value": ""},
        {"name": "URL", "value": "https://example.org/a@b"},
        {"automountServiceAccountToken": False},
    ],
)
def test_what_is_no_secret_stays(harmless: Any) -> None:
    assert mask(harmless, ()) == harmless


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://hub:p4ss@db/hub", f"postgresql://{MASK}@db/hub"),
        ("postgresql+psycopg://hub:p4/s@s:x@db/hub", f"postgresql+psycopg://{MASK}@db/hub"),
        ("redis://:p4ss@cache:6379/0", f"redis://{MASK}@cache:6379/0"),
        (
            "postgresql://db/hub?user=hub&password=p4ss",
            f"postgresql://db/hub?user=hub&password={MASK}",
        ),
        ("https://ghp_p4ss@github.com/lab/course", f"https://{MASK}@github.com/lab/course"),
        ('["http://proxy:3128", "bob@example.org"]', None),
        ("postgresql://hub@db/hub", None),
        ("https://example.org/~bob@home", None),
        ("http://hub:8081/hub/api", None),
    ],
)
def test_passwords_in_urls(url: str, shown: str | None) -> None:
    assert mask([url], ()) == [shown or url]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("--ServerApp.token=abc", f"--ServerApp.token={MASK}"),
        ("DB_PASSWORD=abc run", f"DB_PASSWORD={MASK} run"),
        ("https://example.org/?api-key=abc&x=1", f"https://example.org/?api-key={MASK}&x=1"),
        ("--port=8888", "--port=8888"),
        ("--token-file=", "--token-file="),
    ],
)
def test_words_that_set_what_is_called_a_secret(text: str, shown: str) -> None:
    assert mask(["start", text], ()) == ["start", shown]


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from (key, *texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


@given(
    st.recursive(
        WORDS | st.integers() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
        max_leaves=8,
    ),
    st.sets(WORDS, min_size=1, max_size=3),
)
def test_d24_known_secrets_are_nowhere(manifest: Any, secrets: set[str]) -> None:
    manifest = {"spec": manifest, "args": [f"--key={secret}" for secret in secrets]}
    shown = mask(manifest, secrets)
    found = [text.replace(MASK, " ") for text in texts(shown)]
    assert not [secret for secret in secrets if any(secret in text for text in found)]


def test_a_secret_in_a_secret_leaves_no_rest() -> None:
    assert mask("abcdef abcd", {"abcd", "abcdef"}) == f"{MASK} {MASK}"
