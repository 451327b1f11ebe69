"""How long does a folder of 20,000 YOLO text files take, compared with the obvious loop?

python -m benchmarks.yolo

Both sides read the same files in turns in one process; the best of five turns counts, in processor
seconds. labelnext's side is all of `read`: recognition, names, checks and the pool.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from labelnext.adapter import open_adapter

N_FILES = 20_000
MOST_LINES = 15
BAR = 3.0


def write(folder: Path) -> None:
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for number in range(N_FILES):
        n_lines = rng.integers(1, MOST_LINES + 1)
        numbers = rng.uniform(0.2, 0.4, (n_lines, 5)).astype(np.float32)
        rows = (f"{rng.integers(80)} " + " ".join(f"{v:g}" for v in row) for row in numbers)
        (folder / f"image_{number:06d}.txt").write_text("\n".join(rows) + "\n")


def obvious(folder: Path) -> float:
    """The sum of the confidences by open, split and float."""
    detections: dict[str, list[tuple[float, ...]]] = {}
    for path in sorted(folder.glob("*.txt")):
        with path.open() as file:
            rows = [tuple(float(number) for number in line.split()) for line in file]
        detections[path.stem] = rows
    return sum(row[5] for rows in detections.values() for row in rows)


def ours(folder: Path) -> float:
    """The sum of the confidences by labelnext."""
    pool = open_adapter("files", path=str(folder)).read()
    return float(pool.newest_objects.confidences.sum())


def seconds(read: Callable[[Path], float], folder: Path) -> tuple[float, float]:
    start = time.process_time()
    total = read(folder)
    return time.process_time() - start, total


def main(turns: int = 5) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "predict" / "labels"
        write(folder)
        best = {obvious: float("inf"), ours: float("inf")}
        totals = {}
        for _ in range(turns):
            for read in best:
                spent, totals[read] = seconds(read, folder)
                best[read] = min(best[read], spent)
    assert abs(totals[obvious] - totals[ours]) < 1e-6 * totals[obvious]
    ratio = best[obvious] / best[ours]
    print(f"obvious loop {best[obvious]:.2f} s, labelnext {best[ours]:.2f} s")
    print(f"{ratio:.1f} times as fast; {'meets' if ratio >= BAR else 'BELOW'} {BAR:.0f}")


if __name__ == "__main__":
    main()
