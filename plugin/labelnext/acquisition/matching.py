"""Boxes of one image matched across model versions, or with labelled boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.pool import Objects

_Boxes = NDArray[np.floating]
_Rows = NDArray[np.intp]


def box_iou(first: _Boxes, second: _Boxes) -> NDArray[np.float64]:
    """Intersection over union of every box with every box.

    Args:
        first: shape (n, 4), x1 y1 x2 y2.
        second: shape (m, 4).

    Returns:
        Shape (n, m), in [0, 1]; 0 for two boxes without area.

    Example:
        >>> box_iou(np.array([[0, 0, 2, 2.0]]), np.array([[1, 0, 3, 2.0]])).round(3).tolist()
        [[0.333]]
    """
    return elementwise_iou(first[:, None, :], second[None, :, :])


def elementwise_iou(a: _Boxes, b: _Boxes) -> NDArray[np.float64]:
    """Intersection over union of boxes that broadcast, coordinates on the last axis.

    Example:
        >>> a, b = np.array([[0, 0, 1, 1.0]]), np.array([[0, 0, 1, 0.5]])
        >>> elementwise_iou(a, b).tolist()
        [0.5]
    """
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    union = _area(a) + _area(b) - shared
    iou: NDArray[np.float64] = np.divide(
        shared, union, out=np.zeros(np.shape(shared)), where=union > 0
    )
    return iou


def _area(boxes: _Boxes) -> NDArray[np.floating]:
    area: NDArray[np.floating] = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    return area


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
        members: shape (n_clusters, n_versions), the row of the object in each version's columns,
            −1 where the version has none.
        boxes: shape (n_clusters, 4), the mean of the members' boxes.
    """

    offsets: NDArray[np.int64]
    members: NDArray[np.int64]
    boxes: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.members)


def merge_boxes(
    versions: Sequence[Objects], *, iou: float = 0.5, floor: float = 0.0, start: int = 0,
    stop: int | None = None,
) -> Clusters:  # fmt: skip
    """Clusters of the boxes of several model versions, whatever their classes.

    The first version's boxes start the clusters; each further version's boxes are matched with the
    clusters' mean boxes, and those left over start new ones. Inside an image the objects go by
    falling confidence, then by box, so that their order in the columns has no influence.

    Args:
        versions: objects of the same items, one entry for each model version.
        iou: the least overlap of a box with a cluster's mean box.
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
    boxes = [boxes_of(version) for version in versions]
    counts, members, centres = [], [], []
    orders = [_rows_by_confidence(v, floor, start, stop) for v in versions]
    for item in range(stop - start):
        rows = [order[bounds[item] : bounds[item + 1]] for order, bounds in orders]
        merged, centre = _merged(rows, boxes, iou)
        counts.append(len(merged))
        members.append(merged)
        centres.append(centre)
    return Clusters(
        np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]),
        np.concatenate([np.empty((0, len(versions)), dtype=np.int64), *members]),
        np.concatenate([np.empty((0, 4)), *centres]),
    )


def boxes_of(objects: Objects) -> NDArray[np.floating]:
    """The boxes of objects that must have some.

    Raises:
        InvalidInput: if there are none.
    """
    if objects.boxes is None:
        raise InvalidInput(
            "objects must have boxes to be matched; got none.",
            hint="a committee of boxes needs x1 y1 x2 y2 of every object in every version.",
        )
    return objects.boxes


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
    rows: Sequence[NDArray[np.int64]], boxes: Sequence[_Boxes], iou: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Clusters of one image, and their mean boxes."""
    members: NDArray[np.int64] = np.full((len(rows[0]), len(rows)), -1, dtype=np.int64)
    members[:, 0] = rows[0]
    centres = boxes[0][rows[0]].astype(np.float64)
    for version in range(1, len(rows)):
        own = rows[version]
        if not len(own):
            continue
        found = boxes[version][own].astype(np.float64)
        clusters, objects = match_boxes(box_iou(centres, found), iou)
        seen = (members[clusters] >= 0).sum(axis=1, keepdims=True)
        members[clusters, version] = own[objects]
        centres[clusters] += (found[objects] - centres[clusters]) / (seen + 1)
        if len(objects) < len(own):
            alone = np.setdiff1d(np.arange(len(own)), objects, assume_unique=True)
            new = np.full((len(alone), len(rows)), -1, dtype=np.int64)
            new[:, version] = own[alone]
            members = np.concatenate([members, new])
            centres = np.concatenate([centres, found[alone]])
    return members, centres
