"""Count, sum, mean, minimum and maximum of each item's values, and the mean of the largest ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from labelnext.support.threads import in_parts

_ITEMS = 1 << 16  # minimum per thread: below, starting one takes longer than the work
_BLOCK = 1 << 20  # values in a matrix of items of equal length


@dataclass(frozen=True, eq=False)
class Statistics:
    """Statistics of each item's values; NaN propagates. Without values, count and sum are 0.

    numpy reads the values once for each statistic, so each is made when it is first asked for.

    Args:
        values: shape (n_objects,).
        offsets: shape (n_items + 1,), from 0 to n_objects, non-decreasing.
    """

    values: NDArray[np.floating]
    offsets: NDArray[np.int64]

    @cached_property
    def count(self) -> NDArray[np.int64]:
        """Shape (n_items,)."""
        return np.diff(self.offsets)

    @cached_property
    def sum(self) -> NDArray[np.float64]:
        """Shape (n_items,), 0 without values."""
        return self._reduced(np.add, 0.0)

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """Shape (n_items,), NaN without values."""
        with np.errstate(invalid="ignore"):
            return self.sum / self.count

    @cached_property
    def min(self) -> NDArray[np.float64]:
        """Shape (n_items,), inf without values."""
        return self._reduced(np.minimum, np.inf)

    @cached_property
    def max(self) -> NDArray[np.float64]:
        """Shape (n_items,), −inf without values."""
        return self._reduced(np.maximum, -np.inf)

    def _reduced(self, function: np.ufunc, empty: float) -> NDArray[np.float64]:
        n_items = len(self.count)
        full = np.flatnonzero(self.count)  # reduceat gives an empty item the value that comes next
        starts, reduced = self.offsets[full], np.empty(len(full))

        def part(first: int, last: int) -> None:
            if first == last:
                return
            begin, end = starts[first], self.offsets[full[last - 1] + 1]
            numbers = self.values[begin:end].astype(np.float64, copy=False)
            function.reduceat(numbers, starts[first:last] - begin, out=reduced[first:last])

        in_parts(len(full), part, least=_ITEMS)
        if len(full) == n_items:
            return reduced
        whole = np.full(n_items, empty)
        whole[full] = reduced
        return whole


def segment_statistics(
    values: NDArray[np.floating],
    offsets: NDArray[np.int64],
    *,
    confidences: NDArray[np.floating] | None = None,
    floor: float = 0.0,
) -> Statistics:
    """Statistics of the values from offsets[i] to offsets[i + 1], for every i.

    Args:
        values: shape (n_objects,).
        offsets: shape (n_items + 1,), from 0 to n_objects, non-decreasing.
        confidences: shape (n_objects,); values with a confidence below the floor are ignored.
        floor: in [0, 1].

    Example:
        >>> s = segment_statistics(np.array([0.5, 0.25, 1.0]), np.array([0, 2, 2, 3]))
        >>> s.count.tolist(), s.sum.tolist(), s.max.tolist()
        ([2, 0, 1], [0.75, 0.0, 1.0], [0.5, -inf, 1.0])
    """
    if confidences is not None:
        values, offsets = _above(values, offsets, confidences, floor)
    return Statistics(values, offsets)


def segment_top_k(
    values: NDArray[np.floating],
    offsets: NDArray[np.int64],
    k: int,
    *,
    confidences: NDArray[np.floating],
    floor: float = 0.0,
) -> NDArray[np.float64]:
    """Mean of each item's k largest values, or of all if it has fewer; NaN without values.

    Args:
        values: shape (n_objects,); NaN counts as largest.
        offsets: shape (n_items + 1,).
        k: at least 1.
        confidences: shape (n_objects,); values with a confidence below the floor are ignored.
        floor: in [0, 1].

    Example:
        >>> v = np.array([0.5, 0.25, 1.0])
        >>> segment_top_k(v, np.array([0, 3]), 2, confidences=v).tolist()
        [0.75]
    """
    values, offsets = _above(values, offsets, confidences, floor)
    means = np.full(len(offsets) - 1, np.nan)
    for items, positions in of_equal_length(offsets):
        ordered = np.sort(values[positions].astype(np.float64, copy=False), axis=1)  # NaN last
        best = ordered[:, : -k - 1 : -1]
        means[items] = best.sum(axis=1) / best.shape[1]
    return means


def of_equal_length(
    offsets: NDArray[np.int64], block: int = _BLOCK
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Segments of equal length together, so that their values form a matrix; empty ones left out.

    Args:
        offsets: shape (n_segments + 1,), non-decreasing.
        block: how many positions at a time, unless one segment has more.

    Yields:
        Segments, shape (n,), and the positions of their values, shape (n, length).

    Example:
        >>> for which, at in of_equal_length(np.array([0, 2, 2, 3, 5])):
        ...     print(which.tolist(), at.tolist())
        [2] [[2]]
        [0, 3] [[0, 1], [3, 4]]
    """
    lengths = np.diff(offsets)
    order = np.argsort(lengths, kind="stable")
    for length, start in zip(*np.unique(lengths[order], return_index=True), strict=True):
        if length == 0:
            continue
        stop = np.searchsorted(lengths, length, side="right", sorter=order)
        step = max(1, block // int(length))
        for first in range(int(start), int(stop), step):
            which = order[first : min(first + step, int(stop))]
            yield which, offsets[which][:, None] + np.arange(length)


def _above(
    values: NDArray[np.floating],
    offsets: NDArray[np.int64],
    confidences: NDArray[np.floating],
    floor: float,
) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Values and offsets without those whose confidence is below the floor; NaN stays."""
    below = confidences < floor
    if not below.any():
        return values, offsets
    counts = np.concatenate([[0], np.cumsum(~below)])
    return values[~below], counts[offsets]
