"""How fast are runs listed, and does a run slow down with the journals before it?

    python -m benchmarks.journals [N_ITEMS] [N_RUNS]

Runs of plain files, as the command makes them. Those with journals before them and those without
take turns, and each leaves its state folder as it was. The best of ten counts; processor seconds
are those of the clock but for the waits for the disk, and a busy machine disturbs them less.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import labelnext
from labelnext.runs.undo import runs

_TURNS = 10
_MOST_LISTING = 0.2  # seconds
_MOST_SLOWER = 1.1  # times


def make_pool(path: Path, n_items: int) -> None:
    """Items with two classes; names as of images."""
    certain = np.random.default_rng(0).random(n_items)
    columns = {
        "item_id": [f"train/{number:08d}.jpg" for number in range(n_items)],
        "p_cat": certain,
        "p_dog": 1 - certain,
    }
    pq.write_table(pa.table(columns), path)


def settings(folder: Path, state: str) -> dict[str, Any]:
    return {
        "source": {
            "adapter": "files",
            "path": str(folder / "pool.parquet"),
            "columns": {"probabilities": ["p_cat", "p_dog"]},
        },
        "acquisition": {"name": "margin"},
        "write": {"output": str(folder / f"{state}.csv")},
        "report": {"path": None},
        "state": str(folder / state),
    }


def timed_run(config: dict[str, Any]) -> tuple[float, float]:
    """Seconds of a run, by the processor and by the clock; then its files are gone again."""
    state = Path(config["state"])
    before = {path for path in state.rglob("*") if path.is_file()}
    start, clock = time.process_time(), time.perf_counter()
    labelnext.run(config)
    seconds = time.process_time() - start, time.perf_counter() - clock
    for path in state.rglob("*"):
        if path.is_file() and path not in before:
            path.unlink()
    return seconds


def main(n_items: int = 200_000, n_runs: int = 20) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        make_pool(folder / "pool.parquet", n_items)
        many, none = settings(folder, "many"), settings(folder, "none")
        for _ in range(n_runs):
            labelnext.run(many)
        size = sum(path.stat().st_size for path in (folder / "many").iterdir() if path.is_file())
        print(f"{n_runs} runs of {n_items:,} items: {size / n_runs / 1e6:.2f} MB each")
        listed = []
        for _ in range(5):
            start = time.perf_counter()
            statuses = [journal.status for journal in runs(many)]
            listed.append(time.perf_counter() - start)
        assert statuses == ["done"] * n_runs
        bar = "meets" if min(listed) < _MOST_LISTING else "ABOVE"
        print(f"runs lists them in {min(listed):.4f} s; {bar} {_MOST_LISTING} s")
        timed_run(none)
        taken: dict[str, list[tuple[float, float]]] = {"none": [], "many": []}
        for turn in range(_TURNS):
            for config in (none, many)[:: 1 if turn % 2 else -1]:
                taken[Path(config["state"]).name].append(timed_run(config))
        for place, what in enumerate(("processor", "clock")):
            alone, after = (min(run[place] for run in taken[name]) for name in taken)
            bar = "meets" if after / alone < _MOST_SLOWER else "ABOVE"
            print(
                f"a run, by the {what}: {alone:.3f} s with no journal before it, {after:.3f} s "
                f"with {n_runs}: {after / alone:.2f} times; {bar} {_MOST_SLOWER}"
            )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
