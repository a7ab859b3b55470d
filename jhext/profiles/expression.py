"""CEL expressions in access rules, compiled once.

The Common Expression Language is what Kubernetes' own admission policies are written in. It has
no loops, no side effects and no way to reach Python.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import cel

from .finding import FaultyError, did_you_mean

VARIABLES = frozenset({"user", "groups", "admin", "server_name", "now", "claims"})
"""What a rule may speak about. Tokens are not among it."""

FUNCTIONS = frozenset(
    {"size", "contains", "startsWith", "endsWith", "matches"}
    | {"int", "uint", "double", "string", "bytes", "timestamp", "duration"}
    | {"getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours"}
    | {"getMilliseconds", "getMinutes", "getMonth", "getSeconds"}
)
"""The functions of CEL's standard library that the evaluator knows."""

MAX_NESTING = 2
"""Macros in one another: each goes through all groups of a person, and nothing interrupts them."""

_MACRO = r"\.\s*(?:all|exists|exists_one|map|filter)\s*\("
# The evaluator reports the variable of a macro beside the free ones; this finds its name.
_MACRO_VARIABLE = re.compile(_MACRO + r"\s*([A-Za-z_]\w*)\s*,")
_TOKEN = re.compile(
    r"(?P<text>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|//[^\n]*)"
    rf"|(?P<macro>{_MACRO})|(?P<open>\()|(?P<close>\))",
    re.DOTALL,
)

_SOMEBODY = {
    "user": "somebody",
    "groups": ["some"],
    "admin": False,
    "server_name": "",
    "now": datetime(2000, 1, 1, tzinfo=UTC),
    "claims": dict[str, Any](),
}
"""Variables of the types that all people have. Of claims nothing is known beforehand."""


class Expression:
    """A compiled CEL expression.

    Parameters
    ----------
    source
        The expression as written.

    Raises
    ------
    ValueError
        It is not CEL, names a variable or function that rules do not have, asks a variable for
        what its type does not have, or nests macros too deep.
    """

    __slots__ = ("_program", "source", "variables")

    def __init__(self, source: str) -> None:
        try:
            program = cel.compile(source)
        except ValueError as error:
            raise ValueError(f"not a CEL expression: {error}") from None
        named = set(program.variables())
        if unknown := sorted(named - VARIABLES - set(_MACRO_VARIABLE.findall(source))):
            known = f"rules have {', '.join(sorted(VARIABLES))}"
            raise FaultyError(f"unknown variable {', '.join(unknown)}", known)
        # Operators are listed as functions too, under names that no identifier can have.
        functions = {name for name in program.functions() if name.isidentifier()}
        if unknown := sorted(functions - FUNCTIONS):
            known = f"rules have {', '.join(sorted(FUNCTIONS))}"
            suggestion = did_you_mean(unknown[0], FUNCTIONS, known)
            raise FaultyError(f"unknown function {', '.join(unknown)}", suggestion)
        if _nesting(source) > MAX_NESTING:
            message = f"more than {MAX_NESTING} macros (exists, all, …) in one another"
            raise FaultyError(message, "write two rules, or one claim that says it")
        self.source = source
        self.variables = named & VARIABLES
        self._program = program
        self._try_out()

    def _try_out(self) -> None:
        """Evaluate for somebody: what fails by its types fails for everybody."""
        try:
            self._program.execute(dict(_SOMEBODY))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            message = str(error).partition(". ")[0]
            if isinstance(error, TypeError) or message.startswith("Undefined"):
                raise ValueError(f"has no value for anybody: {message}") from None

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """Evaluate with these variables.

        Raises
        ------
        EvaluationError
            For every way in which an evaluation can fail: a missing claim, mixed types,
            a value that CEL cannot hold, an overflow.
        """
        try:
            return self._program.execute(dict(variables))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            # A panic of the evaluator does not derive from Exception, and must not get by.
            raise EvaluationError(self._without_values(error)) from None

    def _without_values(self, error: BaseException) -> str:
        """Name an error without telling claims: only a key that the rule itself names is told."""
        kind = type(error).__name__
        key = error.args[0] if isinstance(error, KeyError) and error.args else None
        return f"{kind}: {key!r}" if isinstance(key, str) and key in self.source else kind

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)


def _nesting(source: str) -> int:
    """Count how deep macros lie in one another."""
    macros: list[bool] = []
    deepest = 0
    for token in _TOKEN.finditer(source):
        if token["close"] and macros:
            macros.pop()
        elif token["macro"] or token["open"]:
            macros.append(bool(token["macro"]))
            deepest = max(deepest, sum(macros))
    return deepest


class EvaluationError(Exception):
    """An expression has no value for this person."""
