"""Boxes or masks of one image matched across model versions, or with labelled ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.overlap import (
    Shapes,
    box_iou,
    boxes_of,
    mean_shapes,
    shape_iou,
    shapes_of,
)
from labelnext.errors import InvalidInput
from labelnext.pool.objects import Objects

_Rows = NDArray[np.intp]


def match_boxes(iou: NDArray[np.floating], threshold: float = 0.5) -> tuple[_Rows, _Rows]:
    """Pairs of rows and columns with the largest total IoU, each at least the threshold.

    The Hungarian assignment of scipy on the IoU, with everything below the threshold worth
    nothing. Among equally good assignments the earlier rows and columns are scipy's choice, which
    is the same for the same input.

    Args:
        iou: shape (n, m), in [0, 1]; set pairs that must not match to 0.
        threshold: in (0, 1].

    Returns:
        Rows and columns, each of shape (n_pairs,).

    Example:
        >>> rows, columns = match_boxes(np.array([[0.6, 0.9], [0.4, 0.8]]))
        >>> rows.tolist(), columns.tolist()  # 0.6 + 0.8 beats 0.9, and 0.4 does not count
        ([0, 1], [0, 1])
    """
    from scipy.optimize import linear_sum_assignment

    if not 0 < threshold <= 1:
        raise InvalidInput(f"iou must be above 0 and at most 1; got {threshold!r}.")
    worth = np.where(iou >= threshold, iou, 0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    kept = worth[rows, columns] > 0
    return rows[kept], columns[kept]


@dataclass(frozen=True, eq=False)
class Clusters:
    """What several model versions found, merged: one cluster for each thing that one of them saw.

    Attributes:
        offsets: shape (n_items + 1,), item i owns clusters offsets[i] to offsets[i + 1].
        items: shape (n_clusters,), the item of each.
        members: shape (n_clusters, n_versions), the row of the object in each version's columns,
            −1 where the version has none.
    """

    offsets: NDArray[np.int64]
    items: NDArray[np.intp]
    members: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.members)


def merge_boxes(
    versions: Sequence[Objects], *, iou: float = 0.5, floor: float = 0.0, start: int = 0,
    stop: int | None = None,
) -> Clusters:  # fmt: skip
    """Clusters of the objects of several model versions, whatever their classes.

    The first version's boxes start the clusters; each further version's boxes are matched with the
    clusters' mean boxes, and those left over start new ones. Where all versions have masks, these
    take the place of the boxes. Inside an image the objects go by falling confidence, then by box,
    so that their order in the columns has no influence.

    Args:
        versions: objects of the same items, one entry for each model version.
        iou: the least overlap of a box with a cluster's mean box, or of masks.
        floor: objects with a lower confidence do not count.
        start: the first item.
        stop: the item after the last; all when None.

    Raises:
        InvalidInput: if a version has no boxes, or `iou` is outside (0, 1].

    Example:
        >>> a = Objects([0, 1], [0.9], boxes=[[0, 0, 0.5, 0.5]])
        >>> b = Objects([0, 2], [0.8, 0.3], boxes=[[0, 0, 0.5, 0.4], [0.6, 0.6, 1, 1]])
        >>> merge_boxes([a, b]).members.tolist()
        [[0, 0], [-1, 1]]
    """
    stop = len(versions[0]) if stop is None else stop
    shapes = shapes_of(versions)
    counts, members = [], []
    orders = [_rows_by_confidence(v, floor, start, stop) for v in versions]
    for item in range(stop - start):
        rows = [order[bounds[item] : bounds[item + 1]] for order, bounds in orders]
        members.append(_merged(rows, shapes, iou))
        counts.append(len(members[-1]))
    return Clusters(
        np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]),
        np.repeat(np.arange(start, stop), counts),
        np.concatenate([np.empty((0, len(versions)), dtype=np.int64), *members]),
    )


def _rows_by_confidence(
    objects: Objects, floor: float, start: int, stop: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the objects that count, by item, confidence and box; and each item's bounds."""
    first, last = objects.offsets[start], objects.offsets[stop]
    confidences = objects.confidences[first:last]
    items = np.repeat(np.arange(stop - start), objects.counts[start:stop])
    corners = boxes_of(objects)[first:last]
    kept = np.flatnonzero(~(confidences < floor))
    order = kept[np.lexsort((*corners[kept].T[::-1], -confidences[kept], items[kept]))]
    bounds = np.concatenate([[0], np.cumsum(np.bincount(items[order], minlength=stop - start))])
    return order + first, bounds.astype(np.int64)


def _merged(
    rows: Sequence[NDArray[np.int64]], shapes: Sequence[Shapes], iou: float
) -> NDArray[np.int64]:
    """Members of the clusters of one image."""
    members: NDArray[np.int64] = np.full((len(rows[0]), len(rows)), -1, dtype=np.int64)
    members[:, 0] = rows[0]
    for version in range(1, len(rows)):
        own = rows[version]
        if not len(own):
            continue
        centres = mean_shapes(shapes[:version], members[:, :version])
        clusters, objects = match_boxes(shape_iou(centres, shapes[version][own]), iou)
        members[clusters, version] = own[objects]
        if len(objects) < len(own):
            alone = np.setdiff1d(np.arange(len(own)), objects, assume_unique=True)
            new = np.full((len(alone), len(rows)), -1, dtype=np.int64)
            new[:, version] = own[alone]
            members = np.concatenate([members, new])
    return members


def hits(objects: Objects, truth: Objects, *, iou: float = 0.5) -> NDArray[np.bool_]:
    """Which objects overlap a labelled one of their class, each labelled one at most once.

    Args:
        objects: predicted.
        truth: labelled, of the same items.
        iou: the least overlap.

    Returns:
        Shape (n_objects,). Where one of the two has no classes, any will do.

    Raises:
        InvalidInput: if there are no boxes, or `iou` is outside (0, 1].

    Example:
        >>> found = Objects([0, 2], [0.9, 0.3], boxes=[[0, 0, 0.5, 0.5], [0, 0, 0.5, 0.4]])
        >>> hits(found, Objects([0, 1], [1.0], boxes=[[0, 0, 0.5, 0.5]])).tolist()
        [True, False]
    """
    hit: NDArray[np.bool_] = np.zeros(len(objects.confidences), dtype=bool)
    both = np.flatnonzero((objects.counts > 0) & (truth.counts > 0))
    for item in both.tolist():
        own = slice(*objects.offsets[item : item + 2].tolist())
        there = slice(*truth.offsets[item : item + 2].tolist())
        overlap = box_iou(boxes_of(objects)[own], boxes_of(truth)[there])
        if objects.class_ids is not None and truth.class_ids is not None:
            overlap[objects.class_ids[own, None] != truth.class_ids[None, there]] = 0
        rows, _ = match_boxes(overlap, iou)
        hit[own.start + rows] = True
    return hit
