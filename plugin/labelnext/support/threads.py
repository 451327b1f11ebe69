"""Process large arrays in parts, with one thread per processor core."""

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
    """Call `work(start, stop)` in parallel for consecutive parts of `range(n)`.

    The work must release the interpreter's lock, as numpy does, and write only to
    its own part.

    Args:
        n: number of rows.
        work: processes the rows from start to stop.
        least: smallest number of rows worth a thread.

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
    """Run `work` on the tasks in parallel, and yield the results in task order.

    Only a few results are held at a time, so memory doesn't grow with the number of tasks. Results
    don't depend on the number of cores if the tasks don't.

    Args:
        work: processes one task; it must release the interpreter's lock, as for `in_parts`. Its
            exception is raised in task order, once the tasks already started are done.
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
    """Number of cores that this process may use, which may be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
