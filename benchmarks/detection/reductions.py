"""How fast are the reductions of objects, beside polars, pandas and numpy in the same run?

python -m benchmarks.detection.reductions       # needs benchmarks/detection/requirements.txt
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import polars as pl

from labelnext.acquisition import entropy
from labelnext.acquisition.objects import object_statistics
from labelnext.pool import Objects

N_IMAGES, N_OBJECTS, N_ROUNDS = 2_000_000, 20_000_000, 5


def ragged(rng: np.random.Generator, n_images: int, n_objects: int) -> np.ndarray:
    """Offsets of images with very different numbers of objects."""
    counts = rng.multinomial(n_objects, rng.dirichlet(np.ones(n_images)))
    return np.concatenate([[0], np.cumsum(counts)])


def seconds(contenders: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """The best of several rounds, the contenders in turn, after one to warm up."""
    best = dict.fromkeys(contenders, np.inf)
    for round_ in range(N_ROUNDS + 1):
        for name, function in contenders.items():
            start = time.perf_counter()
            function()
            if round_:
                best[name] = min(best[name], time.perf_counter() - start)
    return best


def show(title: str, best: Mapping[str, float], bar: float, rivals: tuple[str, ...]) -> None:
    print(f"\n{title}")
    own = best["labelnext"]
    for name, value in sorted(best.items(), key=lambda pair: pair[1]):
        print(f"  {name:32}{1000 * value:>10.1f} ms{value / own:>9.1f}×")
    ratio = min(best[name] for name in rivals) / own
    print(f"  bar: {bar:g}× of {' and '.join(rivals)}: {'met' if ratio >= bar else 'MISSED'}")


def confidences(rng: np.random.Generator) -> None:
    offsets = ragged(rng, N_IMAGES, N_OBJECTS)
    values = rng.random(N_OBJECTS, dtype=np.float32)
    owners = np.repeat(np.arange(N_IMAGES), np.diff(offsets))
    objects = Objects(offsets, values)
    frame = pl.DataFrame({"i": owners, "v": values})
    in_order = frame.with_columns(pl.col("i").set_sorted())
    column = pl.col("v")
    asked = [
        column.mean().alias("mean"),
        column.max().alias("max"),
        column.min().alias("min"),
        column.sum().alias("sum"),
        pl.len(),
    ]
    table = pd.DataFrame({"i": owners, "v": values})
    filled = np.diff(offsets) > 0
    starts = offsets[:-1][filled]

    def reduceat() -> None:
        for ufunc in (np.add, np.maximum, np.minimum):
            ufunc.reduceat(values, starts)

    def ours_with(floor: float) -> None:
        statistics = object_statistics(objects, floor=floor)
        for name in ("count", "sum", "mean", "min", "max"):  # each is made when asked for
            getattr(statistics, name)

    contenders = {
        "labelnext": lambda: ours_with(0.0),
        "labelnext, the mean alone": lambda: object_statistics(objects).mean,
        "labelnext, with a floor": lambda: ours_with(0.3),
        "numpy reduceat, three times": reduceat,
        "polars group_by": lambda: frame.group_by("i").agg(asked),
        "polars group_by, key sorted": lambda: in_order.group_by("i").agg(asked),
        "pandas groupby.agg": lambda: table.groupby("i")["v"].agg(
            ["mean", "max", "min", "sum", "count"]
        ),
    }
    ours = object_statistics(objects)
    theirs = table.groupby("i")["v"].agg(["mean", "max", "min"])
    for name in ("mean", "max", "min"):
        assert np.allclose(getattr(ours, name)[filled], theirs[name], rtol=1e-4)
    rivals = ("polars group_by", "polars group_by, key sorted", "pandas groupby.agg")
    title = f"mean, max, min, sum and count: {N_OBJECTS:,} objects of {N_IMAGES:,} images"
    show(title, seconds(contenders), 15, rivals)


def vectors(rng: np.random.Generator) -> None:
    n, n_images, n_classes = 1_000_000, 100_000, 80
    offsets = ragged(rng, n_images, n)
    rows = rng.random((n, n_classes), dtype=np.float32) ** 8
    rows /= rows.sum(axis=1, keepdims=True)
    objects = Objects(offsets, rows.max(axis=1), probabilities=rows)
    owners = np.repeat(np.arange(n_images), np.diff(offsets))

    def grouped() -> object:
        terms = pd.Series(-(rows * np.log(rows, where=rows > 0, out=np.zeros_like(rows))).sum(1))
        return terms.groupby(owners).mean()

    own, expected = entropy(objects), grouped()
    assert np.allclose(own[expected.index], expected, rtol=1e-3)
    contenders = {"labelnext": lambda: entropy(objects), "numpy and pandas groupby": grouped}
    title = f"mean entropy of {n:,} × {n_classes} class vectors of {n_images:,} images"
    show(title, seconds(contenders), 3, ("numpy and pandas groupby",))
    tracemalloc.start()
    entropy(objects)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    print(f"  temporaries: {peak:.1f} MiB; bar: below 64: {'met' if peak < 64 else 'MISSED'}")


if __name__ == "__main__":
    confidences(np.random.default_rng(0))
    vectors(np.random.default_rng(1))
