"""The space in which a probe learns: standardised embeddings, read in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext.selection.k_center import distances_to
from labelnext.selection.vectors import Points, finite_rows, origin_of

_BLOCK = 8192  # items
_NEAR, _FAR = 0.95, 10  # a share of the items, and how many times its radius is far out


@dataclass(frozen=True)
class Space:
    """The embeddings, and how they are standardised.

    Attributes:
        points: of all items, as they are.
        usable: shape (n_items,), whether an item's embedding is finite.
        order: positions of these items, by id.
        middle: shape (n_dimensions,), a point amid the usable items.
        pulled: shape (n_items,), by what an item's distance from the middle is multiplied: below 1
            for those far out.
        mean: shape (n_dimensions,), over the usable items, where they were pulled to.
        scale: shape (n_dimensions,), their standard deviation; 1 where all are equal.
    """

    points: NDArray[np.floating]
    usable: NDArray[np.bool_]
    order: NDArray[np.intp]
    middle: NDArray[np.float64]
    pulled: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    def of(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """The standardised embeddings of some items."""
        points = _pulled(self.points, rows, self.middle, self.pulled)
        points -= self.mean
        points /= self.scale
        return points

    @property
    def far(self) -> NDArray[np.intp]:
        """Positions of the items that lie far out, by id."""
        return self.order[self.pulled[self.order] < 1]


def space_of(pool: Pool) -> Space:
    """The embeddings of a pool, standardised over all items, labelled or not.

    An item more than ten times as far from the middle as 95% of all counts as if it were that far:
    one broken embedding would otherwise make all others alike.

    Raises:
        InvalidInput: if there are none.
    """
    if pool.embeddings is None or pool.embeddings.shape[1] == 0:
        raise InvalidInput(
            "a probe needs embeddings, but the pool has none.",
            hint="add them to the pool; in a configuration, name their field or column in source, "
            "or a side file in source.predictions, or have them made with source.embeddings: "
            "{from: text} or {from: images}.",
        )
    points = pool.embeddings
    usable = finite_rows(Points(points), pool.item_ids)
    order = pool.tie_order[usable[pool.tie_order]]
    middle, pulled = _limited(points, order)
    n = max(len(order), 1)
    # Sums in the order of the ids: their last digit must not depend on that of the items.
    mean, square = (np.zeros(points.shape[1]) for _ in range(2))
    for block in blocks(order):
        mean += _pulled(points, block, middle, pulled).sum(axis=0)
    mean /= n
    for block in blocks(order):
        centred = _pulled(points, block, middle, pulled) - mean
        square += np.einsum("ij,ij->j", centred, centred)
    scale = np.sqrt(square / n)
    scale[scale <= 1e-9 * np.abs(mean)] = 1.0  # all equal, but for rounding
    return Space(points, usable, order, middle, pulled, mean, scale)


def _limited(
    points: NDArray[np.floating], order: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The middle, and by what each item's distance from it is multiplied; see `Space`."""
    pulled = np.ones(len(points))
    if not len(order):
        return np.zeros(points.shape[1]), pulled
    usable = Points(points, order)
    middle = origin_of(usable)[0].astype(np.float64)
    radii = np.sqrt(distances_to(usable, middle))
    limit = _FAR * float(np.quantile(radii, _NEAR, method="lower"))
    if limit:  # else nearly all are in the middle
        pulled[order] = limit / np.maximum(radii, limit)
    return middle, pulled


def _pulled(
    points: NDArray[np.floating],
    rows: NDArray[np.intp],
    middle: NDArray[np.float64],
    pulled: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The embeddings of some items, those far out nearer to the middle."""
    out: NDArray[np.float64] = points[rows].astype(np.float64)
    far = np.flatnonzero(pulled[rows] < 1)
    out[far] = middle + (out[far] - middle) * pulled[rows[far], None]
    return out


def blocks(rows: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """The positions, a few thousand at a time."""
    for start in range(0, len(rows), _BLOCK):
        yield rows[start : start + _BLOCK]
