"""Greedy covering: each pick adds most to the similarity of all items to their nearest pick."""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import heapify, heappop, heapreplace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.support.compiled import compiled

_GUESS = 32  # similarities per item for guessing its first gain


@dataclass(frozen=True)
class Kept:
    """The similarities kept of each candidate to the targets it could cover, in compressed rows.

    Attributes:
        values: shape (n_kept,), at least 0.
        targets: shape (n_kept,), the target of each; empty if all pairs are kept.
        offsets: shape (n_candidates + 1,), where each row starts.
    """

    values: NDArray[np.floating]
    targets: NDArray[np.integer]
    offsets: NDArray[np.intp]

    def weighted(self, weights: NDArray[np.floating]) -> Kept:
        """The same with the similarities to each target multiplied by its weight."""
        if len(self.targets):
            self.values[:] *= weights.astype(self.values.dtype)[self.targets]
            return self
        whole = self.values.reshape(-1, len(weights))
        return replace(self, values=(whole * weights).ravel())


def all_pairs(matrix: NDArray[np.floating]) -> Kept:
    """All pairs, in float64, because a gain is a small difference of large sums."""
    n_candidates, n_targets = matrix.shape
    values = np.ascontiguousarray(matrix, dtype=np.float64).ravel()
    return Kept(values, np.empty(0, dtype=np.intp), np.arange(n_candidates + 1) * n_targets)


def maximised(
    kept: Kept,
    cover: NDArray[np.float64],
    budget: int | None,
    rest: NDArray[np.floating] | None = None,
) -> NDArray[np.intp]:
    """Greedy picks: each has the largest sum of max(similarity − cover, 0) over the targets.

    Args:
        kept: the similarities, times the weights of the targets.
        cover: shape (n_targets,), what is covered so far, times the weights; raised in place.
        budget: how many; all when None.
        rest: shape (n_candidates,); candidates that add nothing follow by it, the largest first;
            in their order when None.

    Returns:
        Positions, shape (min(budget, n_candidates),); ties go to the earlier candidate.
    """
    n = len(kept.offsets) - 1
    n_picks = n if budget is None else min(budget, n)
    picks: NDArray[np.intp] = np.empty(n_picks, dtype=np.intp)
    if n_picks == 0:
        return picks
    columns = kept.values, kept.targets, kept.offsets
    made = compiled(_lazy_greedy, reorder=True)(*columns, _foremost(kept), cover, picks)
    if made < n_picks:
        left = np.ones(n, dtype=bool)
        left[picks[:made]] = False
        others = np.flatnonzero(left)
        if rest is not None:
            others = others[np.argsort(-rest[others], kind="stable")]
        picks[made:] = others[: n_picks - made]
    return picks


def _foremost(kept: Kept) -> NDArray[np.intp]:
    """All candidates, those with the largest expected gain first; affects speed, not the picks."""
    n = len(kept.offsets) - 1
    if len(kept.targets) or not len(kept.values):
        sums = row_sums(kept)
    else:
        sums = kept.values.reshape(n, -1)[:, :: max(1, n // _GUESS)].sum(axis=1)
    order: NDArray[np.intp] = np.argsort(-sums)
    return order


def row_sums(kept: Kept) -> NDArray[np.float64]:
    """The sum of each candidate's similarities, shape (n_candidates,)."""
    sums: NDArray[np.float64] = compiled(_row_sums, reorder=True)(kept.values, kept.offsets)
    return sums


def _row_sums(values: Any, offsets: Any) -> Any:
    sums = np.zeros(len(offsets) - 1)
    for row in range(len(sums)):
        total = 0.0
        for j in range(offsets[row], offsets[row + 1]):
            total += values[j]
        sums[row] = total
    return sums


def _lazy_greedy(
    values: Any, targets: Any, offsets: Any, foremost: Any, cover: Any, picks: Any
) -> int:
    """Lazy greedy: gains never grow, so older gains are bounds, and only the top one is updated.

    The first pick lowers all gains. So each item's gain is also computed against the best item so
    far; once that item stays the best, the second gain is already known.

    Returns:
        How many picks gain anything.
    """
    # Long: compiled as one function; what it calls has to be defined inside.

    def gain_of(item: int, cover: Any) -> float:
        row = values[offsets[item] : offsets[item + 1]]
        gain = 0.0
        if len(targets):
            others = targets[offsets[item] : offsets[item + 1]]
            for j in range(len(row)):
                gain += max(row[j] - cover[others[j]], 0.0)
        else:
            for j in range(len(row)):
                gain += max(row[j] - cover[j], 0.0)
        return gain

    def raise_by(item: int, cover: Any) -> None:
        for j in range(offsets[item], offsets[item + 1]):
            other = targets[j] if len(targets) else j - offsets[item]
            cover[other] = max(cover[other], values[j])

    n = len(offsets) - 1
    seen = np.zeros(n, dtype=np.intp)
    raised, best, most = cover.copy(), -1, -1.0
    first, second = np.empty(n), np.empty(n)
    for item in foremost:
        gain = gain_of(item, cover)
        if gain > most or (gain == most and item < best):
            best, most = item, gain
            raised[:] = cover
            raise_by(best, raised)
            seen[:] = 0
        first[item], second[item], seen[item] = gain, gain_of(item, raised), 1
    if most <= 0:
        return 0
    cover[:] = raised
    picks[0] = best
    bounds = [
        (-second[item] if seen[item] else -first[item], item) for item in range(n) if item != best
    ]
    heapify(bounds)
    made = 1
    while made < len(picks):
        bound, item = bounds[0]
        if bound >= 0:
            break
        if seen[item] < made:
            seen[item] = made
            heapreplace(bounds, (-gain_of(item, cover), item))
            continue
        heappop(bounds)
        picks[made] = item
        made += 1
        raise_by(item, cover)
    return made
