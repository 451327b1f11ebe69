"""Scores of detected objects, and how they reduce to one score per item."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, unknown
from labelnext.pool import Objects

Reduction = Literal["mean", "max", "min", "sum", "mean_top_k"]
NoObjects = Literal["first", "last"]


def mean_object_confidence(
    objects: Objects, *, floor: float = 0.0, no_objects: NoObjects = "first"
) -> NDArray[np.floating]:
    """Mean confidence of an item's objects, each that of its predicted class.

    The seed writes (1/N) Σ max_c p_i(c). The confidence column is that maximum; it is used even
    where class vectors exist, because a one-class detector stored as [p, 1 − p] would otherwise
    never fall below 0.5.

    Args:
        objects: predicted objects.
        floor: objects with a lower confidence do not count.
        no_objects: items without objects get 0.0 and come first, or 1.0 and come last.

    Returns:
        Shape (n_items,), in [0, 1]; smaller is less certain.

    Raises:
        InvalidInput: if `objects` are not Objects.

    References:
        The founding document of labelnext, "Acquisition functions" (Encord Active, 2023).

    Example:
        >>> mean_object_confidence(Objects([0, 2, 2], [0.9, 0.5])).tolist()
        [0.7, 0.0]
    """
    if not isinstance(objects, Objects):
        raise InvalidInput(f"objects must be Objects; got {type(objects).__name__}.")
    return reduce_objects(
        objects.confidences,
        objects,
        reduce="mean",
        floor=floor,
        empty=0.0 if no_objects == "first" else 1.0,
    )


def counted(objects: Objects, floor: float) -> NDArray[np.bool_]:
    """Which objects count: all but those surely below the floor (NaN counts, and spreads).

    Shape (n_objects,).
    """
    if not 0 <= floor <= 1:
        raise InvalidInput(f"floor must be in [0, 1]; got {floor!r}.")
    return ~(objects.confidences < floor)


def labels_as_objects(probabilities: NDArray[np.floating]) -> Objects:
    """The labels of multilabel items, as objects: each as sure as the likelier of yes and no.

    So the binary entropy of a label is −q ln q − (1 − q) ln(1 − q), and its least confidence
    min(q, 1 − q).

    Args:
        probabilities: shape (n_items, n_classes), in [0, 1].

    Example:
        >>> labels_as_objects(np.array([[0.25, 1.0]])).confidences.tolist()
        [0.75, 1.0]
    """
    n_items, n_classes = probabilities.shape
    surest = np.maximum(probabilities, 1 - probabilities)
    return Objects(np.arange(n_items + 1) * n_classes, surest.ravel())


def reduce_objects(
    scores: NDArray[np.floating],
    objects: Objects,
    *,
    reduce: Reduction = "mean",
    k: int = 3,
    floor: float = 0.0,
    empty: float = np.nan,
) -> NDArray[np.floating]:
    """One score per item from one score per object.

    Args:
        scores: shape (n_objects,).
        objects: whose offsets and confidences they follow.
        reduce: mean, max, min, sum, or mean_top_k: the mean of the k largest scores (of all of
            them where an item has fewer).
        k: for mean_top_k, at least 1.
        floor: objects with a lower confidence do not count.
        empty: the score of an item in which no object counts.

    Returns:
        Shape (n_items,); NaN where a counted object's score is NaN.

    Raises:
        UnknownName: if `reduce` is none of the five.
        InvalidInput: if `k` or `floor` is out of range.

    Example:
        >>> o = Objects([0, 3], [0.9, 0.5, 0.1])
        >>> reduce_objects(o.confidences, o, reduce="max").tolist()
        [0.9]
    """
    if reduce not in get_args(Reduction):
        raise unknown("reduce", str(reduce), get_args(Reduction))
    if k < 1:
        raise InvalidInput(f"k must be at least 1; got {k!r}.")
    keep = counted(objects, floor)
    if not keep.all():
        scores, objects = scores[keep], objects.where(keep)
    counts = objects.counts
    if reduce == "mean_top_k":
        scores, counts = _largest(scores, objects, k)
    filled = counts > 0
    out = np.full(len(counts), empty, dtype=np.float64)
    if not filled.any():
        return out
    starts = (np.cumsum(counts) - counts)[filled]
    ufunc = {"max": np.maximum, "min": np.minimum}.get(reduce, np.add)
    values = ufunc.reduceat(scores.astype(np.float64, copy=False), starts)
    if reduce in ("mean", "mean_top_k"):
        values = values / counts[filled]
    out[filled] = values
    return out


def _largest(
    scores: NDArray[np.floating], objects: Objects, k: int
) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """The k largest scores of each item (NaN counts as largest), and how many there are."""
    order = np.lexsort((-scores, ~np.isnan(scores), objects.item_positions))
    place = np.arange(len(scores)) - np.repeat(objects.offsets[:-1], objects.counts)
    return scores[order[place < k]], np.minimum(objects.counts, k)
