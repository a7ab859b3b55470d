"""Reading what a disk may never give, with a deadline: before there is an event loop."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from .profiles.finding import ConfigurationError, Finding

T = TypeVar("T")

START_DEADLINE = 30.0
"""Seconds that the start of a hub waits for the files of its configuration."""


def in_time(read: Callable[[], T], what: str) -> T:
    """Give what a function reads.

    Parameters
    ----------
    read
        Reads it. It is left alone when it takes too long.
    what
        What it reads, for the message.

    Raises
    ------
    ConfigurationError
        It takes longer than `START_DEADLINE`.
    """
    reading: Future[T] = Future()

    def run() -> None:
        try:
            reading.set_result(read())
        except BaseException as error:
            reading.set_exception(error)

    # Python waits for the threads of a pool when it ends, be it for ever.
    Thread(target=run, name="jhext-start", daemon=True).start()
    try:
        return reading.result(START_DEADLINE)
    except TimeoutError:
        if reading.done():  # the error is the reader's own
            raise
        message = f"{what} could not be read in {START_DEADLINE:g} s"
        suggestion = "look whether the file systems with these files answer"
        finding = Finding("error", "", "", message, suggestion=suggestion)
        raise ConfigurationError([finding]) from None
