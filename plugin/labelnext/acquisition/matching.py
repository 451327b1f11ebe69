"""Matching boxes or masks of an image across model versions, or with labels."""

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
    """Match rows to columns for the largest total IoU, each pair at or above the threshold.

    scipy's Hungarian assignment, with values below the threshold set to 0. Ties between equally
    good assignments are resolved by scipy, deterministically.

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
    """Merged detections of several model versions: one cluster per distinct object.

    Attributes:
        offsets: shape (n_items + 1,); item i has clusters offsets[i] to offsets[i + 1].
        items: shape (n_clusters,), the item of each cluster.
        members: shape (n_clusters, n_versions), the object's row in each version's columns, −1 if
            the version doesn't have it.
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
    """Cluster the objects of several model versions by overlap, regardless of class.

    The first version's boxes start the clusters. Each further version's boxes are matched with the
    clusters' mean boxes; unmatched boxes start new clusters. If all versions have masks, masks
    replace the boxes. Objects of an image are processed by falling confidence, then by box, so
    their order in the columns doesn't matter.

    Args:
        versions: objects of the same items, one entry per model version.
        iou: minimum overlap of a box with a cluster's mean box, or of masks.
        floor: objects with a lower confidence are ignored.
        start: the first item.
        stop: the item after the last; all items when None.

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
    """Rows of objects above the floor, by item, confidence and box; and each item's bounds."""
    first, last = objects.offsets[start], objects.offsets[stop]
    confidences = objects.confidences[first:last]
    items = np.repeat(np.arange(stop - start), objects.counts[start:stop])
    corners = boxes_of(objects)[first:last]
    unknown = np.isnan(corners[:, 0]) if objects.masks is None else False
    kept = np.flatnonzero(~(confidences < floor) & ~np.asarray(unknown))
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
        detected = rows[version]
        if not len(detected):
            continue
        centres = mean_shapes(shapes[:version], members[:, :version])
        clusters, objects = match_boxes(shape_iou(centres, shapes[version][detected]), iou)
        members[clusters, version] = detected[objects]
        if len(objects) < len(detected):
            alone = np.setdiff1d(np.arange(len(detected)), objects, assume_unique=True)
            new = np.full((len(alone), len(rows)), -1, dtype=np.int64)
            new[:, version] = detected[alone]
            members = np.concatenate([members, new])
    return members


def hits(objects: Objects, truth: Objects, *, iou: float = 0.5) -> NDArray[np.bool_]:
    """Which predicted objects match a labelled object of their class, one to one.

    Args:
        objects: predicted.
        truth: labelled, of the same items.
        iou: minimum overlap.

    Returns:
        Shape (n_objects,), bool. If either side has no classes, classes are ignored.

    Raises:
        InvalidInput: if there are no boxes, or `iou` is outside (0, 1].

    Example:
        >>> found = Objects([0, 2], [0.9, 0.3], boxes=[[0, 0, 0.5, 0.5], [0, 0, 0.5, 0.4]])
        >>> hits(found, Objects([0, 1], [1.0], boxes=[[0, 0, 0.5, 0.5]])).tolist()
        [True, False]
    """
    return matches(objects, truth, iou=iou) >= 0


def matches(objects: Objects, truth: Objects, *, iou: float = 0.5) -> NDArray[np.intp]:
    """The labelled object of its class that each predicted object matches, one to one.

    Args, Raises: as of `hits`.

    Returns:
        Shape (n_objects,), positions in `truth`, −1 for none.

    Example:
        >>> found = Objects([0, 2], [0.9, 0.3], boxes=[[0, 0, 0.5, 0.5], [0, 0, 0.5, 0.4]])
        >>> matches(found, Objects([0, 1], [1.0], boxes=[[0, 0, 0.5, 0.5]])).tolist()
        [0, -1]
    """
    matched: NDArray[np.intp] = np.full(len(objects.confidences), -1, dtype=np.intp)
    both = np.flatnonzero((objects.counts > 0) & (truth.counts > 0))
    for item in both.tolist():
        predicted = slice(*objects.offsets[item : item + 2].tolist())
        labelled = slice(*truth.offsets[item : item + 2].tolist())
        overlap = box_iou(boxes_of(objects)[predicted], boxes_of(truth)[labelled])
        if objects.class_ids is not None and truth.class_ids is not None:
            overlap[objects.class_ids[predicted, None] != truth.class_ids[None, labelled]] = 0
        rows, columns = match_boxes(overlap, iou)
        matched[predicted.start + rows] = labelled.start + columns
    return matched
