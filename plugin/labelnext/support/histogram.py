"""Histograms of scores, also where they differ by rounding alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STEPS = 1 << 16  # of the floating-point grid: scores closer than this are one value
_AROUND = 1 << 24  # steps on either side of them
_FAR = 1e300  # of either sign: a plot needs room above its values


def histogram(
    values: NDArray[np.floating], low: float, high: float, n_bins: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Counts of values in bins of equal width.

    If `low` and `high` differ by rounding alone, the bins lie around them, and one of them holds
    all values.

    Args:
        values: shape (n,), from `low` to `high`.
        low: the smallest value.
        high: the largest value.
        n_bins: number of bins; each but the last excludes its upper end.

    Returns:
        Counts, shape (n_bins,), and edges, shape (n_bins + 1,), ascending.

    Example:
        >>> counts, edges = histogram(np.array([0.0, 1.0, 4.0]), 0.0, 4.0, 2)
        >>> counts.tolist(), edges.tolist()
        ([2, 1], [0.0, 2.0, 4.0])
    """
    low, high = np.clip([low, high], -_FAR, _FAR).tolist()
    step = float(np.spacing(max(abs(low), abs(high))))
    if high - low < _STEPS * step:
        middle, half = low + (high - low) / 2, max(0.5, _AROUND * step)
        low, high = middle - 0.969 * half, middle + 1.031 * half  # no edge on the values
    counts, edges = np.histogram(np.clip(values, low, high), bins=n_bins, range=(low, high))
    return counts, edges
