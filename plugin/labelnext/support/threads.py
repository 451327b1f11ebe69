"""Process large arrays in parts, with one thread per processor core.

A configuration's `threads`, LABELNEXT_THREADS or OMP_NUM_THREADS may ask for fewer threads. Work
inside a thread of a pool stays in it, so there are never more threads than cores.
"""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import TypeVar

from labelnext.errors import ConfigError

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

_OURS = "LABELNEXT_THREADS"
_OF_OTHERS = "OMP_NUM_THREADS"  # which may also be a list
_GROUPS = Path("/sys/fs/cgroup")  # where control groups and their quotas are
_MINE = Path("/proc/self/cgroup")  # says which this process is in
_pooled = threading.local()
_most: ContextVar[int | None] = ContextVar("most", default=None)


@contextmanager
def at_most(n_threads: int | None) -> Iterator[None]:
    """Meanwhile no more threads work than these; None asks for no fewer than LABELNEXT_THREADS.

    Those of Arrow are bounded, too, and those of BLAS and OpenMP where they are loaded.

    Example:
        >>> with at_most(1), at_most(None), at_most(2):
        ...     n_threads()
        1
    """
    told = [n for n in (n_threads, asked_threads(), _most.get()) if n is not None]
    if not told:
        yield
        return
    import pyarrow as pa
    from threadpoolctl import ThreadpoolController

    token, before, others = _most.set(min(told)), pa.cpu_count(), ThreadpoolController()
    limits = {one["prefix"]: min(one["num_threads"], *told) for one in others.info()}
    try:
        with others.limit(limits=limits):
            yield
    finally:
        _most.reset(token)
        pa.set_cpu_count(before)


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
    n_parts = max(1, min(n_threads(), n // max(least, 1)))
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
    n = min(n_threads(), len(tasks))
    if n < 2:
        yield from map(work, tasks)
        return
    with ThreadPoolExecutor(n, initializer=_begin_thread) as pool:
        ahead: deque[Future[_Result]] = deque()
        for task in tasks:
            ahead.append(pool.submit(work, task))
            if len(ahead) > n:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _begin_thread() -> None:
    _pooled.inside = True


def n_threads() -> int:
    """How many threads may work here: one inside a thread of a pool."""
    return 1 if getattr(_pooled, "inside", False) else _n_cores()


def arrow_threads() -> bool:
    """Whether Arrow may use threads of its own here, which are then no more than ours."""
    import pyarrow as pa

    n = n_threads()
    if 1 < n < pa.cpu_count():
        pa.set_cpu_count(n)
    return n > 1


def _n_cores() -> int:
    """Number of cores that this process may use, which may be fewer than the machine has."""
    limits = [_n_allowed(), _most.get() or math.inf, asked_threads() or math.inf]
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
    return max(1, math.ceil(min([n_cores, *_quotas()])))


def _quotas() -> Iterator[float]:
    """The cores that the quotas of this process's control groups allow, and of those around it."""
    folders = {_GROUPS, _GROUPS / "cpu"}
    with suppress(OSError, ValueError):
        for line in _MINE.read_text("utf-8").splitlines():
            _, names, path = line.split(":", 2)
            if not names or "cpu" in names.split(","):  # no name: version 2
                base = _GROUPS / "cpu" if names else _GROUPS
                group = PurePosixPath(path)
                folders |= {base / str(one).strip("/") for one in (group, *group.parents)}
    for folder in folders:
        with suppress(OSError, ValueError):  # "max 100000" and -1 are no quotas
            quota, period = (folder / "cpu.max").read_text("ascii").split()
            yield int(quota) / int(period)
        with suppress(OSError, ValueError):
            of_one = (folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us")
            quota, period = (file.read_text("ascii") for file in of_one)
            if int(quota) > 0:
                yield int(quota) / int(period)
