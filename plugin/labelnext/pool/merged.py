"""Objects of several sets as those of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.pool.objects import Objects, absent_in_all

_COLUMNS = ("class_ids", "boxes", "probabilities", "embeddings", "masks")


def merged(sets: Sequence[Objects]) -> Objects:
    """The objects of several sets of the same items; within an item, those of the first set first.

    In a set without classes or boxes, those of its objects are unknown; other columns that one of
    the sets lacks are left out. Items are missing that are missing in all sets.

    Args:
        sets: at least one.

    Example:
        >>> a, b = Objects([0, 1, 1], [0.5], class_ids=[2]), Objects([0, 1, 2], [0.6, 0.7])
        >>> both = merged([a, b])
        >>> both.counts.tolist(), both.confidences.tolist(), both.class_ids.tolist()
        ([2, 1], [0.5, 0.6, 0.7], [2, -1, -1])
    """
    if len(sets) == 1:
        return sets[0]
    order = np.argsort(np.concatenate([one.item_positions for one in sets]), kind="stable")
    counts = np.sum([one.counts for one in sets], axis=0)
    filled = [one for one in sets if len(one.confidences)] or sets
    columns: dict[str, Any] = {}
    for name in _COLUMNS:
        if any(getattr(one, name) is not None for one in filled):
            parts = [column for one in filled if (column := _column(one, name)) is not None]
            if len(parts) == len(filled) and len({part.shape[1:] for part in parts}) == 1:
                columns[name] = np.concatenate(parts)[order]
    return Objects(
        np.concatenate([[0], np.cumsum(counts)]),
        np.concatenate([one.confidences for one in sets])[order],
        missing=absent_in_all(sets),
        spans=sets[-1].spans,
        answers=sets[-1].answers,
        **columns,
    )


def _column(objects: Objects, name: str) -> NDArray[Any] | None:
    """A column of objects; if they lack it, unknown classes or boxes, or None."""
    column: NDArray[Any] | None = getattr(objects, name)
    n = len(objects.confidences)
    if column is None and name == "class_ids":
        return np.full(n, -1, dtype=np.int64)
    if column is None and name == "boxes":
        return np.full((n, 4), np.nan)
    return column
