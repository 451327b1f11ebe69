"""A pool larger than memory: time and memory of scoring, ordering and writing, by engine.

Makes a Parquet dataset of N rows × 10 classes once (40 bytes a row), then measures, each in a
process of its own: a bare pyarrow scan that writes id and one column back, and `labelnext run`.

    python -m benchmarks.large_pools --rows 20000000 --folder FOLDER
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import sys
import threading
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

FILE_ROWS = 1_000_000
N_CLASSES = 10


def make(folder: Path, rows: int) -> None:
    """Files of a million rows, in groups of 100,000."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    for number in range(-(-rows // FILE_ROWS)):
        path = folder / f"part-{number:05d}.parquet"
        if path.exists():
            continue
        n = min(FILE_ROWS, rows - number * FILE_ROWS)
        rng = np.random.default_rng(number)
        values = rng.standard_gamma(0.5, size=(n, N_CLASSES)).astype(np.float32)
        values /= values.sum(axis=1, keepdims=True)
        ids = np.char.add(f"image-{number:05d}-", np.arange(n).astype(np.str_))
        table = pa.table(
            {
                "item_id": pa.array(ids.tolist()),
                "probabilities": pa.FixedSizeListArray.from_arrays(
                    pa.array(values.ravel()), N_CLASSES
                ),
            }
        )
        partial = path.with_suffix(".partial")
        pq.write_table(table, partial, row_group_size=100_000, compression="snappy")
        partial.rename(path)


def scan(folder: Path, out: Path) -> None:
    """What no engine can do without: read the columns, write the ids and a score."""
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    out.mkdir(parents=True)
    schema = pa.schema([("item_id", pa.string()), ("score", pa.float64())])
    with pq.ParquetWriter(out / "scan.parquet", schema) as writer:
        dataset = ds.dataset(folder, format="parquet")
        for batch in dataset.to_batches(batch_readahead=2, fragment_readahead=1):
            rows = batch.column("probabilities").flatten().to_numpy().reshape(-1, N_CLASSES)
            scores = pa.array(rows[:, 0].astype(np.float64))
            writer.write_batch(pa.record_batch([batch.column("item_id"), scores], schema=schema))


def run(
    engine: str, folder: Path, out: Path, workers: int | None = None, order: str = "all"
) -> dict[str, float]:
    """`labelnext run`, entropy, the top 10,000; on a Ray of so many workers, if told."""
    import labelnext

    start = time.perf_counter()
    if workers is not None:
        import ray

        ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
    started = time.perf_counter() - start
    report = labelnext.run(
        {
            "source": {"adapter": "files", "path": str(folder)},
            "acquisition": {"name": "entropy"},
            "selection": {"budget": 10_000},
            "write": {"output": str(out / "ranking"), "order": order},
            "state": str(out / "state"),
            "report": {"path": None},
            "engine": engine,
        }
    )
    return {"start": started, **report.seconds}


def _resident() -> int:
    """Resident bytes of this process and its children."""
    import psutil

    me = psutil.Process()
    total = 0
    for process in [me, *me.children(recursive=True)]:
        try:
            memory = process.memory_full_info()
            total += memory.uss
        except psutil.Error:
            continue
    return total


def _measured(send: object, work: Callable[..., object], *arguments: object) -> None:
    sys.dont_write_bytecode = False  # modules are compiled once, as where labelnext is installed
    done = threading.Event()
    peak = 0

    def watch() -> None:
        nonlocal peak
        while not done.wait(1):  # looking through the memory of all of Ray takes a while
            peak = max(peak, _resident())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    start = time.perf_counter()
    stages = work(*arguments)
    seconds = time.perf_counter() - start
    done.set()
    watcher.join()
    peak = max(peak, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
    send.send({"seconds": seconds, "peak": peak, "stages": stages or {}})  # type: ignore[attr-defined]


def measured(work: Callable[..., object], *arguments: object) -> dict[str, Any]:
    """Seconds, peak memory and stages of a function, in a new process."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(send, work, *arguments))
    process.start()
    result: dict[str, Any] = receive.recv()
    process.join()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--folder", type=Path, default=Path("large-pool"))
    parser.add_argument("--engines", nargs="+", default=["local"])
    parser.add_argument("--orders", nargs="+", default=["all", "batch"], help="write.order")
    parser.add_argument("--workers", nargs="*", type=int, default=[], help="of Ray, one run each")
    arguments = parser.parse_args()
    data = arguments.folder / f"data-{arguments.rows}"
    make(data, arguments.rows)
    out = arguments.folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    print(f"{arguments.rows:,} rows × {N_CLASSES} classes, {os.cpu_count()} processors")
    bare = measured(scan, data, out / "scan")
    print(
        f"bare scan and write  {bare['seconds']:7.1f} s  {bare['peak'] / 2**20:6.0f} MiB",
        flush=True,
    )
    runs = [(engine, None) for engine in arguments.engines]
    runs += [("ray", n) for n in arguments.workers]
    for (engine, workers), order in product(runs, arguments.orders):
        shutil.rmtree(out, ignore_errors=True)
        found = measured(run, engine, data, out, workers, order)
        stages = found["stages"]
        score = stages["score"]
        name = engine if workers is None else f"{engine}, {workers} workers"
        print(
            f"{name:20} {order:5} {found['seconds']:7.1f} s  {found['peak'] / 2**20:6.0f} MiB  "
            f"{json.dumps(stages)}; scores alone {score / bare['seconds']:.2f} × the bare scan, "
            f"all {found['seconds'] / bare['seconds']:.2f} ×",
            flush=True,
        )
    shutil.rmtree(out, ignore_errors=True)


if __name__ == "__main__":
    main()
