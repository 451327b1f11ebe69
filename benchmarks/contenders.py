"""Contenders side by side: timed in turns in one process, printed with their ratios.

Time is that of the clock, and every contender may use all cores, as for a user. With --cpu it is
the processor's, which other work disturbs less; give every contender one thread then:

    OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 POLARS_MAX_THREADS=1 taskset -c 0 python -m …  --cpu
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
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


def show_cold(what: str, preparation: str, call: str) -> None:
    """Print the seconds of the first call in a process, imports and compiling included.

    First as if it had never run on this machine, then with the machine code kept on disk.
    """
    begin, end = "import time; start = time.perf_counter()", "print(time.perf_counter() - start)"
    program = "\n".join([preparation, begin, call, end])
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        first, later = (
            float(
                subprocess.run(
                    [sys.executable, "-c", program],
                    env=environment,
                    stdout=subprocess.PIPE,
                    check=True,
                    text=True,
                ).stdout
            )
            for _ in range(2)
        )
    print(f"  {what}: {first:.2f} s the first time on a machine, {later:.2f} s in a later process")
