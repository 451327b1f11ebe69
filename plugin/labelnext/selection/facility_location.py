"""Facility location: a batch that has something similar to every item in the pool."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.selection.vectors import Array, Points, as_points, one_blas_thread, squared_distances
from labelnext.support.annotations import Count, NaturalNumber, Seed
from labelnext.support.compiled import compiled
from labelnext.support.signatures import checked

_DENSE = 5000  # up to this many items, all pairs are kept
_PAIRS = 1000  # for the similarity scale
_GUESS = 32  # similarities per item for guessing its first gain
_ROWS = 256  # of distances at once: larger arrays are reallocated each time, at twice the cost


@checked
def facility_location(
    embeddings: Array | Points,
    labelled_embeddings: Array | Points,
    budget: NaturalNumber | None = None,
    *,
    n_neighbours: Count = 100,
    seed: Seed = 0,
) -> NDArray[np.intp]:
    """Positions in the order of lazy greedy facility location.

    Maximises Σ_i max_j s_ij, j over the batch and the labelled items, with the similarity
    s_ij = exp(−|x_i − x_j|² / 2σ²), where σ² is the mean squared distance of 1,000 random pairs.
    Above 5,000 items, only each item's `n_neighbours` nearest are kept. The objective is at least
    1 − 1/e of the best possible for that batch size.

    Args:
        embeddings: shape (n_items, n_dimensions), finite.
        labelled_embeddings: shape (n_labelled, n_dimensions).
        budget: how many; all when None or larger than the pool.
        n_neighbours: at least 1; used above 5,000 items.
        seed: of the pairs.

    Returns:
        Shape (min(budget, n_items),).

    Raises:
        InvalidInput: if `n_neighbours` is below 1 or an embedding is not finite.

    References:
        Nemhauser, Wolsey and Fisher (1978); Minoux (1978); Wei, Iyer and Bilmes (2015).

    Example:
        >>> import numpy as np
        >>> points = np.array([[0.0], [1.0], [2.0], [9.0]])
        >>> facility_location(points, np.array([[1.0]]), 1).tolist()
        [3]
    """
    points, given = as_points(embeddings), as_points(labelled_embeddings)
    n = len(points)
    if n == 0:
        return np.empty(0, dtype=np.intp)
    with one_blas_thread():
        scale = similarity_scale(points, seed)
        cover = np.zeros(n)
        for rows, block in points.blocks():
            for _, targets in given.blocks():
                nearest = _similarities(block, targets, points[:1], scale).max(axis=1)
                cover[rows] = np.maximum(cover[rows], nearest)
        if n <= _DENSE:
            whole = points[:]
            kept = _all_pairs(_similarities(whole, whole, points[:1], scale))
        else:
            kept = _nearest_pairs(points, n_neighbours, scale)
    return _maximised(kept, cover, budget)


def coverage(points: Array, chosen: Array, *, seed: int = 0) -> float:
    """Mean similarity of each point to its nearest chosen point, in [0, 1].

    Args:
        points: shape (n_points, n_dimensions); they set the scale, as in `facility_location`.
        chosen: shape (n_chosen, n_dimensions); at least one.
        seed: of the pairs for the scale.

    Example:
        >>> coverage(np.array([[0.0], [9.0]]), np.array([[0.0], [9.0]]))
        1.0
    """
    read = Points(points)
    scale, total = similarity_scale(read, seed), 0.0
    for _, block in read.blocks():
        total += float(_similarities(block, chosen, chosen[:1], scale).max(axis=1).sum())
    return total / len(points)


def maximise_facility_location(
    similarities: NDArray[np.floating], budget: int | None = None
) -> NDArray[np.intp]:
    """Lazy greedy facility location on a given similarity matrix.

    Args:
        similarities: shape (n_items, n_items), symmetric, at least 0.
        budget: how many; all when None.

    Returns:
        Positions, shape (min(budget, n_items),); ties go to the earlier item.

    Example:
        >>> import numpy as np
        >>> s = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])
        >>> maximise_facility_location(s, 2).tolist()
        [0, 2]
    """
    matrix = np.asarray(similarities)
    if len(matrix) == 0:
        return np.empty(0, dtype=np.intp)
    return _maximised(_all_pairs(matrix), np.zeros(len(matrix)), budget)


@dataclass(frozen=True)
class _Kept:
    """The similarities kept, in compressed rows.

    Attributes:
        values: shape (n_kept,), at least 0.
        items: shape (n_kept,), the other item of each; empty if all pairs are kept.
        offsets: shape (n_items + 1,), where each row starts.
    """

    values: NDArray[np.floating]
    items: NDArray[np.intp]
    offsets: NDArray[np.intp]


def _all_pairs(matrix: NDArray[np.floating]) -> _Kept:
    """All pairs, in float64, because a gain is a small difference of large sums."""
    n = len(matrix)
    values = np.ascontiguousarray(matrix, dtype=np.float64).ravel()
    return _Kept(values, np.empty(0, dtype=np.intp), np.arange(n + 1) * n)


def _nearest_pairs(points: Points, n_neighbours: int, scale: float) -> _Kept:
    """Each item's nearest items, in both directions."""
    n, k = len(points), min(n_neighbours, len(points))
    blocks = [*points.each(lambda _, block: _nearest(block, points, k, scale), _ROWS)]
    near, values = (np.concatenate(part) for part in zip(*blocks, strict=True))
    first = np.concatenate([np.repeat(np.arange(n), k), near.ravel()])
    second = np.concatenate([near.ravel(), np.repeat(np.arange(n), k)])
    pairs, chosen = np.unique(first * n + second, return_index=True)
    both = np.concatenate([values.ravel(), values.ravel()])
    return _Kept(
        both[chosen].astype(np.float64), pairs % n, np.searchsorted(pairs, np.arange(n + 1) * n)
    )


