"""Durations and quantities: every spelling means what it says, and is written so again."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyterhub.traitlets import ByteSpecification
from traitlets import HasTraits

from jhext.units import (
    format_duration,
    format_quantity,
    parse_duration,
    parse_memory,
    parse_quantity,
)


class _Spawner(HasTraits):
    mem_limit = ByteSpecification()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        (90, 90),
        (1.5, 1.5),
        ("0", 0),
        ("12h", 43200),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("7d", 604800),
        ("1d12h", 129600),
        ("500ms", 0.5),
        (".5s", 0.5),
        ("1m1m", 120),
    ],
)
def test_durations(text: str | float, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


NO_DURATIONS = ["", "h", "-1", "-1h", "1h 30m", "1 h", "1w", "1H", "1e3", "inf", "nan", "٣h"]


@pytest.mark.parametrize("text", [*NO_DURATIONS, "99999999999d", True, None, []])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@given(st.integers(0, 10**15))
def test_duration_round_trip(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2),
        (2, 2),
        (0.5, Fraction(1, 2)),
        ("1500m", Fraction(3, 2)),
        ("500m", Fraction(1, 2)),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1E", 10**18),
        ("4Gi", 4 * 2**30),
        ("4G", 4 * 10**9),
        ("0.5G", 5 * 10**8),
        ("1k", 1000),
        ("-1Ki", -1024),
        ("+1", 1),
    ],
)
def test_d27_quantities_as_kubernetes_reads_them(text: str | float, value: Fraction) -> None:
    assert parse_quantity(text) == value


@pytest.mark.parametrize("text", ["", "G", "1K", "1g", "1KB", "1 G", "1.2.3", "1Gi2", "1mm", "0x1"])
def test_d27_no_quantities(text: str) -> None:
    with pytest.raises(ValueError, match="no quantity"):
        parse_quantity(text)


@given(st.decimals(-(10**12), 10**12, places=9), st.sampled_from(["", "k", "Mi", "G"]))
def test_d27_quantity_round_trip(number: object, suffix: str) -> None:
    quantity = parse_quantity(f"{number:f}{suffix}")
    assert parse_quantity(format_quantity(quantity)) == quantity


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        (0, "0"),
        (1024, "1Ki"),
        (4 * 2**30, "4Gi"),
        (Fraction(1, 2), "500m"),
        (1000, "1k"),
        (17, "17"),
    ],
)
def test_quantities_are_written_short(quantity: Fraction, text: str) -> None:
    assert format_quantity(quantity) == text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4Gi", 4 * 2**30),
        ("4G", 4 * 2**30),
        ("0.5G", 2**29),
        ("500Mi", 500 * 2**20),
        ("1T", 2**40),
        ("1K", 1024),
        ("1k", 1000),
        ("1P", 10**15),
        ("1e9", 10**9),
        ("4096", 4096),
        (4096, 4096),
        ("0.3K", 307),
    ],
)
def test_f14_memory(text: str | int, size: int) -> None:
    assert parse_memory(text) == size


@given(st.floats(0.001, 1000), st.sampled_from("KMGT"))
def test_f14_memory_as_jupyterhub_reads_it(number: float, suffix: str) -> None:
    """F-14: what JupyterHub understands keeps the meaning it has there, to the byte."""
    text = f"{number:.3f}{suffix}"
    assert abs(parse_memory(text) - _Spawner(mem_limit=text).mem_limit) <= 1


@pytest.mark.parametrize("text", ["500m", "0", "-1G", "", "1GG", "1KiK", "1KB", "0.0001K"])
def test_f14_no_memory(text: str) -> None:
    with pytest.raises(ValueError, match=r"quantity|byte"):
        parse_memory(text)
