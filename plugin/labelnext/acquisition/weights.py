"""Class weights for the weighted sum over an item's objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labelnext.acquisition.matching import match_boxes
from labelnext.acquisition.overlap import shape_iou, shapes_of
from labelnext.errors import InvalidInput
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool


def count_weights(counts: ArrayLike) -> NDArray[np.float64]:
    """Weights that favour classes with few labelled objects: (N + K)/(n_c + 1).

    Args:
        counts: shape (n_classes,), labelled objects n_c of each of the K classes; N in total.

    Returns:
        Shape (n_classes,), at least 1.

    References:
        Brust, Käding and Denzler (2019), Active learning for deep object detection.

    Example:
        >>> count_weights([8, 0]).round(2).tolist()
        [1.11, 10.0]
    """
    n = np.asarray(counts, dtype=np.float64)
    weights: NDArray[np.float64] = (n.sum() + len(n)) / (n + 1)
    return weights


def difficulty_weights(
    quality: ArrayLike, *, alpha: float = 0.3, beta: float = 0.2
) -> NDArray[np.float64]:
    """Weights that favour classes the detector is bad at: 1 + αβ ln((e^(1/α) − 1)(1 − q) + 1).

    Args:
        quality: shape (n_classes,), q in [0, 1] for each class, 1 for no errors.
        alpha: how fast the weight rises as the quality falls.
        beta: the weight of the worst class is 1 + beta.

    Returns:
        Shape (n_classes,), in [1, 1 + beta].

    Raises:
        InvalidInput: if a quality is outside [0, 1].

    References:
        Yang et al. (2024), Plug and Play Active Learning for object detection, its first stage.
        They average the quality over training; here it is an input.

    Example:
        >>> difficulty_weights([1.0, 0.5, 0.0]).round(4).tolist()
        [1.0, 1.1605, 1.2]
    """
    q = np.asarray(quality, dtype=np.float64)
    if not ((q >= 0) & (q <= 1)).all():
        raise InvalidInput(f"class quality must be in [0, 1]; got {q.tolist()!r}.")
    weights: NDArray[np.float64] = 1 + alpha * beta * np.log(np.expm1(1 / alpha) * (1 - q) + 1)
    return weights


def class_quality(
    objects: Objects,
    truth: Objects,
    items: NDArray[np.intp],
    n_classes: int,
    *,
    floor: float = 0.5,
    iou: float = 0.5,
) -> NDArray[np.float64]:
    """F1 score of each class, on items with labelled and predicted boxes.

    Args:
        objects: predicted, with boxes and class ids.
        truth: labelled, with boxes and class ids.
        items: positions of the items to measure on.
        n_classes: number of classes K.
        floor: predicted objects with a lower confidence are ignored.
        iou: minimum overlap of a hit.

    Returns:
        Shape (n_classes,), 2·hits/(predicted + labelled) in [0, 1]; 0 for a class that was
        neither labelled nor predicted.

    Raises:
        InvalidInput: if boxes or class ids are missing.

    Example:
        >>> box, far = [0, 0, 0.5, 0.5], [0.6, 0.6, 1, 1]
        >>> seen = Objects([0, 2], [0.9, 0.9], class_ids=[0, 0], boxes=[box, far])
        >>> there = Objects([0, 1], [1.0], class_ids=[0], boxes=[box])
        >>> class_quality(seen, there, np.array([0]), 1).round(3).tolist()
        [0.667]
    """
    predicted, real = _classes(objects), _classes(truth)
    predicted_shapes, real_shapes = shapes_of([objects, truth])
    hits = np.zeros(n_classes)
    n_predicted, n_real = np.zeros(n_classes), np.zeros(n_classes)
    for item in items.tolist():
        p = np.arange(*objects.offsets[item : item + 2])
        p = p[(objects.confidences[p] >= floor) & (predicted[p] >= 0)]
        r = np.arange(*truth.offsets[item : item + 2])
        r = r[real[r] >= 0]
        same = predicted[p][:, None] == real[r][None, :]
        rows, _ = match_boxes(shape_iou(predicted_shapes[p], real_shapes[r]) * same, iou)
        hits += np.bincount(predicted[p[rows]], minlength=n_classes)
        n_predicted += np.bincount(predicted[p], minlength=n_classes)
        n_real += np.bincount(real[r], minlength=n_classes)
    f1: NDArray[np.float64] = 2 * hits / np.maximum(n_predicted + n_real, 1)
    return f1


def weighted_objects(
    pool: Pool,
    class_weights: str | Mapping[str, float] = "counts",
    quality: Mapping[str, float] | None = None,
) -> Objects:
    """The pool's objects, weighted by class; objects of unknown class get weight 1.

    Args:
        pool: with objects of one model version that have class ids.
        class_weights: counts (from the labelled items; equal weights without labels), difficulty,
            or a weight for each class name.
        quality: by class name, for difficulty; when None, measured on the pool's labelled items
            with predictions.

    Raises:
        InvalidInput: if the pool lacks class ids or labels, or a class has no weight.
    """
    if len(pool.object_sets) != 1:
        raise InvalidInput("weighted_sum needs objects of exactly one model version.")
    ids = _predicted(pool)
    n_classes = _n_classes(pool, ids)
    if isinstance(class_weights, Mapping):
        weights = _by_name("class_weights", class_weights, pool, n_classes)
    elif class_weights == "counts":
        weights = count_weights(labelled_counts(pool))
    elif class_weights == "difficulty":
        weights = difficulty_weights(
            _measured(pool, n_classes)
            if quality is None
            else _by_name("class_quality", quality, pool, n_classes)
        )
    else:
        raise InvalidInput(
            "class_weights must be counts, difficulty, or a mapping of class names to weights; "
            f"got {class_weights!r}."
        )
    return replace(pool.object_sets[0], weights=np.append(weights, 1.0)[ids])


def _classes(objects: Objects) -> NDArray[np.int64]:
    if objects.class_ids is None:
        raise InvalidInput("objects must have class ids to be weighted by class; got none.")
    return objects.class_ids


def _predicted(pool: Pool) -> NDArray[np.int64]:
    """The classes of the predicted objects; empty without detections."""
    if len(pool.object_sets) != 1 or not len(pool.object_sets[0].confidences):
        return np.empty(0, dtype=np.int64)
    return _classes(pool.object_sets[0])


def _n_classes(pool: Pool, ids: NDArray[np.int64]) -> int:
    seen = int(ids.max(initial=-1)) + 1
    if pool.truth is not None and pool.truth.class_ids is not None:
        seen = max(seen, int(pool.truth.class_ids.max(initial=-1)) + 1)
    return max(pool.n_classes or 0, seen)


def labelled_counts(pool: Pool) -> NDArray[np.int64]:
    """Number of labelled objects per class, including classes that only occur in predictions.

    Args:
        pool: with objects of one model version that have class ids.

    Returns:
        Shape (n_classes,).

    Raises:
        InvalidInput: if objects have no class ids.

    Example:
        >>> seen, there = (Objects([0, 1], [1.0], class_ids=[c]) for c in (2, 1))
        >>> labelled_counts(Pool(["a"], objects=seen, truth=there, labelled=[True])).tolist()
        [0, 1, 0]
    """
    n_classes = _n_classes(pool, _predicted(pool))
    if pool.truth is None or not len(pool.truth.confidences):
        return np.zeros(n_classes, dtype=np.int64)
    ids = _classes(pool.truth)
    counts = pool.labelled[pool.truth.item_positions] & (ids >= 0)
    return np.bincount(ids[counts], minlength=n_classes)


def _measured(pool: Pool, n_classes: int) -> NDArray[np.float64]:
    items = np.flatnonzero(pool.labelled & ~pool.missing)
    if pool.truth is None or len(pool.object_sets) != 1 or not len(items):
        raise InvalidInput(
            "class_weights difficulty needs labelled items with predictions; got none.",
            hint="give class_quality as {class: quality}, or as a file name.",
        )
    return class_quality(pool.object_sets[0], pool.truth, items, n_classes)


def _by_name(
    what: str, values: Mapping[str, float], pool: Pool, n_classes: int
) -> NDArray[np.float64]:
    names = pool.classes or tuple(map(str, range(n_classes)))
    given = {str(name): value for name, value in values.items()}
    lacking = [name for name in names if name not in given]
    if lacking:
        raise InvalidInput(f"{what} must name every class; got none for {', '.join(lacking[:5])}.")
    return np.array([given[name] for name in names], dtype=np.float64)
