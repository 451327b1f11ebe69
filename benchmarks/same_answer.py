"""Is the ranking of a pool in parts that of the pool in memory, id for id, for every function?

Makes one pool for each kind of prediction, with ties, NaN, rows that do not quite sum to 1, missing
predictions, missing versions and labelled items; ranks it with `labelnext.rank`, then with
`labelnext run` on its rows, shuffled, in 1, 7 and 64 parts, by threads and by Ray. Prints where the
rankings differ, which is nowhere if all is well.

    python -m benchmarks.same_answer --rows 1000000 --folder FOLDER
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import labelnext
from labelnext import Objects, Pool, Ranking
from labelnext.acquisition import Unit, acquisition_names, get_acquisition
from labelnext.runs.large.export import source_of_pool, table_of_pool

CLASSES = ["cat", "dog", "owl"]
BUDGET = 1_000
_KINDS = 20  # of vectors that many items share; the others are one of a kind


def cases() -> list[tuple[str, Unit]]:
    """Every function of the table with everything that it scores."""
    return [(name, of) for name in acquisition_names() for of in get_acquisition(name).of]


def pool_for(name: str, of: Unit, rows: int) -> Pool:
    """A pool of what a function needs; the same for functions that need the same."""
    rng = np.random.default_rng(0)
    several = get_acquisition(name).members
    columns: dict[str, Any] = {
        "classes": CLASSES,
        "labelled": rng.random(rows) < 0.1,
        "missing": rng.random(rows) < 0.03,
    }
    if of == "items":
        members = [_rows(rng, rows) for _ in range(3 if several else 1)]
        nan = rng.random(rows) < 0.02
        for place, member in enumerate(members):
            member[nan, 0] = np.nan
            member[rng.random(rows) < 0.05 * place] = np.nan  # this version saw nothing
        columns["probabilities"] = np.stack(members) if several else members[0]
    else:
        first = _objects(rng, rows, columns["missing"])
        columns["objects"] = (_older(rng, first, columns["missing"]), first) if several else first
    return Pool([f"img-{i}" for i in rng.permutation(rows)], **columns)


def _rows(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Class probabilities: half of them alike, some that sum to a little less than 1."""
    rows = rng.dirichlet([0.5, 0.5, 0.5], n)
    kinds = rng.multinomial(8, [0.5, 0.3, 0.2], _KINDS) / 8
    alike = rng.random(n) < 0.5
    rows[alike] = kinds[rng.integers(0, _KINDS, alike.sum())]
    short = rng.random(n)
    rows[short < 0.02] *= 0.9995
    rows[(short > 0.02) & (short < 0.03)] *= 0.99999
    return rows


def _objects(rng: np.random.Generator, n: int, missing: NDArray[np.bool_]) -> Objects:
    """None to three objects an item; few boxes, so that many scores are equal."""
    counts = np.where(missing, 0, rng.integers(0, 4, n))
    n_objects = int(counts.sum())
    vectors, nan = _rows(rng, n_objects), rng.random(n_objects) < 0.02
    corners = rng.integers(0, 3, (n_objects, 2)) / 4
    confidences, class_ids = vectors.max(axis=1), vectors.argmax(axis=1)
    confidences[nan], vectors[nan, 0] = np.nan, np.nan
    return Objects(
        np.concatenate([[0], np.cumsum(counts)]),
        confidences,
        class_ids=class_ids,
        boxes=np.concatenate([corners, corners + rng.integers(1, 3, (n_objects, 2)) / 4], axis=1),
        probabilities=vectors,
        embeddings=rng.integers(-1, 2, (n_objects, 4)) + 0.5,
    )


def _older(rng: np.random.Generator, newest: Objects, missing: NDArray[np.bool_]) -> Objects:
    """The same objects but for a fifth, some of another class, some elsewhere; some unseen items.

    It has no class vectors, so that what it says depends on the number of classes.
    """
    unseen = missing | (rng.random(len(newest)) < 0.05)
    kept = newest.where(
        (rng.random(len(newest.confidences)) < 0.8) & ~unseen[newest.item_positions]
    )
    n = len(kept.confidences)
    assert kept.boxes is not None
    assert kept.class_ids is not None
    moved = kept.boxes * np.where(rng.random((n, 1)) < 0.5, 1, 0.875)
    flipped = np.where(rng.random(n) < 0.1, (kept.class_ids + 1) % len(CLASSES), kept.class_ids)
    return Objects(kept.offsets, kept.confidences, class_ids=flipped, boxes=moved, missing=unseen)


