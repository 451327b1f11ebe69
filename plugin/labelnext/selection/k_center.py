"""k-center greedy: each pick is the item farthest from everything labelled or picked."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from labelnext.selection.vectors import (
    Array,
    Points,
    as_points,
    mean_of,
    one_blas_thread,
    origin_of,
    squared_distances,
    squared_lengths,
)
from labelnext.support.annotations import NaturalNumber
from labelnext.support.signatures import checked

_WINDOW = 4096  # items with the largest bounds, used until all fall below the others
_FRONT = 64  # of these, how many are refreshed at once
_NEAREST = np.finfo(np.float64).min  # instead of the logarithm of 0


@checked
def k_center(
    embeddings: Array | Points,
    labelled_embeddings: Array | Points,
    budget: NaturalNumber | None = None,
) -> NDArray[np.intp]:
    """Positions in the order of greedy farthest-first traversal.

    Each pick is the item with the largest distance to its nearest centre. The labelled items are
    the initial centres; without any, the item nearest to the mean comes first. The largest
    distance to the nearest centre is at most twice that of the best batch of that size.

    Args:
        embeddings: shape (n_items, n_dimensions), finite.
        labelled_embeddings: shape (n_labelled, n_dimensions).
        budget: how many; all when None or larger than the pool.

    Returns:
        Shape (min(budget, n_items),).

    Raises:
        InvalidInput: if an embedding is not finite.

    References:
        Gonzalez (1985); Sener and Savarese (2018), Core-Set; lazy evaluation: Minoux (1978).

    Example:
        >>> import numpy as np
        >>> points = np.array([[0.0], [1.0], [2.0], [9.0]])
        >>> k_center(points, np.array([[0.5]]), 2).tolist()
        [3, 2]
    """
    points, given = as_points(embeddings), as_points(labelled_embeddings)
    if len(points) == 0:
        return np.empty(0, dtype=np.intp)
    first = None if len(given) else int(np.argmin(distances_to(points, mean_of(points))))
    return farthest_first(points, given, budget, first=first)


def farthest_first(
    points: Points,
    given: Points,
    budget: int | None,
    *,
    first: int | None = None,
    log_weights: NDArray[np.float64] | None = None,
) -> NDArray[np.intp]:
    """Greedy maximisation of weight times squared distance to the nearest centre.

    Products are compared by their logarithms: as numbers, small ones would all be 0.

    Exact, with lazy evaluation: the distance to the centres seen so far bounds the distance to all
    of them, so only items with the largest bounds are refreshed, and one is picked once no other
    bound reaches it. Ties go to the earlier item. Items that coincide with a centre come last, by
    their weights.

    Args:
        points: the candidates; at least one.
        given: initial centres.
        budget: how many; all when None.
        first: the first pick; required without initial centres.
        log_weights: shape (n_points,), finite; all 0 when None.

    Returns:
        Shape (min(budget, n_points),).
    """
    n_picks = len(points) if budget is None else min(budget, len(points))
    cover = _Cover(points, given, n_picks, first, log_weights)
    with one_blas_thread():
        while len(cover.picks) < n_picks:
            window, floor = _leaders(cover.bounds, _WINDOW)
            front = _FRONT
            while len(cover.picks) < n_picks and cover.bounds[window].max() >= floor:
                chosen, least = _leaders(cover.bounds[window], front)
                made = cover.pick_among(window[chosen], max(least, floor), n_picks)
                front = _FRONT if made else min(2 * front, _WINDOW)
    return np.array(cover.picks, dtype=np.intp)


class _Cover:
    """The centres, and a bound on the logarithm of each item's weighted squared distance."""

    def __init__(
        self,
        points: Points,
        given: Points,
        n_picks: int,
        first: int | None,
        log_weights: NDArray[np.float64] | None,
    ) -> None:
        self.points, self.log_weights = points, log_weights
        self.picks: list[int] = [] if first is None else [first]
        self._origin = origin_of(points)  # shifting by it keeps precision in float32
        self._centres = np.empty((len(given) + n_picks, points.shape[1]), dtype=points.dtype)
        for rows, block in given.blocks():
            self._centres[rows] = block - self._origin
        self._n_centres = len(given) + len(self.picks)
        if first is not None:
            self._centres[self._n_centres - 1] = points[np.array([first])][0] - self._origin[0]
        self._lengths = np.empty(len(self._centres), dtype=points.dtype)
        self._lengths[: self._n_centres] = squared_lengths(self._centres[: self._n_centres])
        squares = distances_to(points, self._centres[0] + self._origin[0])
        self.bounds = self._weighted(squares, slice(None))
        self.bounds[self.picks] = -np.inf  # never picked again
        self._seen = np.ones(len(points), dtype=np.intp)  # centres included in each bound

    def pick_among(self, items: NDArray[np.intp], least: np.floating, n_picks: int) -> bool:
        """Pick from `items`, which have the largest bounds, while one stays at `least` or above.

        Returns:
            Whether anything was picked.
        """
        block = self.points[items]  # a copy
        block -= self._origin
        lengths = squared_lengths(block)
        before = len(self.picks)
        while len(self.picks) < n_picks:
            self._refresh(items, block, lengths)
            values = self.bounds[items]
            best = int(values.argmax())
            if values[best] < least:
                break
            if values[best] == _NEAREST:  # all that is left coincides with a centre
                rest = np.flatnonzero(self.bounds == _NEAREST)
                if self.log_weights is not None:
                    rest = rest[np.argsort(-self.log_weights[rest], kind="stable")]
                self.picks += rest[: n_picks - len(self.picks)].tolist()
                break
            self._centres[self._n_centres] = block[best]
            self._lengths[self._n_centres] = lengths[best]
            self._n_centres += 1
            self.picks.append(int(items[best]))
            self.bounds[items[best]] = -np.inf
        return len(self.picks) > before

    def _refresh(self, items: NDArray[np.intp], block: Array, lengths: Array) -> None:
        start = self._seen[items].min()
        if start == self._n_centres:
            return
        new = slice(start, self._n_centres)
        squares = squared_distances(
            block, self._centres[new], lengths=lengths, others=self._lengths[new]
        ).min(axis=1)
        self.bounds[items] = np.minimum(self.bounds[items], self._weighted(squares, items))
        self._seen[items] = self._n_centres

    def _weighted(self, squares: Array, items: slice | NDArray[np.intp]) -> NDArray[np.float64]:
        """The logarithm of weight times squared distance; `_NEAREST` where that is 0."""
        logs: NDArray[np.float64] = np.full(len(squares), _NEAREST)
        np.log(squares, out=logs, where=squares > 0, dtype=np.float64)
        if self.log_weights is not None:
            logs += self.log_weights[items]  # too little to move _NEAREST
        return logs


def _leaders(values: Array, count: int) -> tuple[NDArray[np.intp], np.floating]:
    """Ascending positions of the `count` largest values with ties, and the smallest of them."""
    if len(values) <= count:
        return np.arange(len(values)), values.min()
    least = np.partition(values, -count)[-count]
    return np.flatnonzero(values >= least), least


def covering_radius(points: Array, chosen: Array) -> float:
    """The largest distance from a point to its nearest chosen point; k-center minimises it.

    Args:
        points: shape (n_points, n_dimensions).
        chosen: shape (n_chosen, n_dimensions); at least one.

    Example:
        >>> covering_radius(np.array([[0.0], [1.0], [5.0]]), np.array([[1.0], [4.0]]))
        1.0
    """
    far, origin = 0.0, origin_of(points)
    for _, block in Points(points).blocks():
        nearest = squared_distances(block - origin, chosen - origin).min(axis=1)
        far = max(far, float(nearest.max()))
    return math.sqrt(far)


def distances_to(points: Points, centre: Array) -> Array:
    """Squared distance of every point to a centre, by direct differences, shape (n_points,)."""
    near = centre.astype(points.dtype)
    return np.concatenate([*points.each(lambda _, block: squared_lengths(block - near))])
