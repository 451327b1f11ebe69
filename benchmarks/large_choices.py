"""A batch of different items from a pool in parts, against the same method on the whole pool.

Makes embeddings (clustered, random, and clustered with far outliers in one part), chooses a batch
with `labelnext run` on the parts and with the function of the table on all of them, and prints
quality as a ratio: 1 is as good, and for distances lower is better, for coverage higher.

    python -m benchmarks.large_choices --rows 1000000 --folder FOLDER
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

import numpy as np

KINDS = ("clustered", "random", "outliers")
METHODS = ("image_diversity", "typiclust", "k_center", "facility_location")
GROUP = 31_250  # rows; 16 MB of 128 numbers each
_DRAWN = 20_000  # items on which coverage is measured, and facility location is done in one round


def vectors(kind: str, rows: int, dimensions: int) -> np.ndarray:
    """Shape (rows, dimensions), float32."""
    rng = np.random.default_rng(0)
    points = rng.standard_normal((rows, dimensions), dtype=np.float32)
    if kind != "random":
        centres = rng.normal(size=(100, dimensions)).astype(np.float32)
        points *= 0.3
        points += centres[rng.integers(0, 100, rows)]
    if kind == "outliers":
        points[: rows // 1000] *= 4
    return points


def make(folder: Path, points: np.ndarray) -> None:
    """One file, in groups of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True)
    flat = pa.array(points.ravel())
    rows = pa.FixedSizeListArray.from_arrays(flat, points.shape[1])
    ids = pa.array([f"x{number:09d}" for number in range(len(points))])
    table = pa.table({"item_id": ids, "embedding": rows})
    pq.write_table(table, folder / "all.parquet", row_group_size=GROUP, use_dictionary=False)


def in_parts(folder: Path, method: str, budget: int) -> tuple[np.ndarray, list[str]]:
    """Positions of the batch, and the notices of the run."""
    import labelnext

    options = {"n_clusters": 10} if method == "image_diversity" else {}
    report = labelnext.run(
        {
            "source": {"adapter": "files", "path": str(folder / "data")},
            "acquisition": {"name": None},
            "selection": {"method": method, "budget": budget, "options": options},
            "write": {"output": str(folder / "ranking")},
            "state": str(folder / "state"),
            "report": {"path": None},
        }
    )
    found = np.array([int(name[1:]) for name in report.ranking.item_ids])
    return found, [notice.message for notice in report.notices]


def on_the_whole(points: np.ndarray, method: str, budget: int) -> np.ndarray:
    """Positions of the batch of the whole; of a sample where the whole takes days."""
    from labelnext.selection import get_selection

    none = np.empty((0, points.shape[1]), dtype=points.dtype)
    function = get_selection(method).function
    if method == "image_diversity":
        return np.asarray(function(points, budget, n_clusters=10))
    if method == "facility_location":
        drawn = np.sort(np.random.default_rng(1).choice(len(points), _DRAWN, replace=False))
        return drawn[function(points[drawn], none, budget)]
    return np.asarray(function(points, none, budget))


def quality(points: np.ndarray, method: str, picks: np.ndarray) -> tuple[str, float]:
    """What the method is after."""
    from labelnext.selection.facility_location import coverage
    from labelnext.selection.k_center import covering_radius
    from labelnext.selection.points import squared_distances

    drawn = points[:: max(len(points) // _DRAWN, 1)]
    if method == "k_center":
        return "covering radius", covering_radius(points, points[picks])
    if method == "facility_location":
        return "coverage", coverage(drawn, points[picks])
    nearest = np.sqrt(squared_distances(drawn, points[picks]).min(axis=1))
    return "mean distance to the nearest pick", float(nearest.mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dimensions", type=int, default=128)
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--folder", type=Path, default=Path("large-choices"))
    parser.add_argument("--kinds", nargs="+", default=KINDS)
    parser.add_argument("--methods", nargs="+", default=METHODS)
    arguments = parser.parse_args()
    shape = f"{arguments.rows:,} × {arguments.dimensions}, batches of {arguments.budget}"
    print(shape, flush=True)
    for kind in arguments.kinds:
        points = vectors(kind, arguments.rows, arguments.dimensions)
        shutil.rmtree(arguments.folder, ignore_errors=True)
        make(arguments.folder / "data", points)
        for method in arguments.methods:
            start = time.perf_counter()
            parts, notices = in_parts(arguments.folder, method, arguments.budget)
            middle = time.perf_counter()
            whole = on_the_whole(points, method, arguments.budget)
            end = time.perf_counter()
            what, value = quality(points, method, parts)
            ratio = value / quality(points, method, whole)[1]
            print(
                f"{kind:10} {method:18} {what} {ratio:.3f} of the whole; {middle - start:.1f} s "
                f"in parts, {end - middle:.1f} s whole; {notices[0]}",
                flush=True,
            )
    shutil.rmtree(arguments.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
