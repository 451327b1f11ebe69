"""How fast are prediction files read, next to the obvious loop?

    python -m benchmarks.reading [N_BOXES] [N_ROWS]

COCO results of N_BOXES boxes and JSONL of N_ROWS rows against a loop over what the json module
reads; CSV of N_ROWS rows and ten classes against pandas and against a loop over the csv module.
Each contender ends with the same pool. Contenders take turns, each in a process of its own, and the
median of three counts: by the clock, since readers differ in how many cores they use, and by the
processor time of the process, which says more on a busy machine. The last columns are the highest
memory above that before reading, and how many times the arrays of the pool that is.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from labelnext.adapter.registry import open_adapter
from labelnext.pool import Objects, Pool

_TURNS = 3
_CLASSES = [f"class{i}" for i in range(10)]


def make(folder: Path, n_boxes: int, n_rows: int) -> None:
    """The files."""
    rng = np.random.default_rng(0)
    n_images = max(n_boxes // 20, 1)
    images = [
        {"id": i, "file_name": f"{i}.jpg", "width": 640, "height": 480} for i in range(n_images)
    ]
    names = [{"id": i, "name": name} for i, name in enumerate(_CLASSES)]
    (folder / "images.json").write_text(json.dumps({"images": images, "categories": names}))
    owners, kinds = rng.integers(0, n_images, n_boxes), rng.integers(0, 10, n_boxes)
    boxes, scores = rng.uniform(1, 200, (n_boxes, 4)).round(2), rng.random(n_boxes).round(4)
    columns = (owners.tolist(), kinds.tolist(), boxes.tolist(), scores.tolist())
    results = [
        {"image_id": o, "category_id": k, "bbox": b, "score": s}
        for o, k, b, s in zip(*columns, strict=True)
    ]
    (folder / "results.json").write_text(json.dumps(results))
    rows = rng.dirichlet(np.ones(10), n_rows)
    ids = [f"train/{i:08d}.jpg" for i in range(n_rows)]
    frame = pd.DataFrame(rows, columns=[f"p_{name}" for name in _CLASSES])
    frame.insert(0, "item_id", ids)
    frame.to_csv(folder / "wide.csv", index=False)
    with (folder / "rows.jsonl").open("w") as file:
        for name, row in zip(ids, rows.tolist(), strict=True):
            file.write(json.dumps({"item_id": name, "probabilities": row}) + "\n")


def ours(folder: Path, name: str, **options: Any) -> Pool:
    """Labelnext's reader."""
    return open_adapter("files", directory=folder, path=name, **options).read()  # type: ignore[attr-defined]


def coco_loop(folder: Path) -> Pool:
    """The json module, and a loop over the detections."""
    listing = json.loads((folder / "images.json").read_text())
    rows = {image["id"]: row for row, image in enumerate(listing["images"])}
    by_image: list[list[tuple[float, int, list[float]]]] = [[] for _ in rows]
    for d in json.loads((folder / "results.json").read_text()):
        x, y, w, h = d["bbox"]
        box = [x / 640, y / 480, (x + w) / 640, (y + h) / 480]
        by_image[rows[d["image_id"]]].append((d["score"], d["category_id"], box))
    flat = [one for objects in by_image for one in objects]
    objects = Objects(
        np.concatenate([[0], np.cumsum([len(one) for one in by_image])]),
        np.array([score for score, _, _ in flat]),
        class_ids=np.array([kind for _, kind, _ in flat]),
        boxes=np.array([box for _, _, box in flat]),
    )
    return Pool([image["id"] for image in listing["images"]], objects=objects)


def jsonl_loop(folder: Path) -> Pool:
    """The json module, a line at a time."""
    ids, rows = [], []
    with (folder / "rows.jsonl").open() as file:
        for line in file:
            record = json.loads(line)
            ids.append(record["item_id"])
            rows.append(record["probabilities"])
    return Pool(ids, probabilities=np.array(rows))


def csv_loop(folder: Path) -> Pool:
    """The csv module, a row at a time."""
    with (folder / "wide.csv").open() as file:
        reader = csv.reader(file)
        next(reader)
        ids, rows = [], []
        for row in reader:
            ids.append(row[0])
            rows.append([float(value) for value in row[1:]])
    return Pool(ids, probabilities=np.array(rows), classes=_CLASSES)


def csv_pandas(folder: Path) -> Pool:
    """Pandas."""
    frame = pd.read_csv(folder / "wide.csv", dtype={"item_id": str})
    return Pool(frame["item_id"], probabilities=frame.iloc[:, 1:].to_numpy(), classes=_CLASSES)


CONTENDERS: dict[str, dict[str, Callable[[Path], Pool]]] = {
    "COCO": {
        "labelnext": lambda folder: ours(folder, "results.json", images="images.json"),
        "json loop": coco_loop,
    },
    "JSONL": {"labelnext": lambda folder: ours(folder, "rows.jsonl"), "json loop": jsonl_loop},
    "CSV": {
        "labelnext": lambda folder: ours(folder, "wide.csv"),
        "csv loop": csv_loop,
        "pandas": csv_pandas,
    },
}


def timed(kind: str, name: str, folder: Path) -> tuple[float, ...]:
    """Seconds of one reading by the clock and of the processor; MB of its memory and arrays."""
    read = CONTENDERS[kind][name]
    warm_up()
    Path("/proc/self/clear_refs").write_text("5")  # of the highest memory
    before = _memory()
    start, worked = time.perf_counter(), time.process_time()
    pool = read(folder)
    seconds, work = time.perf_counter() - start, time.process_time() - worked
    assert len(pool)
    return seconds, work, _memory() - before, _bytes_of(pool) / (1 << 20)


def _bytes_of(columns: Pool | Objects) -> int:
    """The bytes of all arrays."""
    values = vars(columns).values()
    nested = sum(_bytes_of(one) for one in values if isinstance(one, Objects))
    return nested + sum(one.nbytes for one in values if isinstance(one, np.ndarray))


def _memory() -> float:
    """The highest memory of this process since the mark was reset, in MB (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def warm_up() -> None:
    """Load what every reader loads once."""
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), 100, 10)
        for kind in CONTENDERS.values():
            for read in kind.values():
                read(Path(name))


def main(n_boxes: int = 1_000_000, n_rows: int = 1_000_000) -> None:
    """Print a line for each kind of file and contender."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, n_boxes, n_rows)
        for kind, contenders in CONTENDERS.items():
            turns: dict[str, list[tuple[float, ...]]] = {one: [] for one in contenders}
            for _ in range(_TURNS):
                for contender, done in turns.items():
                    with get_context("spawn").Pool(1) as process:
                        done.append(process.apply(timed, (kind, contender, folder)))
            medians = {name: np.median(done, axis=0).tolist() for name, done in turns.items()}
            for contender, (seconds, work, memory, arrays) in medians.items():
                clock, processor, *_ = medians["labelnext"]
                print(
                    f"{kind:6} {contender:10} {seconds:6.2f} s {seconds / clock:5.1f}x   processor "
                    f"{work:6.2f} s {work / processor:5.1f}x {memory:7.0f} MB "
                    f"{memory / arrays:5.1f}x"
                )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
