"""Overlap of boxes or masks, with one interface for both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.masks import mask_iou, mean_mask
from labelnext.pool.objects import Objects

#: Boxes, shape (n, 4), x1 y1 x2 y2; or masks, shape (n,), as `Objects` holds them.
Shapes: TypeAlias = NDArray[Any]

_Boxes: TypeAlias = NDArray[np.floating]

#: Pairs of boxes of one image: 5,000 of each side. Matching takes memory by pairs and time by more.
MOST_PAIRS = 25_000_000
_BLOCK = 1 << 20  # pairs compared at once


def shapes_of(versions: Sequence[Objects]) -> list[Shapes]:
    """The shapes of each version's objects: masks if all versions have them, else boxes.

    Raises:
        InvalidInput: if a version has no boxes.
    """
    masks = [v.masks if len(v.confidences) else np.empty(0, dtype=object) for v in versions]
    known = [m for m in masks if m is not None]
    return [*known] if len(known) == len(versions) else [boxes_of(v) for v in versions]


def shape_iou(first: Shapes, second: Shapes) -> NDArray[np.float64]:
    """Intersection over union of every shape with every shape of the same kind, shape (n, m).

    Raises:
        InvalidInput: if there are more than `MOST_PAIRS`.

    Example:
        >>> shape_iou(np.array([[0, 0, 2, 2.0]]), np.array([[1, 0, 2, 2.0]])).tolist()
        [[0.5]]
    """
    if first.dtype != object:
        return box_iou(first, second)
    _check_pairs(first, second)
    return mask_iou(first, second)


def iou_of_each(first: Shapes, second: Shapes) -> NDArray[np.float64]:
    """Intersection over union of corresponding shapes, shape (n,).

    Example:
        >>> iou_of_each(np.array([[0, 0, 2, 2.0]]), np.array([[1, 0, 2, 2.0]])).tolist()
        [0.5]
    """
    if first.dtype != object:
        return elementwise_iou(first, second)
    pairs = [mask_iou(first[i : i + 1], second[i : i + 1])[0, 0] for i in range(len(first))]
    return np.array(pairs, dtype=np.float64)


def mean_shapes(versions: Sequence[Shapes], members: NDArray[np.int64]) -> Shapes:
    """Each cluster's mean box, or the pixels covered by at least half of its masks.

    Args:
        versions: shapes of each version.
        members: shape (n_clusters, n_versions), rows of the shapes, −1 for none; at least one
            shape per cluster.

    Example:
        >>> a, b = np.array([[0, 0, 1, 1.0]]), np.array([[0, 0, 1, 0.5]])
        >>> mean_shapes([a, b], np.array([[0, 0], [-1, 0]])).tolist()
        [[0.0, 0.0, 1.0, 0.75], [0.0, 0.0, 1.0, 0.5]]
    """
    if versions[0].dtype == object:
        means = np.empty(len(members), dtype=object)
        for cluster, rows in enumerate(members.tolist()):
            masks = [v[row] for v, row in zip(versions, rows, strict=True) if row >= 0]
            means[cluster] = mean_mask(masks)
        return means
    total = np.zeros((len(members), 4))
    for version, column in zip(versions, members.T, strict=True):
        has = column >= 0
        total[has] += version[column[has]]
    boxes: Shapes = total / (members >= 0).sum(axis=1, keepdims=True)
    return boxes


def boxes_of(objects: Objects) -> _Boxes:
    """The boxes of objects.

    Raises:
        InvalidInput: if the objects have no boxes.
    """
    if objects.boxes is None and not len(objects.confidences):
        return np.empty((0, 4))
    if objects.boxes is None:
        raise InvalidInput(
            "objects must have boxes to be matched; got none.",
            hint="every object in every version needs x1 y1 x2 y2.",
        )
    return objects.boxes


def box_iou(first: _Boxes, second: _Boxes) -> NDArray[np.float64]:
    """Intersection over union of every box with every box.

    Args:
        first: shape (n, 4), x1 y1 x2 y2.
        second: shape (m, 4).

    Returns:
        Shape (n, m), in [0, 1]; 0 for two boxes without area.

    Raises:
        InvalidInput: if there are more than `MOST_PAIRS`.

    Example:
        >>> box_iou(np.array([[0, 0, 2, 2.0]]), np.array([[1, 0, 3, 2.0]])).round(3).tolist()
        [[0.333]]
    """
    _check_pairs(first, second)
    iou = np.empty((len(first), len(second)))
    step = max(1, _BLOCK // max(1, len(second)))
    for start in range(0, len(first), step):
        part = slice(start, start + step)
        iou[part] = elementwise_iou(first[part, None, :], second[None, :, :])
    return iou


def _check_pairs(first: Shapes, second: Shapes) -> None:
    if len(first) * len(second) > MOST_PAIRS:
        raise InvalidInput(
            f"an image must have at most {MOST_PAIRS:,} pairs of boxes to match; "
            f"got {len(first):,} × {len(second):,}.",
            hint="leave out weak boxes with a floor, or tile the image.",
        )


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
