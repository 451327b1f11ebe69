"""Kernels: how similar two items are, by their distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from labelnext.selection.vectors import Array, Points, origin_of, squared_distances

KernelName = Literal["gaussian", "laplace", "top_hat"]

_LARGEST = 1e35  # squared width; it and its inverse fit into float32
_SAMPLE = 4096  # items whose distances set the default width


@dataclass(frozen=True)
class Kernel:
    """A similarity in [0, 1] that falls with the distance d.

    Attributes:
        name: gaussian is exp(−d²/2w²), laplace is exp(−d/w), top_hat is 1 up to w and 0 beyond.
        squared_width: w², above 0.

    Example:
        >>> Kernel("top_hat", 4.0).of(np.array([0.0, 4.0, 4.1])).tolist()
        [1.0, 1.0, 0.0]
    """

    name: KernelName
    squared_width: float

    def of(self, squares: Array) -> Array:
        """The similarity for squared distances, which are overwritten."""
        if self.name == "top_hat":
            return np.less_equal(squares, self.squared_width, out=squares)
        factor = 1.0 if self.name == "laplace" else -2.0
        with np.errstate(over="ignore"):  # a tiny width makes all similarities 0
            squares /= factor * min(max(self.squared_width, 1 / _LARGEST), _LARGEST)
        if self.name == "laplace":
            np.negative(np.sqrt(squares, out=squares), out=squares)
        return np.exp(squares, out=squares)

    def between(self, first: Array, second: Array, origin: Array) -> Array:
        """Similarities of rows, shape (n_first, n_second); `origin` is a point amid them."""
        return self.of(squared_distances(first - origin, second - origin))

    def nearest(self, points: Points, others: Points, origin: Array) -> Array:
        """Similarity of each point to its nearest other, shape (n_points,); 0 without others."""

        def of_block(_: slice, block: Array) -> Array:
            best: Array = np.zeros(len(block), dtype=points.dtype)
            for _, targets in others.blocks():
                best = np.maximum(best, self.between(block, targets, origin).max(axis=1))
            return best

        return np.concatenate([np.empty(0, points.dtype), *points.each(of_block)])


def default_width(points: Points, given: Points, n_picks: int, seed: int) -> float:
    """The squared width of a kernel that suits how densely the pool is labelled.

    A quarter of the median squared distance of the items to their nearest labelled one; without
    labels, to the nearest of as many random items as will be picked. It is measured on 4,096
    random items; those that equal a labelled one don't count.

    Args:
        points: the items; at least one.
        given: the labelled items.
        n_picks: how many items will be picked.
        seed: of the random items.

    Example:
        >>> items, labelled = Points(np.array([[0.0], [2.0], [4.0]])), Points(np.array([[0.0]]))
        >>> default_width(items, labelled, 1, 0)  # a quarter of the median of 4 and 16
        2.5
    """
    rng = np.random.default_rng(seed)
    n = len(points)
    chosen = rng.permutation(n)[:_SAMPLE]
    sample = points[np.sort(chosen)]
    if not len(given):
        given = Points(points[np.sort(rng.permutation(n)[: min(n_picks, _SAMPLE)])])
    nearest = np.full(len(sample), np.inf)
    origin = origin_of(sample)
    for _, targets in given.blocks():
        squares = squared_distances(sample - origin, targets - origin)
        nearest = np.minimum(nearest, squares.min(axis=1))
    apart = nearest[nearest > 0]
    return float(np.median(apart)) / 4 if len(apart) else 1.0
