"""What each item could cover, for pools of any size: targets drawn by weight, and who is near."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from math import ceil, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import LabelnextWarning
from labelnext.selection.covering import Kept, all_pairs, maximised, row_sums
from labelnext.selection.kernels import Kernel
from labelnext.selection.vectors import (
    Array,
    Points,
    one_blas_thread,
    origin_of,
    squared_distances,
    squared_lengths,
)

DENSE = 5_000  # up to this many items, all pairs are kept
ALL_TARGETS = 30_000  # up to this many items, all are targets
TARGETS = 1 << 14  # targets drawn in a larger pool
FEWEST = 100  # neighbours of a target that are kept at least
PAIRS = 1 << 26  # pairs that are kept at most; half a gigabyte
_SAMPLE = 8192  # items whose distances set the limits of the targets
_ROWS = 256  # of distances at once: larger arrays are reallocated each time, at twice the cost
_MEASURED = 1000  # targets on which the loss is measured


@dataclass(frozen=True)
class Targets:
    """The items that are to be covered.

    Attributes:
        positions: shape (n_targets,), ascending.
        weights: shape (n_targets,), above 0; they sum to the weights of all items.
    """

    positions: NDArray[np.intp]
    weights: NDArray[np.float64]

    @classmethod
    def drawn(cls, weights: NDArray[np.float64], n_targets: int, seed: int) -> Targets:
        """Items drawn in proportion to their weight, one from each of `n_targets` equal shares.

        An item that is drawn several times counts as often. Items of weight 0 are no targets; if
        all weights are 0, they count as 1.

        Example:
            >>> Targets.drawn(np.array([0.5, 0.0, 1.0]), 5, 0).positions.tolist()
            [0, 2]
        """
        if not weights.any():
            weights = np.ones(len(weights))
        positions = np.flatnonzero(weights > 0)
        if len(positions) <= n_targets:
            return cls(positions, weights[positions])
        sums = np.cumsum(weights)
        shares = (np.arange(n_targets) + np.random.default_rng(seed).random(n_targets)) / n_targets
        places = np.searchsorted(sums, shares * sums[-1], side="right")
        positions, counts = np.unique(np.minimum(places, positions[-1]), return_counts=True)
        return cls(positions, counts * (sums[-1] / n_targets))


def greedy_cover(
    points: Points,
    given: Points,
    kernel: Kernel,
    budget: int | None,
    *,
    who: str,
    weights: NDArray[np.float64] | None = None,
    n_neighbours: int | None = None,
    rest: NDArray[np.floating] | None = None,
    seed: int = 0,
) -> NDArray[np.intp]:
    """Greedy picks by Σ weight · max(similarity − cover, 0) over all items.

    Up to 5,000 items, all similarities are kept. Above, each target keeps those of its nearest
    items, and a `LabelnextWarning` says what share of the batch's cover they hold.

    Args:
        points: the candidates, which are to be covered too; at least one.
        given: what covers from the start.
        kernel: the similarity.
        budget: how many; all when None.
        who: the method, for the warning.
        weights: shape (n_points,), at least 0; all 1 when None.
        n_neighbours: kept of each target; see `neighbours_of` when None.
        rest: shape (n_points,); items that add nothing follow by it. When None, for top_hat by
            the number of targets within the width, else in their order.
        seed: of the targets.

    Returns:
        Shape (min(budget, n_points),).
    """
    n = len(points)
    weights = np.ones(n) if weights is None else weights
    origin = origin_of(points)
    with one_blas_thread():
        if n <= DENSE and kernel.name != "top_hat":
            whole = points[:]
            targets = Targets(np.arange(n), weights if weights.any() else np.ones(n))
            kept = all_pairs(kernel.between(whole, whole, origin))
            if (targets.weights != 1).any():
                kept = kept.weighted(targets.weights)
        else:
            n_picks = n if budget is None else min(budget, n)
            if n_neighbours is None:
                n_neighbours = neighbours_of(n, len(given) + n_picks)
            targets, kept = _near(points, kernel, weights, n_neighbours, seed)
            if rest is None and kernel.name == "top_hat":
                rest = row_sums(kept)
        aims = Points(points[targets.positions])
        dtype = kept.values.dtype  # rounded as the values are
        nearest = kernel.nearest(aims, given, origin).astype(dtype)
        cover = (nearest * targets.weights.astype(dtype)).astype(np.float64)
        picks = maximised(kept, cover, budget, rest)
        if n > DENSE:
            chosen = [given, Points(points[picks])]
            _say_loss(who, targets, aims, chosen, kernel, cover, n)
    return picks


def neighbours_of(n_items: int, n_chosen: int) -> int:
    """Twice as many as each labelled or picked item has to cover, at least 100.

    Example:
        >>> neighbours_of(20_000, 200), neighbours_of(20_000, 1000)
        (200, 100)
    """
    return min(n_items, max(FEWEST, ceil(2 * n_items / max(1, n_chosen))))


def _near(
    points: Points,
    kernel: Kernel,
    weights: NDArray[np.float64],
    n_neighbours: int,
    seed: int,
) -> tuple[Targets, Kept]:
    """The targets, and the pairs of a candidate and a target that are near enough."""
    n = len(points)
    n_targets = n if n <= ALL_TARGETS else TARGETS
    sampled = np.zeros(n, dtype=bool)
    sampled[np.random.default_rng(seed).permutation(n)[:_SAMPLE]] = True
    while True:
        targets = Targets.drawn(weights, n_targets, seed)
        aims = Points(points[targets.positions])
        some = _near_sampled(points, np.flatnonzero(sampled), aims, kernel, n_neighbours)
        n_pairs = some.n_pairs * n / np.count_nonzero(sampled)
        if n_pairs <= PAIRS or len(targets.positions) == 1:
            break
        n_targets = max(1, int(len(targets.positions) * PAIRS / n_pairs * 0.95))
    offsets, near, squares = _joined(some, sampled, _within(points, ~sampled, aims, some.limits))
    kept = Kept(kernel.of(squares), near, offsets)
    return targets, kept if (targets.weights == 1).all() else kept.weighted(targets.weights)


class _Rows(NamedTuple):
    """Pairs of some points, in their order, and a target.

    Attributes:
        counts: shape (n_some,), the pairs of each point.
        near: shape (n_pairs,), positions of targets, ascending within a point.
        squares: shape (n_pairs,), squared distances.
    """

    counts: NDArray[np.intp]
    near: NDArray[np.int32]
    squares: Array


@dataclass(frozen=True)
class _Sampled:
    """How far each target reaches, and the sampled items that it reaches.

    Attributes:
        limits: shape (n_targets,), squared distances, inclusive.
        n_pairs: of a target and a sampled item.
        rows: these pairs; empty where they are too many to be kept.
    """

    limits: Array
    n_pairs: int
    rows: _Rows


def _near_sampled(
    points: Points, chosen: NDArray[np.intp], aims: Points, kernel: Kernel, n_neighbours: int
) -> _Sampled:
    """The squared distance up to which each target keeps its neighbours, and those among a sample.

    The limits are those of the sampled items, so in a larger pool they hold about as many
    neighbours as asked for.

    Args:
        points: the candidates.
        chosen: positions of the sampled ones, ascending.
        aims: the targets.
        kernel: the similarity.
        n_neighbours: kept of each target.
    """
    from scipy.sparse import csr_array

    n, origin = len(points), origin_of(points)
    sample = points[chosen] - origin
    lengths, rank = squared_lengths(sample), ceil(n_neighbours * len(sample) / n)

    def of_block(_: slice, block: Array) -> tuple[Array, _Rows]:
        squares = squared_distances(block - origin, sample, others=lengths)
        limits: Array
        if kernel.name == "top_hat":
            limits = np.full(len(block), kernel.squared_width, dtype=squares.dtype)
        elif rank >= len(sample):
            limits = np.full(len(block), np.inf, dtype=squares.dtype)
        else:
            limits = ranked_values(squares, rank)
            limits *= 1 + 64 * np.finfo(limits.dtype).eps  # another product rounds otherwise
        return limits, _inside(squares, limits[:, None])

    limits, kept, n_pairs = list[Array](), list[_Rows](), 0
    for reach, rows in aims.each(of_block, _ROWS):
        limits.append(reach)
        n_pairs += len(rows.near)
        if n_pairs * n <= PAIRS * len(sample) or len(aims) == 1:
            kept.append(rows)
        else:
            kept.clear()
    by_target = [np.concatenate(part) for part in zip(*kept, strict=True)] if kept else None
    if by_target is None or len(by_target[0]) < len(aims):
        none = _Rows(*(np.empty(0, kind) for kind in (np.intp, np.int32, points.dtype)))
        return _Sampled(np.concatenate(limits), n_pairs, none)
    counts, near, squares = by_target
    offsets, shape = np.concatenate([[0], np.cumsum(counts)]), (len(aims), len(sample))
    turned = csr_array((squares, near, offsets), shape=shape).tocsc()
    rows = _Rows(np.diff(turned.indptr), turned.indices.astype(np.int32), turned.data)
    return _Sampled(np.concatenate(limits), n_pairs, rows)


def ranked_values(squares: Array, rank: int) -> Array:
    """The value of each row that has this rank, the smallest has 1.

    Every eighth column gives a bound below which it probably lies, so that few values are
    partitioned: all of them would take three times as long as the distances themselves.
    """
    share = rank / 8
    likely = ceil(share + 4 * sqrt(share) + 4)  # four deviations above the expected rank
    some = squares[:, ::8]
    if likely <= some.shape[1]:
        below = squares <= np.partition(some, likely - 1, axis=1)[:, likely - 1 : likely]
        counts = np.count_nonzero(below, axis=1)
        if counts.min() >= rank:
            few = np.full((len(squares), counts.max()), np.inf, dtype=squares.dtype)
            few[np.arange(counts.max()) < counts[:, None]] = squares[below]
            squares = few
    return np.partition(squares, rank - 1, axis=1)[:, rank - 1].copy()


def _within(points: Points, wanted: NDArray[np.bool_], aims: Points, limits: Array) -> _Rows:
    """The targets within whose limit each wanted point lies."""
    origin = origin_of(points)
    places = aims[:] - origin
    limits, lengths = limits.astype(points.dtype), squared_lengths(places)

    def of_block(part: slice, block: Array) -> _Rows:
        rest = block[wanted[part]] - origin
        return _inside(squared_distances(rest, places, others=lengths), limits)

    parts = [*points.each(of_block, _ROWS)]
    return _Rows(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _inside(squares: Array, limits: Array) -> _Rows:
    """The pairs of a block of rows whose squared distance is no larger than the limit."""
    inside = squares <= limits
    at = np.flatnonzero(inside)
    near = (at % squares.shape[1]).astype(np.int32)
    return _Rows(np.count_nonzero(inside, axis=1), near, squares.ravel()[at])


def _joined(
    some: _Sampled, sampled: NDArray[np.bool_], others: _Rows
) -> tuple[NDArray[np.intp], NDArray[np.int32], Array]:
    """The pairs of all points, in their order: offsets, targets and squared distances."""
    counts = np.empty(len(sampled), dtype=np.intp)
    counts[sampled], counts[~sampled] = some.rows.counts, others.counts
    first = np.repeat(sampled, counts)
    near = np.empty(len(first), dtype=np.int32)
    squares = np.empty(len(first), dtype=others.squares.dtype)
    near[first], near[~first] = some.rows.near, others.near
    squares[first], squares[~first] = some.rows.squares, others.squares
    return np.concatenate([[0], np.cumsum(counts)]), near, squares


def _say_loss(
    who: str,
    targets: Targets,
    aims: Points,
    chosen: list[Points],
    kernel: Kernel,
    cover: NDArray[np.float64],
    n_items: int,
) -> None:
    """Warn how much of what the batch covers was seen in the similarities kept, unless all was."""
    some = np.arange(len(aims))[:: ceil(len(aims) / _MEASURED)]
    measured, origin = Points(aims[some]), origin_of(aims)
    whole = np.max([kernel.nearest(measured, part, origin) for part in chosen], axis=0)
    weights = targets.weights[some]
    total = float((whole * weights).sum())
    share = min(1.0, float(cover[some].sum()) / total) if total else 1.0
    if share > 0.9995 and len(aims) == n_items:
        return
    drawn = f"{len(aims):,} of {n_items:,} items"
    warnings.warn(
        f"{who} went by the nearest neighbours of {drawn}; they hold {100 * share:.1f}% of what "
        "labels and batch cover.",
        LabelnextWarning,
        stacklevel=4,
    )