def write(pool: Pool, folder: Path, parts: int, order: NDArray[np.intp] | None = None) -> None:
    """The rows, shuffled unless an order is given, in files that are read as one part each."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True)
    table = table_of_pool(pool)
    if order is None:
        order = np.random.default_rng(parts).permutation(len(pool))
    for number, rows in enumerate(np.array_split(order, parts)):
        part = table.take(pa.array(rows))
        pq.write_table(part, folder / f"{number:03d}.parquet", row_group_size=max(len(part), 1))


def run(
    pool: Pool, folder: Path, out: Path, name: str, of: Unit, engine: str, budget: int = BUDGET
) -> None:
    """`labelnext run` on the files."""
    labelnext.run(
        {
            "source": {"adapter": "files", "path": str(folder), **source_of_pool(pool)},
            "acquisition": {"name": name, "of": of},
            "selection": {"budget": budget},
            "write": {"output": str(out / "ranking")},
            "state": str(out / "state"),
            "report": {"path": None},
            "engine": engine,
        }
    )


def start_ray() -> Any:
    """A Ray on this machine, for all runs that follow; it stays on 127.0.0.1."""
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    import ray

    ray.init(address="local", include_dashboard=False, log_to_driver=False)
    return ray


def difference(ranking: Ranking, folder: Path) -> str | None:
    """Where what was written differs from a ranking in memory; None where it does not."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    manifest = json.loads((folder / "manifest.json").read_text())
    files = [pq.read_table(folder / file["path"]) for file in manifest["files"]]
    table = pa.concat_tables(files)
    n = len(ranking.pool_order)
    if len(table) != n:
        return f"{len(table)} items instead of {n}"
    for column, expected in (
        ("item_id", ranking.pool_order),
        ("score", ranking.pool_scores),
        ("rank", np.arange(1, n + 1)),
        ("priority", ranking.pool_priorities),
        ("batch", np.arange(n) < len(ranking)),
    ):
        found = table.column(column).to_numpy(zero_copy_only=False)
        equal = found.astype(expected.dtype) == expected
        wrong = np.flatnonzero(~(equal | ((found != found) & (expected != expected))))
        if wrong.size:
            row = int(wrong[0])
            return f"{column} of rank {row + 1}: {found[row]} instead of {expected[row]}"
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--parts", nargs="+", type=int, default=[1, 7, 64])
    parser.add_argument("--engines", nargs="+", default=["local", "ray"])
    parser.add_argument("--functions", nargs="+", default=acquisition_names())
    parser.add_argument("--folder", type=Path, default=Path("same-answer"))
    arguments = parser.parse_args()
    if "ray" in arguments.engines:
        start_ray()
    heads = [f"{engine} {parts}" for parts in arguments.parts for engine in arguments.engines]
    print(f"{arguments.rows:,} items; the seconds of each run, and where it differs")
    print(f"{'function':24} {'of':8} {'memory':>8}", *(f"{head:>9}" for head in heads), flush=True)
    same = total = 0
    for name, of in cases():
        if name not in arguments.functions:
            continue
        kind = f"{of}-{'several' if get_acquisition(name).members else 'one'}"
        pool = pool_for(name, of, arguments.rows)
        start = time.perf_counter()
        ranking = labelnext.rank(pool, name, of=of, budget=BUDGET)
        print(f"{name:24} {of:8} {time.perf_counter() - start:8.1f}", end="", flush=True)
        wrong = []
        for parts in arguments.parts:
            data = arguments.folder / f"{kind}-{arguments.rows}-{parts}"
            if not data.exists():
                write(pool, data, parts)
            for engine in arguments.engines:
                out = arguments.folder / "out"
                shutil.rmtree(out, ignore_errors=True)
                start = time.perf_counter()
                run(pool, data, out, name, of, engine)
                seconds = time.perf_counter() - start
                found = difference(ranking, out / "ranking")
                total, same = total + 1, same + (found is None)
                print(f" {seconds:8.1f}{' ' if found is None else '!'}", end="", flush=True)
                wrong += [] if found is None else [f"  {engine}, {parts} parts: {found}"]
        print("", *wrong, sep="\n" if wrong else "", flush=True)
    print(f"{same} of {total} rankings are those of the pool in memory, id for id")
    shutil.rmtree(arguments.folder / "out", ignore_errors=True)


if __name__ == "__main__":
    main()
