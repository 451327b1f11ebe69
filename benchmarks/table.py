"""One table of what labelnext costs against plain numpy, with the goal of each line.

    python -m benchmarks.table    # or: make bench

Every line is timed by the clock, in turns in one process; starts are new processes. Medians count,
with the best turn beside them. Nothing is installed for it. It takes a few minutes, and the machine
should be quiet.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.scores import numpy_score
from benchmarks.selection import farthest_loop, points_of
from labelnext import Pool, acquisition, rank
from labelnext.selection import typiclust
from labelnext.selection.sorting import stable_order
from labelnext.support.threads import in_parts

Line = tuple[str, str, str, float, bool]  # what, the median, the best, the goal, whether it's met

#: Against numpy, at least how many times as fast.
SCORES = {
    (1_000_000, 10): {"entropy": 6, "margin": 7, "variance": 8},
    (100_000, 1000): {"least_confidence": 1.6},
}
#: At most how many seconds and MB.
STARTS = {
    "--help": (0.2, None),
    "runs c.yaml": (0.25, None),
    "check c.yaml": (0.7, None),
    "run c.yaml": (0.9, 180),
}


def in_turns(turns: int, *calls: Callable[[], object]) -> list[list[float]]:
    """Seconds of each call, in turns."""
    seconds: list[list[float]] = [[] for _ in calls]
    for _ in range(turns):
        for call, spent in zip(calls, seconds, strict=True):
            start = time.perf_counter()
            call()
            spent.append(time.perf_counter() - start)
    return seconds


def ratio(
    what: str, goal: float, ours: list[float], theirs: list[float], share: float = 1.0
) -> Line:
    """How many times as fast ours is; the peer did a share of the work."""
    median = float(np.median(theirs) / np.median(ours) / share)
    best = min(theirs) / min(ours) / share
    return what, f"{median:.1f}×", f"{best:.1f}×", goal, median >= goal


def score_lines() -> Iterator[Line]:
    for (n, c), goals in SCORES.items():
        rows = np.random.default_rng(0).standard_exponential((n, c), dtype=np.float32)
        rows /= rows.sum(axis=1, keepdims=True)
        for name, goal in goals.items():
            function = getattr(acquisition, name)
            ours, theirs = in_turns(9, partial(function, rows), partial(numpy_score, name, rows))
            yield ratio(f"{name}, {n:,} × {c} float32, against numpy", goal, ours, theirs)


def read_lines() -> Iterator[Line]:
    """What memory allows: least confidence of long rows is read at its speed."""
    n, c, goal = 100_000, 1000, SCORES[100_000, 1000]["least_confidence"]
    rows = np.random.default_rng(0).random((n, c), dtype=np.float32)

    def read(start: int, stop: int) -> None:
        rows[start:stop].reshape(-1).max()

    alone, theirs = in_turns(
        9, partial(in_parts, n, read, least=1), partial(numpy_score, "least_confidence", rows)
    )
    yield ratio("the same, of threads that only read the numbers", goal, alone, theirs)


def selection_lines() -> Iterator[Line]:
    n, k, part = 100_000, 1000, 100
    pool = Pool(np.arange(n), embeddings=points_of("clustered", n, 512))
    points = pool.embeddings
    ours, theirs = in_turns(
        3,
        lambda: rank(pool, None, selection="k_center", budget=k),
        lambda: farthest_loop(points, 0, part),
    )
    what = f"k_center through rank, {n:,} × 512, k = {k:,}, against a product a pick"
    yield ratio(what, 12, ours, theirs, part / k)
    points = points_of("clustered", 1_000_000, 32)
    (ours,) = in_turns(1, lambda: typiclust(points, points[:0], 100))
    yield "typiclust, 1,000,000 × 32", f"{ours[0]:.1f} s", f"{ours[0]:.1f} s", 5, ours[0] <= 5


def order_lines() -> Iterator[Line]:
    values = np.random.default_rng(0).random(10_000_000)
    ours, stable, default = in_turns(
        3,
        lambda: stable_order(values),
        lambda: np.argsort(-values, kind="stable"),
        lambda: np.argsort(-values),
    )
    yield ratio("order of 10,000,000 float64, against a stable argsort", 8, ours, stable)
    yield ratio("the same against the default argsort", 3, ours, default)


def start_lines() -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "p.csv").write_text("item_id,cat,dog\na,0.6,0.4\nb,0.9,0.1\n")
        settings = "source: {adapter: files, path: p.csv}\nreport: {path: null}\n"
        (Path(folder) / "c.yaml").write_text(settings)
        for words, (goal, most) in STARTS.items():
            command = [sys.executable, "-m", "labelnext", *words.split()]
            seconds, memory = zip(*(process(command, folder) for _ in range(5)), strict=True)
            median, best = float(np.median(seconds)), min(seconds)
            yield f"labelnext {words}", f"{median:.2f} s", f"{best:.2f} s", goal, median <= goal
            if most is not None:
                held = float(np.median(memory))
                yield "its memory", f"{held:.0f} MB", f"{min(memory):.0f} MB", most, held <= most


def process(command: list[str], folder: str) -> tuple[float, float]:
    """Seconds and peak MB of a process."""
    start = time.perf_counter()
    # Modules are compiled once, as where labelnext is installed: else each start compiles our own.
    settings = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, env=settings)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, command
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return time.perf_counter() - start, usage.ru_maxrss / unit


def machine() -> str:
    names = [platform.processor() or platform.machine()]
    if (info := Path("/proc/cpuinfo")).exists():
        names = [
            line.partition(":")[2].strip()
            for line in info.read_text().splitlines()
            if line.startswith("model name")
        ] or names
    return f"{names[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def main() -> None:
    print(f"{machine()}, numpy {np.__version__}, Python {platform.python_version()}")
    print(f"{'':<72}{'median':>9}{'best':>9}{'goal':>7}")
    # Starts come first: a process counts the memory of the one that began it.
    for lines in (start_lines, score_lines, read_lines, order_lines, selection_lines):
        for what, median, best, goal, met in lines():
            print(f"{what:<72}{median:>9}{best:>9}{goal:>7g} {'' if met else '  missed'}")


if __name__ == "__main__":
    main()
