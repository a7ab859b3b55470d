"""Which numbers may be a uid or a gid."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.identity.errors import BadValueError
from jhext.identity.ids import IdRules, parse_id

RULES = IdRules()


@pytest.mark.parametrize(("value", "number"), [(1000, 1000), ("1000", 1000), (0, 0), ("0", 0)])
def test_numbers_and_their_digits_are_ids(value: Any, number: int) -> None:
    assert parse_id(value) == number


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "not a whole decimal number"),
        (True, "not a whole decimal number"),
        (1000.0, "not a whole decimal number"),
        (float("nan"), "not a whole decimal number"),
        (b"1000", "not a whole decimal number"),
        ("", "not a whole decimal number"),
        ("1e3", "not a whole decimal number"),
        ("0x3e8", "not a whole decimal number"),
        ("01000", "not a whole decimal number"),
        ("1_000", "not a whole decimal number"),
        (" 1000", "not a whole decimal number"),
        ("1000\n", "not a whole decimal number"),
        ("+1000", "not a whole decimal number"),
        ("-1", "not a whole decimal number"),
        ("\N{ARABIC-INDIC DIGIT ONE}000", "not a whole decimal number"),
        ({}, "not a whole decimal number"),
        (["1000"], "is a list"),
        ((1000,), "is a list"),
        (-1, "ids go from 0"),
        (2**32 - 1, "ids go from 0"),
        (2**32, "ids go from 0"),
        ("4294968296", "ids go from 0"),
        ("9" * 20, "ids go from 0"),
    ],
)
def test_d23_everything_else_is_refused_with_a_reason(value: Any, why: str) -> None:
    with pytest.raises(BadValueError, match=why):
        parse_id(value)


@pytest.mark.parametrize(
    ("uid", "why"),
    [
        (0, "0 is root"),
        ("0", "0 is root"),
        (1, "not between 1000 and"),
        (999, "not between 1000 and"),
        (65534, "reserved"),
        (65535, "reserved"),
        (2**31, "more than Kubernetes takes"),
        (2**32 - 2, "more than Kubernetes takes"),
    ],
)
def test_d23_uids_out_of_range_are_refused(uid: Any, why: str) -> None:
    with pytest.raises(BadValueError, match=why):
        RULES.uid(uid)


@pytest.mark.parametrize("gid", [0, 1, 99, 65534, 2**31])
def test_gids_out_of_range_are_refused(gid: int) -> None:
    with pytest.raises(BadValueError):
        RULES.gid(gid)


def test_ends_of_the_ranges_belong_to_them() -> None:
    rules = IdRules(min_uid=2000, max_uid=2001, min_gid=30, max_gid=31)
    assert [rules.uid(2000), rules.uid(2001), rules.gid(30), rules.gid(31)] == [2000, 2001, 30, 31]


def test_root_needs_allow_root_and_nothing_else() -> None:
    rules = IdRules(allow_root=True)
    assert (rules.uid(0), rules.gid("0")) == (0, 0)
    with pytest.raises(BadValueError):
        rules.uid(1)


@given(st.one_of(st.integers(), st.text(), st.floats(), st.booleans(), st.none()))
def test_d23_what_is_accepted_is_the_number_that_was_given(value: Any) -> None:
    try:
        number = RULES.uid(value)
    except BadValueError:
        return
    assert type(number) is int
    assert 1000 <= number < 2**31
    assert str(number) == str(value)
