"""Selectors: each term by itself, and all of them together."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.devcluster.errors import ApiError
from jhext.devcluster.resources import CONFIG_MAPS, PODS
from jhext.devcluster.selectors import field_predicate, field_value, label_predicate

NAMES = st.from_regex(r"[a-z][a-z0-9./-]{0,8}[a-z0-9]", fullmatch=True)
LABELS = st.dictionaries(NAMES, NAMES | st.just(""), max_size=4)


def labelled(labels: dict[str, str] | None) -> dict[str, Any]:
    return {"metadata": {"name": "a", **({} if labels is None else {"labels": labels})}}


@given(labels=LABELS, key=NAMES, value=NAMES)
def test_terms_and_their_opposites(labels: dict[str, str], key: str, value: str) -> None:
    obj = labelled(labels)
    for term, opposite in (
        (f"{key}={value}", f"{key}!={value}"),
        (f"{key} in ({value},other)", f"{key} notin ({value},other)"),
        (key, f"!{key}"),
    ):
        assert label_predicate(term)(obj) is not label_predicate(opposite)(obj)
    assert label_predicate(f"{key}={value}")(obj) is (labels.get(key) == value)
    assert label_predicate(key)(obj) is (key in labels)


@given(labels=LABELS)
def test_an_object_is_selected_by_its_own_labels(labels: dict[str, str]) -> None:
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    assert label_predicate(selector)(labelled(labels))
    assert not label_predicate(f"{selector},missing" if selector else "missing")(labelled(labels))


def test_no_labels_at_all() -> None:
    assert label_predicate("a!=b")(labelled(None))
    assert not label_predicate("a")(labelled(None))


@pytest.mark.parametrize(
    "text", ["a b", "a in", "a in (b", "in (a)", "=a", ",", "a,", "a,,b", "()"]
)
def test_unreadable(text: str) -> None:
    with pytest.raises(ApiError) as refused:
        label_predicate(text)
    assert refused.value.code == 400


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (label_predicate, lambda t: field_predicate(t, PODS)):
        with suppress(ApiError):
            parse(text)(labelled({}))


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, ""), (True, "true"), (False, "false"), (3, "3"), ("x", "x")],
)
def test_field_values_are_compared_as_text(value: Any, expected: str) -> None:
    assert field_value({"spec": {"f": value}}, "spec.f") == expected


def test_fields_that_are_missing_are_empty() -> None:
    assert field_value({}, "spec.nodeName") == ""
    assert field_predicate("spec.nodeName=", PODS)(labelled({}))
    assert not field_predicate("spec.nodeName!=", PODS)(labelled({}))


def test_only_known_fields() -> None:
    for resource, text in ((PODS, "spec.hostname=a"), (CONFIG_MAPS, "status.phase=a")):
        with pytest.raises(ApiError):
            field_predicate(text, resource)
