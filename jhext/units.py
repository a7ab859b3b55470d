"""Durations and quantities as operators write them, such as ``1h30m``, ``500m`` and ``4Gi``.

Kubernetes reads ``4G`` as 4·10⁹, JupyterHub reads it as 4·2³⁰ in ``mem_limit`` and
``mem_guarantee``. Both readings have to stay, so the rule goes by where it is written:

- the memory of a server (`parse_memory`): ``K``, ``M``, ``G`` and ``T`` are JupyterHub's, powers
  of 1024;
- everywhere else (`parse_quantity`): they are Kubernetes', powers of 1000.

``Ki``, ``Mi``, ``Gi``, ``Ti`` mean the same in both places.
"""

from __future__ import annotations

import math
import re
from datetime import timedelta
from fractions import Fraction

_DURATION_UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|[dhms])", re.ASCII)
_DURATION = re.compile(rf"(?:{_DURATION_PART.pattern})+", re.ASCII)
_PLAIN = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_SCALES = {
    **{suffix: Fraction(1024) ** power for suffix, power in _BINARY.items()},
    **{suffix: Fraction(10) ** power for suffix, power in _DECIMAL.items()},
}
_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30}))"
    r"(?:(?P<exponent>[eE][+-]?\d{1,2})|(?P<suffix>[numkMGTPE]|[KMGTPE]i|))",
    re.ASCII,
)


def parse_duration(value: str | float) -> timedelta:
    """Read a duration.

    Parameters
    ----------
    value
        A number of seconds, or numbers with the units ``d``, ``h``, ``m``, ``s`` and ``ms``,
        one after the other: Go's spelling and so Kubernetes', and days.

    Raises
    ------
    ValueError
        It is no duration, or a negative one, or one of more than 27,000 centuries.
    """
    text = str(value)
    try:
        if _PLAIN.fullmatch(text):
            return timedelta(seconds=float(text))
        if _DURATION.fullmatch(text):
            parts = _DURATION_PART.findall(text)
            return sum((float(n) * _DURATION_UNITS[unit] for n, unit in parts), timedelta())
    except OverflowError:
        raise ValueError(f"is too long a duration: {value!r}") from None
    raise ValueError(f"is no duration such as 90s, 12h or 1h30m: {value!r}")


def format_duration(duration: timedelta) -> str:
    """Write a duration so that `parse_duration` reads it: ``1d12h``, ``1m30s``, ``0s``.

    It is exact to the millisecond.
    """
    rest, parts = duration, ""
    for unit, length in _DURATION_UNITS.items():
        count, rest = divmod(rest, length)
        parts += f"{count}{unit}" if count else ""
    return parts or "0s"


def parse_quantity(value: str | float) -> Fraction:
    """Read a quantity as Kubernetes does, exactly.

    Raises
    ------
    ValueError
        It is none.
    """
    match = _QUANTITY.fullmatch(str(value))
    if not match:
        raise ValueError(f"is no quantity such as 500m, 2 or 4Gi: {value!r}")
    number, exponent, suffix = match.groups()
    return Fraction(number + exponent) if exponent else Fraction(number) * _SCALES[suffix]


def format_quantity(quantity: Fraction | int) -> str:
    """Write a quantity in the shortest spelling that `parse_quantity` reads.

    It is exact to 10⁻⁹; Kubernetes has nothing finer and rounds up.
    """
    exact = Fraction(math.ceil(quantity / _SCALES["n"])) * _SCALES["n"]
    spellings = [
        f"{exact / scale}{suffix}"
        for suffix, scale in _SCALES.items()
        if (exact / scale).denominator == 1
    ]
    return min(spellings, key=len)


def parse_memory(value: str | float) -> int:
    """Read the memory of a server, in bytes: a quantity, but for JupyterHub's K, M, G and T.

    What is less than a byte is dropped, as JupyterHub does.

    Raises
    ------
    ValueError
        It is none, or less than a byte, or in thousandths, which is CPU and no memory.
    """
    text = str(value)
    if text.endswith(("n", "u", "m")):
        raise ValueError(f"is in parts of a byte: {value!r}; did you mean {text[:-1]}Mi?")
    size = int(parse_quantity(f"{text}i" if text.endswith(("K", "M", "G", "T")) else text))
    if size < 1:
        raise ValueError(f"is less than a byte: {value!r}")
    return size
