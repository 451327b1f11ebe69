"""The space in which a probe learns: standardised embeddings, read in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext.selection.vectors import Points, finite_rows

_BLOCK = 8192  # items


@dataclass(frozen=True)
class Space:
    """The embeddings, and how they are standardised.

    Attributes:
        points: of all items.
        usable: shape (n_items,), whether an item's embedding is finite.
        order: positions of these items, by id.
        mean: shape (n_dimensions,), over the usable items.
        scale: shape (n_dimensions,), their standard deviation; 1 where all are equal.
    """

    points: NDArray[np.floating]
    usable: NDArray[np.bool_]
    order: NDArray[np.intp]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    def of(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """The standardised embeddings of some items."""
        points: NDArray[np.float64] = self.points[rows].astype(np.float64)
        points -= self.mean
        points /= self.scale
        return points


def space_of(pool: Pool) -> Space:
    """The embeddings of a pool, standardised over all items, labelled or not.

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
    n = max(len(order), 1)
    # Sums in the order of the ids: their last digit must not depend on that of the items.
    mean, square = (np.zeros(points.shape[1]) for _ in range(2))
    for block in blocks(order):
        mean += points[block].sum(axis=0, dtype=np.float64)
    mean /= n
    for block in blocks(order):
        centred = points[block] - mean
        square += np.einsum("ij,ij->j", centred, centred)
    scale = np.sqrt(square / n)
    scale[scale <= 1e-9 * np.abs(mean)] = 1.0  # all equal, but for rounding
    return Space(points, usable, order, mean, scale)


def blocks(rows: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """The positions, a few thousand at a time."""
    for start in range(0, len(rows), _BLOCK):
        yield rows[start : start + _BLOCK]
