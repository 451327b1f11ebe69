"""Scores of detected objects, and their reduction to one score per item."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.reductions import Statistics, segment_statistics, segment_top_k
from labelnext.errors import InvalidInput
from labelnext.pool.objects import Objects
from labelnext.support.annotations import Count, Share
from labelnext.support.signatures import checked

Reduction = Literal["mean", "max", "min", "sum", "mean_top_k", "weighted_sum"]
NoObjects = Literal["first", "last", "quota"]


@checked
def mean_object_confidence(
    objects: Objects, *, floor: Share = 0.0, no_objects: NoObjects = "first"
) -> NDArray[np.floating]:
    """Mean confidence of an item's objects.

    The definition is (1/N) Σ max_c p_i(c), and the confidence column is that maximum. It is used
    even if class vectors exist, because a one-class detector stored as [p, 1 − p] would otherwise
    never fall below 0.5.

    Args:
        objects: predicted objects.
        floor: objects with a lower confidence are ignored.
        no_objects: items without objects score 0.0 and come first, or score 1.0 and come last, or
            score 1.0 and are spread over the ranking by quota.

    Returns:
        Shape (n_items,), in [0, 1]; smaller is less certain.

    Raises:
        InvalidInput: if `objects` is not an Objects instance.

    References:
        Encord Active, "Acquisition functions" (2023).

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


def object_statistics(objects: Objects, *, floor: float = 0.0) -> Statistics:
    """Count, sum, mean, minimum and maximum confidence per item.

    Args:
        objects: predicted objects.
        floor: objects with a lower confidence are ignored (NaN is kept and propagates).

    Returns:
        Columns of shape (n_items,); see `Statistics` for items without objects.

    Raises:
        InvalidInput: if `floor` is outside [0, 1].

    Example:
        >>> s = object_statistics(Objects([0, 3], [0.75, 0.25, 0.1]), floor=0.2)
        >>> s.count.tolist(), s.mean.tolist(), s.min.tolist()
        ([2], [0.5], [0.25])
    """
    return _statistics(objects.confidences, objects, floor)


def alone(objects: Objects) -> Objects:
    """Put each object in an item of its own, in the same order.

    Example:
        >>> alone(Objects([0, 2], [0.9, 0.4])).offsets.tolist()
        [0, 1, 2]
    """
    return replace(objects, offsets=np.arange(len(objects.confidences) + 1), missing=None)


def labels_as_objects(probabilities: NDArray[np.floating]) -> Objects:
    """The labels of multilabel items as objects with confidence max(q, 1 − q).

    The binary entropy of a label is −q ln q − (1 − q) ln(1 − q), its least confidence
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


@checked
def reduce_objects(
    scores: NDArray[np.floating],
    objects: Objects,
    *,
    reduce: Reduction = "mean",
    k: Count = 3,
    floor: Share = 0.0,
    empty: float = np.nan,
) -> NDArray[np.floating]:
    """Reduce one score per object to one score per item.

    Args:
        scores: shape (n_objects,).
        objects: the objects scored.
        reduce: mean, max, min, sum; mean_top_k: the mean of the k largest scores (of all, if an
            item has fewer); weighted_sum: the sum of scores × `objects.weights`.
        k: for mean_top_k, at least 1.
        floor: objects with a lower confidence are ignored.
        empty: the score of an item with no objects above the floor.

    Returns:
        Shape (n_items,); NaN if the score of an object above the floor is NaN.

    Raises:
        InvalidInput: for an unknown `reduce`, if `k` or `floor` is out of range, or the objects
            have no weights.

    Example:
        >>> o = Objects([0, 3], [0.9, 0.5, 0.1])
        >>> reduce_objects(o.confidences, o, reduce="max").tolist()
        [0.9]
    """
    if reduce == "weighted_sum":
        if objects.weights is None:
            raise InvalidInput(
                "objects must have weights for weighted_sum; got none.",
                hint="class weights come from labelled objects; see class_weights.",
            )
        scores = scores * objects.weights
    statistics = _statistics(scores, objects, floor)
    if reduce == "mean_top_k":
        values = segment_top_k(
            scores, objects.offsets, k, confidences=objects.confidences, floor=floor
        )
    else:
        values = getattr(statistics, "sum" if reduce == "weighted_sum" else reduce)
    return np.where(statistics.count > 0, values, empty)


def _statistics(scores: NDArray[np.floating], objects: Objects, floor: float) -> Statistics:
    if not 0 <= floor <= 1:
        raise InvalidInput(f"floor must be in [0, 1]; got {floor!r}.")
    confidences = objects.confidences if floor > 0 else None
    return segment_statistics(scores, objects.offsets, confidences=confidences, floor=floor)
