"""A few items as they were understood, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labelnext.pool.pool import Pool
from labelnext.ranking.reasons import class_name, reason
from labelnext.support.words import counted


def shown_items(pool: Pool, names: Sequence[str] | NDArray[np.str_], most: int = 3) -> list[str]:
    """The first items with a prediction as they were read: id, classes or objects, box and label.

    Args:
        pool: the items.
        names: what they are called.
        most: how many.

    Example:
        >>> pool = Pool(["a.jpg"], probabilities=[[0.9, 0.1]], classes=["cat", "dog"])
        >>> shown_items(pool, pool.item_ids)
        ['a.jpg: cat 0.90, dog 0.10']
    """
    rows = np.flatnonzero(~pool.missing)[:most].tolist() or list(range(min(most, len(pool))))
    return [_shown(pool, row, str(names[row])) for row in rows]


def shown_metadata(pool: Pool, most: int = 5) -> list[str]:
    """The columns of metadata in words: how many items have each value, the commonest first.

    Args:
        pool: the items.
        most: how many values of each column.

    Example:
        >>> shown_metadata(Pool("abc", metadata={"city": ["Oslo", None, "Oslo"]}))
        ['metadata city: Oslo 2, no city 1']
    """
    lines = []
    for name, column in (pool.metadata or {}).items():
        values, counts = np.unique(column, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        told = [f"{values[row] or f'no {name}'} {counts[row]:,}" for row in order[:most]]
        more = [counted(len(order) - most, "more value")] if len(order) > most else []
        lines.append(f"metadata {name}: {', '.join([*told, *more])}")
    return lines


def _shown(pool: Pool, row: int, name: str) -> str:
    why = reason(pool, row, None) or "no prediction"
    text = f"{name if len(name) <= 80 else name[:77] + '...'}: {why}"
    objects = pool.shown_objects
    if objects is not None and objects.boxes is not None:
        start, end = objects.offsets[row : row + 2].tolist()
        if start < end and not np.isnan(objects.boxes[start]).any():
            corners = ", ".join(f"{value:.3f}" for value in objects.boxes[start].tolist())
            text += f"; first box {corners} (x1, y1, x2, y2 as fractions of the image)"
    if pool.labels is not None and pool.labels[row] >= 0:
        text += f"; labelled {class_name(pool, int(pool.labels[row]))}"
    elif pool.numbers is not None and not np.isnan(pool.numbers[row]):
        text += f"; labelled {pool.numbers[row]:.4g}"
    return text