def _maximised(kept: _Kept, cover: NDArray[np.float64], budget: int | None) -> NDArray[np.intp]:
    """Greedy picks, starting from the given cover, which is raised in place."""
    n_picks = len(cover) if budget is None else min(budget, len(cover))
    picks = np.empty(n_picks, dtype=np.intp)
    columns = kept.values, kept.items, kept.offsets
    compiled(_lazy_greedy, reorder=True)(*columns, _foremost(kept), cover, picks)
    return picks


def _foremost(kept: _Kept) -> NDArray[np.intp]:
    """All items, those with the largest expected gain first; affects speed, not the picks."""
    n = len(kept.offsets) - 1
    if len(kept.items):
        sums = np.add.reduceat(kept.values, kept.offsets[:-1])
    else:
        sums = kept.values.reshape(n, n)[:, :: max(1, n // _GUESS)].sum(axis=1)
    order: NDArray[np.intp] = np.argsort(-sums)
    return order


def _lazy_greedy(
    values: Any, items: Any, offsets: Any, foremost: Any, cover: Any, picks: Any
) -> None:
    """Lazy greedy: gains never grow, so older gains are bounds, and only the top one is updated.

    The first pick lowers all gains. So each item's gain is also computed against the best item so
    far; once that item stays the best, the second gain is already known.
    """

    def gain_of(item: int, cover: Any) -> float:
        row = values[offsets[item] : offsets[item + 1]]
        gain = 0.0
        if len(items):
            others = items[offsets[item] : offsets[item + 1]]
            for j in range(len(row)):
                gain += max(row[j] - cover[others[j]], 0.0)
        else:
            for j in range(len(row)):
                gain += max(row[j] - cover[j], 0.0)
        return gain

    def raise_by(item: int, cover: Any) -> None:
        for j in range(offsets[item], offsets[item + 1]):
            other = items[j] if len(items) else j - offsets[item]
            cover[other] = max(cover[other], values[j])

    if len(picks) == 0:
        return
    seen = np.zeros(len(cover), dtype=np.intp)
    raised, best, most = cover.copy(), -1, -1.0
    first, second = np.empty(len(cover)), np.empty(len(cover))
    for item in foremost:
        gain = gain_of(item, cover)
        if gain > most or (gain == most and item < best):
            best, most = item, gain
            raised[:] = cover
            raise_by(best, raised)
            seen[:] = 0
        first[item], second[item], seen[item] = gain, gain_of(item, raised), 1
    cover[:] = raised
    picks[0] = best
    bounds = [
        (-second[item] if seen[item] else -first[item], item)
        for item in range(len(cover))
        if item != best
    ]
    heapify(bounds)
    made = 1
    while made < len(picks):
        item = bounds[0][1]
        if seen[item] < made:
            seen[item] = made
            heapreplace(bounds, (-gain_of(item, cover), item))
            continue
        heappop(bounds)
        picks[made] = item
        made += 1
        raise_by(item, cover)


def _similarities(first: Array, second: Array, origin: Array, scale: float) -> Array:
    distances = squared_distances(first - origin, second - origin)
    distances /= -scale
    return np.exp(distances, out=distances)


def _nearest(block: Array, points: Points, k: int, scale: float) -> tuple[NDArray[np.intp], Array]:
    """Each row's k nearest points, and their similarities."""
    near: NDArray[np.intp] = np.empty((len(block), 0), dtype=np.intp)
    distances: Array = np.empty((len(block), 0), dtype=points.dtype)
    origin = points[:1]
    for rows, targets in points.blocks():
        part = squared_distances(block - origin, targets - origin)
        best = np.argpartition(part, min(k, part.shape[1]) - 1, axis=1)[:, :k]
        near = np.concatenate([near, best + rows.start], axis=1)
        distances = np.concatenate([distances, np.take_along_axis(part, best, axis=1)], axis=1)
        if near.shape[1] > k:
            best = np.argpartition(distances, k - 1, axis=1)[:, :k]
            near = np.take_along_axis(near, best, axis=1)
            distances = np.take_along_axis(distances, best, axis=1)
    return near, np.exp(distances / -scale)


def similarity_scale(points: Points, seed: int) -> float:
    """2σ² of the similarity: twice the mean squared distance of random pairs."""
    first, second = np.random.default_rng(seed).integers(0, len(points), (2, _PAIRS))
    difference = points[first] - points[second]
    return float(2 * np.einsum("ij,ij->i", difference, difference).mean()) or 1.0
