"""One table of what labelnext costs against plain numpy, with the goal of each line.

    python -m benchmarks.table    # or: make bench

Every line is timed by the clock, in turns in one process; starts and runs on a large pool are new
processes. Medians count, with the best turn beside them. Nothing is installed for it; Ray is
measured where it is there. It takes five to ten minutes and 3 GB of disk for temporary files, and
the machine should be quiet.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks import large_pools, plan_large
from benchmarks.scores import numpy_score
from benchmarks.selection import farthest_loop, points_of
from labelnext import Pool, acquisition, rank
from labelnext.selection import typiclust
from labelnext.selection.sorting import stable_order
from labelnext.support.threads import in_parts, n_threads

Line = tuple[str, str, str, float, bool]  # what, the median, the best, the goal, whether it's met

#: Against numpy, at least how many times as fast.
SCORES = {
    (1_000_000, 10): {"entropy": 6, "margin": 7, "variance": 8},
    (100_000, 1000): {"least_confidence": 1.6},
}
#: A pool in parts, and how often it's run.
ROWS, TURNS = 20_000_000, 3
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
        if "entropy" in goals:
            entropy = partial(acquisition.entropy, rows)
            ours, alone = in_turns(9, entropy, partial(one_thread, entropy))
            yield ratio("entropy, of all threads against one", 1.7, ours, alone)


@contextmanager
def threads(n: int | None) -> Iterator[None]:
    """Meanwhile so many threads, in new processes, too."""
    before = os.environ.get("LABELNEXT_THREADS")
    if n is not None:
        os.environ["LABELNEXT_THREADS"] = str(n)
    try:
        yield
    finally:
        os.environ.pop("LABELNEXT_THREADS", None)
        if before is not None:
            os.environ["LABELNEXT_THREADS"] = before


def one_thread(work: Callable[[], object]) -> None:
    with threads(1):
        work()


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


def large_lines() -> Iterator[Line]:
    """A pool in parts against a bare scan of it, one thread, and Ray with its start."""
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder) / "data", Path(folder) / "out"
        large_pools.make(data, ROWS)

        def turn(name: str, work: Callable[..., object], *told: object) -> None:
            shutil.rmtree(out, ignore_errors=True)
            found = large_pools.measured(work, *told)
            seconds.setdefault(name, []).append(found["seconds"])
            if stages := found["stages"]:
                seconds.setdefault(f"{name}, score", []).append(stages["start"] + stages["score"])
                seconds.setdefault(f"{name}, order", []).append(stages["order"])

        for _ in range(TURNS):
            turn("scan", large_pools.scan, data, out / "scan")
            turn("batch", large_pools.run, "local", data, out, None, "batch")
            turn("all", large_pools.run, "local", data, out)
            if find_spec("ray") is not None:
                turn("ray", large_pools.run, "ray", data, out, n_threads())
        with threads(1):
            turn("one", large_pools.run, "local", data, out)
    at_most = partial(times_as_long, seconds)
    yield at_most(f"scores of {ROWS:,} × 10, against a bare scan", 1.15, "batch, score", "scan")
    yield at_most("run for the batch alone, against the scan", 1.3, "batch", "scan")
    one, all_of_them = seconds["one, order"], seconds["all, order"]
    yield ratio("order of all rows, of all threads against one", 1.8, all_of_them, one)
    if "ray" in seconds:
        yield at_most("run on Ray, its start included, against local", 1.25, "ray", "all")
        yield at_most("scores on Ray, its start included", 1.5, "ray, score", "all, score")


def times_as_long(
    seconds: dict[str, list[float]], what: str, goal: float, ours: str, theirs: str
) -> Line:
    """How many times as long ours takes."""
    mine, other = seconds[ours], seconds[theirs]
    median, best = float(np.median(mine) / np.median(other)), min(mine) / min(other)
    return what, f"{median:.2f}×", f"{best:.2f}×", goal, median <= goal


def plan_lines() -> Iterator[Line]:
    """What a simulation says of a cluster; see `benchmarks.plan_large`."""
    known = plan_large.Constants()
    for rows in (10**9, 10**10):
        alone, many = (plan_large.whole(rows, n, plan_large.ordering, known) for n in (1, 64))
        yield ratio(f"{rows:,} rows ranked by 64 processors, simulated", 51, [many], [alone])


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
    of_arrays = (score_lines, read_lines, order_lines, selection_lines)
    for lines in (start_lines, *of_arrays, large_lines, plan_lines):
        for what, median, best, goal, met in lines():
            print(f"{what:<72}{median:>9}{best:>9}{goal:>7g} {'' if met else '  missed'}")


if __name__ == "__main__":
    main()
