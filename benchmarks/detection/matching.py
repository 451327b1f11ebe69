"""How long does a committee of two versions take over 100,000 images with 10 boxes each?

python -m benchmarks.detection.matching
"""

from __future__ import annotations

import time
import tracemalloc

import numpy as np

from labelnext.acquisition import committee_certainty, localisation_stability
from labelnext.pool import Objects


def versions(rng: np.random.Generator, n_images: int, n_boxes: int) -> tuple[Objects, Objects]:
    """Two versions that see the same things, a tenth of them at another place."""
    n = n_images * n_boxes
    corner = rng.random((n, 2)) * 0.8
    base = np.concatenate([corner, corner + 0.05 + 0.15 * rng.random((n, 2))], axis=1)
    made = []
    for _ in range(2):
        moved = np.where(rng.random((n, 1)) < 0.1, 0.3, 0.01) * rng.normal(size=(n, 1))
        boxes = np.clip(base + moved, 0, 1)
        made.append(
            Objects(
                np.arange(n_images + 1) * n_boxes,
                rng.random(n),
                class_ids=rng.integers(0, 20, n),
                boxes=boxes,
            )
        )
    return made[0], made[1]


def main() -> None:
    rng = np.random.default_rng(0)
    for function in (committee_certainty, localisation_stability):
        print(f"{function.__name__}, two versions of 10 boxes")
        for n_images in (1_000, 10_000, 100_000):
            pair = versions(rng, n_images, 10)
            function(versions(rng, 10, 10))  # load what is loaded once
            start = time.perf_counter()
            function(pair)
            line = f"  {n_images:>8,} images {time.perf_counter() - start:>7.1f} s"
            if n_images <= 10_000:  # tracing is slow
                tracemalloc.start()
                function(pair)
                line += f"{tracemalloc.get_traced_memory()[1] / 2**20:>9.1f} MiB of temporaries"
                tracemalloc.stop()
            print(line)
    print("bar: 100,000 images in under 60 s")


if __name__ == "__main__":
    main()
