"""How full a home is: what an answer says, and what is told of it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from jhext.storage.quota import FullHome, QuotaSettings, full_home
from jhext.storage.settings import StorageSettings

URL = "https://quota.example.org/{username}"
CLAIM_HOME = {"home": {"source": {"type": "claim"}}, "claims": {"home": {}}}
PROMETHEUS = {"data": {"result": [{"value": [1792300000.1, "524288"]}]}}


def settings(**more: Any) -> QuotaSettings:
    return QuotaSettings.model_validate({"url": URL, "available": "/free", "free": "1M"} | more)


USED: dict[str, Any] = {"available": None, "used": "/u", "limit": "/l"}


@pytest.mark.parametrize(
    ("document", "more", "available"),
    [
        ({"free": 2**20}, {}, None),
        ({"free": 2**20 - 1}, {}, 2**20 - 1),
        ({"free": "512Ki"}, {}, 2**19),
        ({"free": "1.048576e+06"}, {}, None),
        ({"free": 5.5}, {}, 5),
        ({"free": -7}, {}, 0),
        ({"u": "9Gi", "l": "10Gi"}, USED, None),
        ({"u": "10Gi", "l": "10Gi"}, USED, 0),
        ({"u": "11Gi", "l": "10Gi"}, USED, 0),
        (PROMETHEUS, {"available": "/data/result/0/value/1"}, 2**19),
    ],
)
def test_what_an_answer_says(document: Any, more: dict[str, Any], available: int | None) -> None:
    expected = None if available is None else FullHome(available, "")
    assert full_home(document, settings(**more)) == expected


@pytest.mark.parametrize("value", [True, "much", "", [1], {}, "1e999999999"])
def test_what_is_no_number_is_none(value: Any) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        full_home({"free": value}, settings())


@pytest.mark.parametrize("document", [{}, [], None, "1", {"free": None}, {"data": {"result": []}}])
def test_answer_may_say_nothing(document: Any) -> None:
    with pytest.raises(LookupError, match="nothing at /free"):
        full_home(document, settings())


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_no_answer_does_more_than_not_to_count(value: Any) -> None:
    with suppress(ValueError, LookupError):
        full_home({"free": value}, settings())


def test_it_is_told_in_words_and_nothing_in_them_is_markup() -> None:
    full = FullHome(3 * 2**20 // 2, "rescue")
    assert full.text("Make room") == (
        'Your home is full, 1.5 MiB are left. To make room, start "Make room".'
    )
    assert "nothing is left. Please make room." in FullHome(0, "rescue").text("")
    assert "<script>" not in full.notice("<script>")


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"url": "http://quota.example.org/{username}"}, "use https"),
        ({"url": "https://quota.example.org/"}, "no {username}"),
        ({"url": "https://{claim}/"}, "no {claim}"),
        ({"url": URL + "{claim}"}, "only placeholder"),
        ({"available": None}, "say available, or used and limit"),
        ({"available": None, "used": "/u"}, "say available, or used and limit"),
        ({"used": "/u", "limit": "/l"}, "say available, or used and limit"),
        ({"available": "free"}, "no JSON pointer"),
        ({"free": "much"}, "is no quantity"),
    ],
)
def test_faults_are_told_at_once(keys: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem.replace("{", r"\{")):
        settings(**keys)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"init": {"room": {"rescue_profile": "other"}}}, "init.room has another one"),
        ({"home": {"source": {"type": "empty_dir"}}}, "needs homes of type claim"),
        ({"home": None}, "needs homes of type claim"),
    ],
)
def test_it_fits_the_rest_of_the_section(more: dict[str, Any], problem: str) -> None:
    quota = {"url": "https://q/{claim}", "available": "/a", "rescue_profile": "rescue"}
    assert StorageSettings.model_validate(CLAIM_HOME | {"quota": quota}).rescue_profile == "rescue"
    with pytest.raises(ValidationError, match=problem):
        StorageSettings.model_validate(CLAIM_HOME | {"quota": quota} | more)
