"""Count, sum, mean, minimum and maximum of each item's values, in one pass.

Compiled, because numpy's `reduceat` reads the values once per statistic: on 20 million objects
the compiled pass is three times as fast (benchmarks/detection/reductions.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.support.compiled import compiled
from labelnext.support.threads import in_parts

_ITEMS = 1 << 16  # minimum per thread: below, starting one takes longer than the work


@dataclass(frozen=True, eq=False)
class Statistics:
    """Statistics of each item's values; NaN propagates. Without values, count and sum are 0.

    Attributes:
        count: shape (n_items,).
        sum: shape (n_items,).
        mean: shape (n_items,), NaN without values.
        min: shape (n_items,), inf without values.
        max: shape (n_items,), −inf without values.
    """

    count: NDArray[np.int64]
    sum: NDArray[np.float64]
    mean: NDArray[np.float64]
    min: NDArray[np.float64]
    max: NDArray[np.float64]


def segment_statistics(
    values: NDArray[np.floating],
    offsets: NDArray[np.int64],
    *,
    confidences: NDArray[np.floating] | None = None,
    floor: float = 0.0,
) -> Statistics:
    """Statistics of the values from offsets[i] to offsets[i + 1], for every i.

    Args:
        values: shape (n_objects,).
        offsets: shape (n_items + 1,), from 0 to n_objects, non-decreasing.
        confidences: shape (n_objects,); values with a confidence below the floor are ignored.
        floor: in [0, 1].

    Example:
        >>> s = segment_statistics(np.array([0.5, 0.25, 1.0]), np.array([0, 2, 2, 3]))
        >>> s.count.tolist(), s.sum.tolist(), s.max.tolist()
        ([2, 0, 1], [0.75, 0.0, 1.0], [0.5, -inf, 1.0])
    """
    n = len(offsets) - 1
    count, out = np.empty(n, dtype=np.int64), np.empty((4, n))
    gate = values if confidences is None else confidences
    # No value is below −inf, so without confidences every value counts.
    limit = -np.inf if confidences is None else floor
    run = compiled(_statistics)

    def part(start: int, stop: int) -> None:
        items = slice(start, stop)
        run(values, gate, offsets[start : stop + 1], limit, count[items], *out[:, items])

    in_parts(n, part, least=_ITEMS)
    return Statistics(count, *out)


def segment_top_k(
    values: NDArray[np.floating],
    offsets: NDArray[np.int64],
    k: int,
    *,
    confidences: NDArray[np.floating],
    floor: float = 0.0,
) -> NDArray[np.float64]:
    """Mean of each item's k largest values, or of all if it has fewer; NaN without values.

    Args:
        values: shape (n_objects,); NaN counts as largest.
        offsets: shape (n_items + 1,).
        k: at least 1.
        confidences: shape (n_objects,); values with a confidence below the floor are ignored.
        floor: in [0, 1].

    Example:
        >>> v = np.array([0.5, 0.25, 1.0])
        >>> segment_top_k(v, np.array([0, 3]), 2, confidences=v).tolist()
        [0.75]
    """
    out = np.empty(len(offsets) - 1)
    compiled(_top_k)(values, confidences, offsets, float(floor), np.empty(k), out)
    return out


def _statistics(
    values: Any, gate: Any, offsets: Any, floor: float, n: Any, sums: Any, means: Any, low: Any,
    high: Any,
) -> None:  # fmt: skip
    every = floor == -np.inf  # checked once, so the common case reads no confidences
    for i in range(len(offsets) - 1):
        count, total, least, most = 0, 0.0, np.inf, -np.inf
        for j in range(offsets[i], offsets[i + 1]):
            value = values[j]
            if every or not gate[j] < floor:
                count += 1
                total += value
                least = value if value < least else least
                most = value if value > most else most
        if total != total:  # NaN propagates; one test here beats two per value
            least = most = total
        n[i], sums[i], low[i], high[i] = count, total, least, most
        means[i] = total / count if count else np.nan


def _top_k(values: Any, gate: Any, offsets: Any, floor: float, best: Any, out: Any) -> None:
    for i in range(len(offsets) - 1):
        held = 0  # best[:held] is sorted in descending order
        for j in range(offsets[i], offsets[i + 1]):
            value = values[j]
            if gate[j] < floor:
                continue
            if held < len(best):
                held += 1
            elif value <= best[held - 1] or best[held - 1] != best[held - 1]:
                continue
            index = held - 1
            while index > 0 and (value > best[index - 1] or value != value):
                best[index] = best[index - 1]
                index -= 1
            best[index] = value
        total = 0.0
        for index in range(held):
            total += best[index]
        out[i] = total / held if held else np.nan
