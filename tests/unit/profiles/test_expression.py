"""CEL expressions: what compiles, and every way in which evaluating can go wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhext.profiles.access import Person
from jhext.profiles.expression import EvaluationError, Expression

ANN = Person(
    user="ann",
    groups=frozenset({"lab", "/hpc/gpu"}),
    server_name="big",
    claims={"affiliation": "staff", "teams": ["a"], "a-b": 1, "deep": {"x": None}},
    now=datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
)


NESTED = "groups.exists(a, groups.all(b, true))"


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("user == 'ann'", True),
        (f"{NESTED} && {NESTED} && user != '.all(.all(.all('", True),
        ("groups[0] != '' || true", True),
        ("'lab' in groups && !('interns' in groups)", True),
        ("groups.exists(g, g.startsWith('/hpc/'))", True),
        ("groups.all(g, g.contains('a'))", False),
        ("groups.exists_one(group, group == 'lab')", True),
        ("groups.map(g, size(g))", [8, 3]),
        ("groups.filter(g, g.endsWith('b')) == ['lab']", True),
        ("user.matches('^a.n$')", True),
        ("server_name == ''", False),
        ("claims.affiliation in ['staff', 'faculty']", True),
        ("has(claims.nothing)", False),
        ("has(claims.affiliation)", True),
        ("claims['a-b'] == 1", True),
        ("claims.deep.x == null", True),
        ("now < timestamp('2027-01-01T00:00:00Z') && now.getHours() >= 9", True),
        ("now.getDayOfWeek() == 1", True),
        ("admin ? 'yes' : 'no'", "no"),
        ("claims.affiliation == 'a' // a remark", False),
    ],
)
def test_values(source: str, value: Any) -> None:
    assert Expression(source).evaluate(ANN.variables) == value


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "not a CEL expression"),
        ("user ==", "not a CEL expression"),
        ("user = 'ann'", "not a CEL expression"),
        ("username == 'ann'", "unknown variable username; rules have admin, claims, groups"),
        ("auth_state.access_token != ''", "unknown variable auth_state"),
        ("token", "unknown variable token"),
        ("groups.exists(g, h == 'x')", "unknown variable h"),
        ("lower(user) == 'ann'", "unknown function lower"),
        ("user.format('%s') == ''", "unknown function format"),
        ("user.name == 'ann'", "has no value for anybody: No such overload"),
        ("'x' in user", "has no value for anybody"),
        ("now > 3", "has no value for anybody"),
        ("user + 3 == 'x'", "has no value for anybody: Unsupported operation"),
        ("now.getHours('x', 'y', 'z') == 3", "has no value for anybody"),
        ("user.__class__ == ''", "has no value for anybody"),
        (NESTED.replace("true", f"({NESTED})"), "more than 2 macros"),
        ("(" * 1000 + "true" + ")" * 1000, "not a CEL expression"),
    ],
)
def test_what_is_no_rule_is_an_error(source: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        Expression(source)


@pytest.mark.parametrize(
    "source",
    [
        "claims.nothing == 1",
        "claims.affiliation.x",
        "claims.affiliation > 1",
        "1 / 0 == 1",
        "9223372036854775807 + 1 > 0",
        "timestamp('no time') < now",
        "int(user) == 1",
        "user.matches('(')",
        "timestamp('9999-12-31T00:00:00Z') + duration('99999h') > now",
        "groups[99] == ''",
    ],
)
def test_whatever_fails_is_an_evaluation_error(source: str) -> None:
    expression = Expression(source)
    with pytest.raises(EvaluationError):
        expression.evaluate(ANN.variables)


def test_panic_of_the_evaluator_is_an_evaluation_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        """What Rust code raises for its bugs; it derives from no Exception."""

    class Program:
        def execute(self, variables: Any) -> Any:
            raise PanicException("index out of bounds")

    expression = Expression("true")
    monkeypatch.setattr(expression, "_program", Program())
    with pytest.raises(EvaluationError, match="PanicException"):
        expression.evaluate({})


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_signals_get_through(monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]) -> None:
    class Program:
        def execute(self, variables: Any) -> Any:
            raise stop

    expression = Expression("true")
    monkeypatch.setattr(expression, "_program", Program())
    with pytest.raises(stop):
        expression.evaluate({})


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(claims=st.dictionaries(st.sampled_from(["x", "y"]), json))
def test_claims_of_any_shape_end_in_a_value_or_an_evaluation_error(claims: dict[str, Any]) -> None:
    variables = Person("ann", claims=claims).variables
    for source in ("claims.x == 'staff'", "'staff' in claims.x", "claims.x.y > 1", "claims"):
        try:
            Expression(source).evaluate(variables)
        except EvaluationError:
            continue


@pytest.mark.parametrize(
    ("source", "variables"),
    [
        ("true", set()),
        ("user == 'claims'", {"user"}),
        ("claims.x && 'a' in groups", {"claims", "groups"}),
        ("groups.exists(g, g == 'x')", {"groups"}),
        # Names of its own hide none of ours.
        ("groups.exists(claims, claims == 'x') && has(claims.role)", {"groups", "claims"}),
        ("'.all(claims, ' != '' && has(claims.role)", {"claims"}),
    ],
)
def test_variables_it_speaks_about(source: str, variables: set[str]) -> None:
    assert Expression(source).variables == variables


def test_equal_by_source() -> None:
    assert Expression("user == 'a'") == Expression("user == 'a'")
    assert Expression("user == 'a'") != Expression("user == 'b'")
    assert Expression("true") != "true"
    assert len({Expression("true"), Expression("true")}) == 1
    assert repr(Expression("true")) == "Expression('true')"
