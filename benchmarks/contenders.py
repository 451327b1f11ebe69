"""Contenders side by side: timed in turns in one process, printed with their ratios.

Time is processor time, and every contender gets one thread, so that a busy machine disturbs little;
where a server does part of the work, it is the time of the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np


def timed(
    contenders: Mapping[str, Callable[[], Any]],
    turns: int = 5,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, float]:
    """Seconds of the best turn of each; in turns, so that noise meets all alike."""
    best = dict.fromkeys(contenders, np.inf)
    for _ in range(turns):
        for name, call in contenders.items():
            start = clock()
            call()
            best[name] = min(best[name], clock() - start)
    return best


def show(title: str, seconds: Mapping[str, float], bars: Sequence[tuple[str, str, float]]) -> None:
    """Print the milliseconds of each, and each bar: who, against whom, at least how many times."""
    print(f"\n{title}")
    for name, value in seconds.items():
        print(f"  {name:<44}{1e3 * value:>10.1f} ms")
    for ours, peer, bar in bars:
        ratio = seconds[peer] / seconds[ours]
        verdict = "meets" if ratio >= bar else "BELOW"
        print(f"  {ours} against {peer}: {ratio:.1f} times; {verdict} the bar of {bar:g}")
