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


def placed_by_doubt(utilities: NDArray[np.float64], pool: Pool) -> NDArray[np.float64]:
    """Utilities in which items of a lone member stand where its own doubt puts them.

    A committee of one agrees with itself, so its disagreement is 0 however unsure it is. The
    entropy of the mean distribution is known for all items: a lone item whose entropy is, say,
    above that of four fifths of the other items gets a utility above four fifths of theirs.

    Args:
        utilities: shape (n_items,), of disagreement; larger is labelled first.
        pool: with the probabilities of several members.

    Returns:
        Shape (n_items,); the same array if no item has a lone member.

    Example:
        >>> nan = float("nan")
        >>> first = [[1, 0], [0.5, 0.5], [0.5, 0.5]]
        >>> pool = Pool("abc", probabilities=[first, [[1, 0], [0, 1], [nan, nan]]])
        >>> placed_by_doubt(np.array([0.0, 0.2, 0.0]), pool).tolist()
        [0.0, 0.2, 0.2]
    """
    alone = lone_items(pool)
    if not alone.any() or pool.mean_probabilities is None:
        return utilities
    doubt: NDArray[np.float64] = np.full(len(pool), np.nan)
    known = ~np.isnan(pool.mean_probabilities).any(axis=1)
    doubt[known] = entropy(pool.mean_probabilities[known])
    others = known & ~alone & np.isfinite(utilities)
    placed = np.array(utilities, dtype=np.float64)
    if not others.any():
        placed[alone] = doubt[alone]
        return placed
    placed[alone] = np.interp(doubt[alone], np.sort(doubt[others]), np.sort(utilities[others]))
    return placed


__all__ = ["lone_items", "placed_by_doubt"]
