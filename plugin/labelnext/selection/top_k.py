"""The k items with the best scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelnext.selection.sorting import stable_order
from labelnext.support.annotations import NaturalNumber
from labelnext.support.signatures import checked

_SAMPLE = 2**16  # values for estimating the threshold
_SMALL = 2**14  # up to this size, sorting everything is as fast as filtering first


@checked
def top_k(utilities: NDArray[np.floating], budget: NaturalNumber | None = None) -> NDArray[np.intp]:
    """Positions of the largest utilities, largest first; equal ones in the order given.

    A sample yields a threshold that slightly more than `budget` values exceed; only those are
    sorted.

    Args:
        utilities: shape (n_items,), larger is labelled sooner; ±inf is allowed, NaN comes last.
        budget: how many; all when None or larger than the pool.

    Returns:
        Shape (min(budget, n_items),).

    Example:
        >>> import numpy as np
        >>> top_k(np.array([0.1, 0.9, 0.9]), 2).tolist()
        [1, 2]
    """
    values = np.asarray(utilities)
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    n = len(values)
    if budget is None or n <= _SMALL or budget > n // 2:
        return stable_order(values)[:budget]
    threshold = _estimate(values, budget)
    above = np.flatnonzero(values > threshold)
    if len(above) >= budget:
        candidates, cut = values[above], len(above) - budget
        last = np.partition(candidates, cut)[cut]  # the smallest chosen value
        equal = above[candidates == last]
        above = above[candidates > last]
    else:
        equal = np.flatnonzero(values == threshold)
        if len(above) + len(equal) < budget:  # an unlucky sample, or too many NaN
            return stable_order(values)[:budget]
    best = above[stable_order(values[above])]
    return np.concatenate([best, equal[: budget - len(best)]])


def _estimate(values: NDArray[np.floating], budget: int) -> np.floating:
    """A threshold that slightly more than `budget` values probably reach."""
    sample = values[:: max(1, len(values) // _SAMPLE)]
    expected = budget * len(sample) / len(values)
    reached = int(expected + 4 * np.sqrt(expected) + 8)  # four standard deviations, and a few
    numbers = sample[~np.isnan(sample)]
    if reached >= len(numbers):
        return values.dtype.type(-np.inf)
    threshold: np.floating = np.partition(numbers, -reached)[-reached]
    return threshold
