"""Large arrays in parts, one thread for each processor core."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


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
    if n_parts == 1:
        work(0, n)
        return
    with ThreadPoolExecutor(n_parts) as pool:
        list(pool.map(work, bounds[:-1], bounds[1:]))  # raises what a part raised


def _n_cores() -> int:
    """Cores that this process may use, not those of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
