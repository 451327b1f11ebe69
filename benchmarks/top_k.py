"""How fast are the best k of ten million scores, and a stable order of all?

    python -m benchmarks.top_k [best|order] [--cpu]

polars and pyarrow are asked for positions too, as a ranking needs them; polars' values alone are
shown besides.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.contenders import ARGUMENTS, show, timed
from labelnext.selection.sorting import stable_order
from labelnext.selection.top_k import top_k

N = 10_000_000


def argpartition(values: np.ndarray, k: int) -> np.ndarray:
    chosen = np.argpartition(values, len(values) - k)[-k:]
    return chosen[np.argsort(-values[chosen], kind="stable")]


def compare(title: str, values: np.ndarray, k: int, bar: float, *, peers: bool) -> None:
    contenders = {
        "labelnext": lambda: top_k(values, k),
        "argpartition": lambda: argpartition(values, k),
    }
    if peers:
        series, column = pl.Series("s", values), pa.array(values)
        frame = pl.DataFrame({"s": series}).with_row_index()
        contenders |= {
            "polars": lambda: frame.top_k(k, by="s"),
            "polars, values alone": lambda: series.top_k(k),
            "pyarrow": lambda: pc.select_k_unstable(column, k, [("s", "descending")]),
        }
        assert (values[top_k(values, k)] == values[argpartition(values, k)]).all()
    bars = [("labelnext", peer, bar) for peer in contenders if peer != "labelnext"]
    show(f"best {k:,} of {N:,}, {title}", timed(contenders, 5), bars)


def best(distinct: np.ndarray) -> None:
    narrow = distinct.astype(np.float32)
    for k, bar in ((1000, 7), (100_000, 2)):
        compare("float32", narrow, k, bar, peers=True)
        compare("float64", distinct, k, bar, peers=True)
        compare("float64, 101 distinct values", np.round(distinct, 2), k, 1, peers=False)
        nan = np.where(distinct < 0.1, np.nan, distinct)
        compare("float64, a tenth NaN", nan, k, 1, peers=False)


def order(distinct: np.ndarray) -> None:
    for title, values in (("float32", distinct.astype(np.float32)), ("float64", distinct)):
        contenders = {
            "labelnext": lambda v=values: stable_order(v),
            "argsort, stable": lambda v=values: np.argsort(-v, kind="stable"),
            "argsort, unstable": lambda v=values: np.argsort(-v),
        }
        bars = [("labelnext", "argsort, stable", 5), ("labelnext", "argsort, unstable", 2)]
        show(f"order of {N:,}, {title}", timed(contenders, 4), bars)


if __name__ == "__main__":
    for question in ARGUMENTS or ("best", "order"):
        {"best": best, "order": order}[question](np.random.default_rng(0).random(N))
