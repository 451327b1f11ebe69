"""Process large arrays in parts, with one thread per processor core.

LABELNEXT_THREADS or OMP_NUM_THREADS may ask for fewer threads. Work inside a thread of a pool stays
in it, so there are never more threads than cores.
"""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from labelnext.errors import ConfigError

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

_OURS = "LABELNEXT_THREADS"
_OF_OTHERS = "OMP_NUM_THREADS"  # which may also be a list
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_pooled = threading.local()


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
    n_parts = max(1, min(_n_threads(), n // max(least, 1)))
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
    n_threads = min(_n_threads(), len(tasks))
    if n_threads < 2:
        yield from map(work, tasks)
        return
    with ThreadPoolExecutor(n_threads, initializer=_begin_thread) as pool:
        ahead: deque[Future[_Result]] = deque()
        for task in tasks:
            ahead.append(pool.submit(work, task))
            if len(ahead) > n_threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _begin_thread() -> None:
    _pooled.inside = True


def _n_threads() -> int:
    """How many threads may work here."""
    return 1 if getattr(_pooled, "inside", False) else _n_cores()


def _n_cores() -> int:
    """Number of cores that this process may use, which may be fewer than the machine has."""
    limits = [_n_allowed(), asked_threads() or math.inf]
    with suppress(ValueError):
        limits.append(max(1, int(os.environ.get(_OF_OTHERS, ""))))
    return int(min(limits))


def asked_threads() -> int | None:
    """The threads that LABELNEXT_THREADS asks for; None if it isn't set.

    Raises:
        ConfigError: if it is no whole number from 1.
    """
    text = os.environ.get(_OURS, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text[:9])):
        raise ConfigError(
            f"the environment variable {_OURS} must be a whole number from 1; got {text!r:.40}.",
            hint=f"unset {_OURS} to use all cores.",
        )
    return int(text[:9])


@cache
def _n_allowed() -> int:
    """Cores by affinity, and by the quota of a container."""
    if hasattr(os, "sched_getaffinity"):
        n_cores = len(os.sched_getaffinity(0))
    else:
        n_cores = os.cpu_count() or 1
    with suppress(OSError, ValueError):  # "max 100000" has no quota
        quota, period = _QUOTA.read_text("ascii").split()
        n_cores = min(n_cores, math.ceil(int(quota) / int(period)))
    return max(1, n_cores)
