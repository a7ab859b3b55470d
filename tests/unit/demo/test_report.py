"""A line for each step, and what a step that fails takes with it."""

from __future__ import annotations

import io

from rich.console import Console

from jhext.demo.report import Report, expect


def report(encoding: str = "utf-8") -> tuple[Report, io.BytesIO]:
    output = io.BytesIO()
    text = io.TextIOWrapper(output, encoding=encoding, write_through=True)
    return Report(Console(file=text, width=100)), output


def test_marks_and_counts() -> None:
    told, output = report()
    with told.sequence():
        with told.step("one") as step:
            step.text += " (as uid 1)"
        with told.step("[two]"):
            expect(False, "the answer was 500")
        with told.step("three"):
            raise AssertionError
    with told.sequence(), told.step("four"):
        raise TimeoutError
    assert output.getvalue().decode().splitlines() == [
        "✓ one (as uid 1)",
        "✗ [two]: the answer was 500",
        "✗ four: TimeoutError",
    ]
    assert (told.passed, told.failed) == (1, 2)


def test_words_where_there_are_no_marks() -> None:
    told, output = report("ascii")
    with told.sequence():
        with told.step("one"):
            pass
        with told.step("two"):
            expect(False, "no")
    assert output.getvalue().decode("ascii").splitlines() == ["ok one", "FAILED two: no"]
