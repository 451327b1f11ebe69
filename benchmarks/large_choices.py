"""A batch of different items from a pool in parts, against the same method on the whole pool.

Makes embeddings (clustered, random, and clustered with far outliers in one part), chooses a batch
with `labelnext run` on the parts and with the function of the table on all of them, and prints
quality as a ratio: 1 is as good, and for distances lower is better, for coverage higher.

Facility location of the whole has a sampled objective: every item can be chosen, but the mean
similarity is that of 5,000 items drawn at random. Both batches are judged on 20,000 others.

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
_DRAWN = 20_000  # items on which a batch is judged
_REFERENCES = 5_000  # items whose similarity to the batch the facility location of the whole raises
_ROWS = 512  # candidates whose gains are worked out at once


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
    """Positions of the batch of the whole."""
    from labelnext.selection import get_selection

    none = np.empty((0, points.shape[1]), dtype=points.dtype)
    function = get_selection(method).function
    if method == "image_diversity":
        return np.asarray(function(points, budget, n_clusters=10))
    if method == "facility_location":
        return sampled_facility_location(points, samples(len(points))[0], budget)
    return np.asarray(function(points, none, budget))


def samples(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions that facility location looks at, and others on which batches are judged."""
    order = np.random.default_rng(1).permutation(rows)[: _REFERENCES + _DRAWN]
    return order[: len(order) // 5], order[len(order) // 5 :]


def sampled_facility_location(
    points: np.ndarray, references: np.ndarray, budget: int
) -> np.ndarray:
    """Greedy picks among all points that raise the mean similarity of some of them to the batch.

    A gain never grows, so an older one bounds it: the largest bounds are worked out again, some
    hundred at a time, until none that is left could win.
    """
    from labelnext.selection.facility_location import similarity_scale
    from labelnext.selection.vectors import Points, one_blas_thread, squared_distances
    from labelnext.support.threads import in_order

    scale = similarity_scale(Points(points), 0)
    targets, origin = points[references] - points[0], points[0]
    cover = np.zeros(len(references), dtype=np.float32)

    def similar(rows: np.ndarray) -> np.ndarray:
        distances = squared_distances(points[rows] - origin, targets)
        return np.exp(np.divide(distances, -scale, out=distances), out=distances)

    def gains(rows: np.ndarray) -> np.ndarray:
        found = similar(rows)
        found -= cover
        return np.maximum(found, 0, out=found).sum(axis=1, dtype=np.float64)

    blocks = np.array_split(np.arange(len(points)), max(len(points) // _ROWS, 1))
    with one_blas_thread():
        bounds = np.concatenate([*in_order(gains, blocks)])
        picks: list[int] = []
        while len(picks) < budget:
            known = np.zeros(len(points), dtype=bool)
            while True:
                best = int(bounds.argmax())
                if known[best]:
                    break
                first = np.argpartition(-bounds, _ROWS)[:_ROWS]
                first = first[~known[first]]
                bounds[first], known[first] = gains(first), True
            picks.append(best)
            cover = np.maximum(cover, similar(np.array([best]))[0])
            bounds[best] = -1.0
    return np.array(picks)


def quality(points: np.ndarray, method: str, picks: np.ndarray) -> tuple[str, float]:
    """What the method is after."""
    from labelnext.selection.facility_location import coverage
    from labelnext.selection.k_center import covering_radius
    from labelnext.selection.vectors import squared_distances

    if method == "k_center":
        return "covering radius", covering_radius(points, points[picks])
    if method == "facility_location":
        return "coverage", coverage(points[samples(len(points))[1]], points[picks])
    drawn = points[:: max(len(points) // _DRAWN, 1)]
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
