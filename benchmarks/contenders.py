"""Contenders side by side: timed in turns in one process, printed with their ratios.

Time is that of the clock, and every contender may use all cores, as for a user. With --cpu it is
the processor's, which other work disturbs less; give every contender one thread then:

    OMP_NUM_THREADS=1 POLARS_MAX_THREADS=1 taskset -c 0 python -m …  --cpu
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

CLOCK = time.process_time if "--cpu" in sys.argv else time.perf_counter
ARGUMENTS = [argument for argument in sys.argv[1:] if argument != "--cpu"]


def timed(
    contenders: Mapping[str, Callable[[], Any]],
    turns: int = 5,
    clock: Callable[[], float] = CLOCK,
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


def show_cold(what: str, preparation: str, call: str, turns: int = 5) -> None:
    """Print the seconds of the first call in a process, imports included; the median process."""
    begin, end = "import time; start = time.perf_counter()", "print(time.perf_counter() - start)"
    command = [sys.executable, "-c", "\n".join([preparation, begin, call, end])]
    seconds = [float(subprocess.check_output(command, text=True)) for _ in range(turns)]
    print(f"  {what}: {np.median(seconds):.2f} s")
