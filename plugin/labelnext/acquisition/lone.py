"""Items that only one member of a committee predicted: nobody can disagree with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.uncertainty import entropy
from labelnext.pool.pool import Pool


def lone_items(pool: Pool) -> NDArray[np.bool_]:
    """Items that a single one of several members predicted, shape (n_items,).

    Example:
        >>> nan = float("nan")
        >>> pool = Pool(["a", "b"], probabilities=[[[1, 0], [1, 0]], [[1, 0], [nan, nan]]])
        >>> lone_items(pool).tolist()
        [False, True]
    """
    members = pool.members
    if members is None or len(members) < 2:
        return np.zeros(len(pool), dtype=bool)
    present = ~np.isnan(members).any(axis=2)
    alone: NDArray[np.bool_] = (present.sum(axis=0) == 1) & ~pool.missing
    return alone


def with_own_doubt(utilities: NDArray[np.float64], pool: Pool) -> NDArray[np.float64]:
    """Utilities in which an item of a lone member has that member's entropy.

    A committee of one agrees with itself, so its disagreement is 0 however unsure it is. Entropy is
    what members that vote as it predicts would disagree by. No other item has an influence, so that
    a pool in parts is ranked as it is in memory.

    Args:
        utilities: shape (n_items,), of disagreement; larger is labelled first.
        pool: with the probabilities of several members.

    Returns:
        Shape (n_items,), in nats for those items; the same array if there are none.

    Example:
        >>> nan = float("nan")
        >>> first = [[1, 0], [0.5, 0.5], [0.5, 0.5]]
        >>> pool = Pool("abc", probabilities=[first, [[1, 0], [0, 1], [nan, nan]]])
        >>> with_own_doubt(np.array([0.0, 0.2, 0.0]), pool).round(4).tolist()
        [0.0, 0.2, 0.6931]
    """
    alone = lone_items(pool)
    if not alone.any() or pool.mean_probabilities is None:
        return utilities
    placed = np.array(utilities, dtype=np.float64)
    placed[alone] = entropy(pool.mean_probabilities[alone])
    return placed


__all__ = ["lone_items", "with_own_doubt"]
