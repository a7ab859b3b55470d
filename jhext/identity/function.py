"""Identities from a function of the operator's."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from .errors import IdentityUnavailable
from .source import Answer, Person, Source, Workers

Lookup = Callable[[Person], Any]
"""Takes a person, gives fields or, for somebody it does not know, None; ``async`` or not."""


class FunctionSource(Source):
    """Calls a function.

    An ``async`` one runs in the event loop and must not block it, any other one in a thread.

    Parameters
    ----------
    name
        The name of the source.
    function
        The function.
    workers
        Where one that is not ``async`` runs.
    """

    reads_auth_state = True

    def __init__(self, name: str, function: Lookup, workers: Workers) -> None:
        super().__init__(name)
        self._function = function
        self._workers = workers

    async def lookup(self, person: Person) -> Answer | None:
        """Ask the function about a person; see `Source.lookup`."""
        if inspect.iscoroutinefunction(self._function):
            answer = self._function(person)
        else:
            answer = await self._workers.run(self._function, person)
        if inspect.isawaitable(answer):  # also where only the call showed that it is async
            answer = await answer
        if answer is not None and not isinstance(answer, Mapping):
            raise IdentityUnavailable(
                f"{self.name}: gave a {type(answer).__name__}, not a mapping", transient=False
            )
        return answer
