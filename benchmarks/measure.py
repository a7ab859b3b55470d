"""CPU time and memory of alternatives, measured in turn: the machine's mood hits all alike."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Mapping
from statistics import median

Step = Callable[[], Awaitable[object]]


async def cpu_seconds(
    makers: Mapping[str, Callable[[], Step]], rounds: int = 11, batch_seconds: float = 0.1
) -> dict[str, float]:
    """Median CPU time of the process for one step; making the step is not counted.

    Each round takes every alternative in turn, as often as fills `batch_seconds`, so that a slow
    moment of the machine is shared. Neither the clock's resolution matters then nor the first steps
    of a batch, which take up to three times as long: the collection of garbage before has emptied
    the processor's caches.
    """
    calls = {}
    for name, make in makers.items():
        await make()()  # caches fill, templates compile
        calls[name] = max(1, round(batch_seconds / await _batch(make, 5)))
    samples: dict[str, list[float]] = {name: [] for name in makers}
    for _ in range(rounds):
        for name, make in makers.items():
            samples[name].append(await _batch(make, calls[name]))
    return {name: median(values) for name, values in samples.items()}


async def _batch(make: Callable[[], Step], calls: int) -> float:
    steps = [make() for _ in range(calls)]
    gc.collect()
    gc.disable()  # as timeit does: when it would run depends on what was made before
    try:
        start = time.process_time()
        for step in steps:
            await step()
        return (time.process_time() - start) / calls
    finally:
        gc.enable()


def bytes_each(make: Callable[[], object], count: int = 50) -> float:
    """Memory that stays allocated for one more object from `make`, on the average of `count`.

    The first object is not counted: what all of them share belongs to none.
    """
    kept = [make()]
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept.extend(make() for _ in range(count))
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) / count
