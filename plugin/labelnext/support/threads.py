"""Large arrays in parts, one thread for each processor core."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def in_parts(n: int, work: Callable[[int, int], None], *, least: int) -> None:
    """Do `work(start, stop)` for consecutive parts of `range(n)`, side by side.

    The work must let go of the interpreter's lock, as numpy and compiled code do, and write to its
    own part alone.

    Args:
        n: how many rows there are.
        work: what is done to the rows from start to stop.
        least: rows that a part must have to be worth a thread.

    Example:
        >>> seen = []
        >>> in_parts(4, lambda start, stop: seen.extend(range(start, stop)), least=1)
        >>> sorted(seen)
        [0, 1, 2, 3]
    """
    n_parts = max(1, min(_n_cores(), n // max(least, 1)))
    bounds = [n * part // n_parts for part in range(n_parts + 1)]
    for _ in in_order(lambda ends: work(*ends), list(pairwise(bounds))):
        pass


def in_order(work: Callable[[_Task], _Result], tasks: Sequence[_Task]) -> Iterator[_Result]:
    """What `work` makes of each task, in their order, done side by side.

    Only a few results wait for those before them, so that memory does not grow with the tasks.
    Tasks that do not depend on the number of cores give results that do not either.

    Args:
        work: lets go of the interpreter's lock, as for `in_parts`. What one raises is raised in
            its turn, when those that have begun are done.
        tasks: one for each result.

    Example:
        >>> list(in_order(lambda x: x * x, [1, 2, 3]))
        [1, 4, 9]
    """
    n_threads = min(_n_cores(), len(tasks))
    if n_threads < 2:
        yield from map(work, tasks)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        ahead: deque[Future[_Result]] = deque()
        for task in tasks:
            ahead.append(pool.submit(work, task))
            if len(ahead) > n_threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _n_cores() -> int:
    """Cores that this process may use, not those of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
