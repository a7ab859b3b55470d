"""What is known of a server stands in a query as a string that nothing breaks out of."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.culler.promql import NAMES, bind, check

VALUES = {"pod": "jupyter-bob", "namespace": "hub", "user": 'b"\\b\n', "server": ""}


@pytest.mark.parametrize(
    ("query", "bound"),
    [
        ("up{pod=$pod}", 'up{pod="jupyter-bob"}'),
        ("up{u!=$user,s=$server}", r'up{u!="b\"\\b\n",s=""}'),
        ("a{x=~'$', pod=$pod} # all of $pod", None),
        ('a{x=~"^b$",pod=$pod}', 'a{x=~"^b$",pod="jupyter-bob"}'),
        ('a{x="\\"",pod=$pod}', 'a{x="\\"",pod="jupyter-bob"}'),
        ("up > 5", "up > 5"),
        ("", ""),
    ],
)
def test_names_become_strings(query: str, bound: str | None) -> None:
    if bound is None:
        with pytest.raises(ValueError, match="without quotes"):
            check(query)
    else:
        assert bind(check(query), VALUES) == bound


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ('up{pod="$pod"}', "without quotes"),
        ("up{pod='x$pod'}", "without quotes"),
        ("up{pod=`$pod`}", "without quotes"),
        ("up{pod=~$pod}", "no pattern"),
        ("up{pod!~ $pod}", "no pattern"),
        ("up{pod=$pods}", r"not \$pods"),
        ("up{pod=$}", r"not \$"),
    ],
)
def test_names_where_they_would_mean_something_else(query: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check(query)


@given(st.text())
def test_any_value_is_one_string(value: str) -> None:
    bound = bind("up{user=$user} > bool 1", dict.fromkeys(NAMES, value))
    string = bound.removeprefix("up{user=").removesuffix("} > bool 1")
    assert re.fullmatch(r'"(?:[^"\\\n]|\\.)*"', string)
    assert json.loads(string) == value


def test_what_is_not_known_is_not_left_out() -> None:
    with pytest.raises(KeyError):
        bind("up{pod=$pod}", {})
