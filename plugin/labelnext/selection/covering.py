"""Greedy covering: each pick adds most to the similarity of all items to their nearest pick."""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import heapify, heappop, heapreplace

import numpy as np
from numpy.typing import NDArray

_BLOCK = 1 << 16  # similarities at a time, so that what is made of them stays in the cache


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

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def gains(self, first: int, last: int, cover: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each candidate from first to last adds to the cover, shape (last − first,)."""
        part = slice(self.offsets[first], self.offsets[last])
        values = self.values[part]
        if len(self.targets):
            added = values - cover[self.targets[part]]
        else:
            added = (values.reshape(-1, len(cover)) - cover).ravel()
        np.maximum(added, 0, out=added)
        return _sums(added, self.offsets[first : last + 1] - part.start)

    def gain(self, item: int, cover: NDArray[np.float64]) -> float:
        """What one candidate adds to the cover, rounded as in `gains`."""
        part = slice(self.offsets[item], self.offsets[item + 1])
        added = self.values[part] - (cover[self.targets[part]] if len(self.targets) else cover)
        np.maximum(added, 0, out=added)
        return float(np.add.reduceat(added, [0], dtype=np.float64)[0]) if len(added) else 0.0

    def all_gains(self, cover: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each candidate adds to the cover, shape (n_candidates,)."""
        gains, first = np.empty(len(self)), 0
        while first < len(self):
            end = np.searchsorted(self.offsets, self.offsets[first] + _BLOCK, side="right") - 1
            last = max(first + 1, int(end))
            gains[first:last] = self.gains(first, last, cover)
            first = last
        return gains

    def raise_by(self, item: int, cover: NDArray[np.float64]) -> None:
        """Add a candidate to the cover, in place."""
        part = slice(self.offsets[item], self.offsets[item + 1])
        targets = self.targets[part] if len(self.targets) else slice(None)
        cover[targets] = np.maximum(cover[targets], self.values[part])

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
    n = len(kept)
    n_picks = n if budget is None else min(budget, n)
    picks: NDArray[np.intp] = np.empty(n_picks, dtype=np.intp)
    if n_picks == 0:
        return picks
    made = _lazy_greedy(kept, cover, picks)
    if made < n_picks:
        left = np.ones(n, dtype=bool)
        left[picks[:made]] = False
        others = np.flatnonzero(left)
        if rest is not None:
            others = others[np.argsort(-rest[others], kind="stable")]
        picks[made:] = others[: n_picks - made]
    return picks


def row_sums(kept: Kept) -> NDArray[np.float64]:
    """The sum of each candidate's similarities, shape (n_candidates,)."""
    return _sums(kept.values, kept.offsets)


def _sums(values: NDArray[np.floating], offsets: NDArray[np.intp]) -> NDArray[np.float64]:
    """The sum of the values from offsets[i] to offsets[i + 1], for every i."""
    sums = np.zeros(len(offsets) - 1)
    full = np.flatnonzero(np.diff(offsets))  # reduceat gives an empty row the value that comes next
    if len(full):
        sums[full] = np.add.reduceat(values, offsets[full], dtype=np.float64)
    return sums


def _lazy_greedy(kept: Kept, cover: NDArray[np.float64], picks: NDArray[np.intp]) -> int:
    """Lazy greedy: gains never grow, so older gains are bounds, and only the top one is updated.

    The first pick lowers all gains, so they are all taken again after it.

    Returns:
        How many picks gain anything.
    """
    gains = kept.all_gains(cover)
    best = int(gains.argmax())
    if gains[best] <= 0:
        return 0
    picks[0] = best
    kept.raise_by(best, cover)
    gains = kept.all_gains(cover)
    bounds = [(-gain, item) for item, gain in enumerate(gains.tolist()) if item != best]
    heapify(bounds)
    seen = np.ones(len(kept), dtype=np.intp)
    made = 1
    while made < len(picks):
        bound, item = bounds[0]
        if bound >= 0:
            break
        if seen[item] < made:
            seen[item] = made
            heapreplace(bounds, (-kept.gain(item, cover), item))
            continue
        heappop(bounds)
        picks[made] = item
        made += 1
        kept.raise_by(item, cover)
    return made
