"""Uncertainty of a class distribution: of an item, or of its objects reduced to one score."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labelnext.acquisition.objects import NoObjects, Reduction, reduce_objects
from labelnext.checks import distributions
from labelnext.errors import InvalidInput
from labelnext.pool import Objects

_Rows = NDArray[np.floating]


def least_confidence(
    predictions: ArrayLike | Objects,
    *,
    reduce: Reduction = "mean",
    k: int = 3,
    floor: float = 0.0,
    no_objects: NoObjects = "first",
) -> NDArray[np.floating]:
    """One minus the probability of the most likely class.

    Args:
        predictions: shape (n_items, n_classes), rows sum to 1; or Objects, whose class vectors
            are scored one by one (without vectors: 1 − confidence) and then reduced.
        reduce: how the scores of an item's objects become one; see `reduce_objects`.
        k: number of objects for ``reduce="mean_top_k"``.
        floor: objects with a lower confidence do not count.
        no_objects: whether items without objects come first or last.

    Returns:
        Shape (n_items,), in [0, 1 − 1/n_classes] for items; larger is less certain.

    Raises:
        InvalidInput: if `predictions` is not two-dimensional or a row is no distribution.

    References:
        Lewis and Gale (1994); Settles, Active Learning Literature Survey (2009), section 3.1.

    Example:
        >>> least_confidence([[0.7, 0.2, 0.1], [0.4, 0.3, 0.3]]).round(2).tolist()
        [0.3, 0.6]
    """
    return _scores(
        predictions,
        lambda rows: 1 - np.minimum(rows.max(axis=1), 1),
        lambda s: 1 - s,
        ends=lambda c: (1 - 1 / c, 0.0),
        options=(reduce, k, floor, no_objects),
    )


def margin(
    predictions: ArrayLike | Objects,
    *,
    reduce: Reduction = "mean",
    k: int = 3,
    floor: float = 0.0,
    no_objects: NoObjects = "first",
) -> NDArray[np.floating]:
    """Difference between the two most likely classes; with one class, its probability.

    Args:
        predictions: shape (n_items, n_classes), rows sum to 1; or Objects with class vectors.
        reduce: how the scores of an item's objects become one; see `reduce_objects`.
        k: number of objects for ``reduce="mean_top_k"``.
        floor: objects with a lower confidence do not count.
        no_objects: whether items without objects come first or last.

    Returns:
        Shape (n_items,), in [0, 1]; smaller is less certain.

    Raises:
        InvalidInput: if `predictions` is not two-dimensional, a row is no distribution, or
            objects have no class vectors.

    References:
        Scheffer, Decomain and Wrobel (2001); Settles (2009), section 3.1.

    Example:
        >>> margin([[0.7, 0.2, 0.1], [0.4, 0.35, 0.25]]).round(2).tolist()
        [0.5, 0.05]
    """

    def rows_margin(rows: _Rows) -> _Rows:
        if rows.shape[1] == 1:
            return rows[:, 0].copy()
        top = np.partition(rows, -2, axis=1)[:, -2:]
        scores: _Rows = top[:, 1] - top[:, 0]
        return np.where(np.isnan(rows).any(axis=1), np.nan, scores)  # partition puts NaN last

    return _scores(
        predictions,
        rows_margin,
        None,
        ends=lambda c: (0.0, 1.0),
        options=(reduce, k, floor, no_objects),
    )


def variance(
    predictions: ArrayLike | Objects,
    *,
    reduce: Reduction = "mean",
    k: int = 3,
    floor: float = 0.0,
    no_objects: NoObjects = "first",
) -> NDArray[np.floating]:
    """Variance across the class probabilities, population form.

    Args:
        predictions: shape (n_items, n_classes), rows sum to 1; or Objects with class vectors.
        reduce: how the scores of an item's objects become one; see `reduce_objects`.
        k: number of objects for ``reduce="mean_top_k"``.
        floor: objects with a lower confidence do not count.
        no_objects: whether items without objects come first or last.

    Returns:
        Shape (n_items,), in [0, (n_classes − 1)/n_classes²]; smaller is less certain.

    Raises:
        InvalidInput: if `predictions` is not two-dimensional, a row is no distribution, or
            objects have no class vectors.

    References:
        The founding document of labelnext, "Acquisition functions" (Encord Active, 2023).

    Example:
        >>> variance([[1.0, 0.0], [0.5, 0.5]]).tolist()
        [0.25, 0.0]
    """
    return _scores(
        predictions,
        lambda rows: np.var(rows, axis=1),
        None,
        ends=lambda c: (0.0, (c - 1) / c**2),
        options=(reduce, k, floor, no_objects),
    )


def entropy(
    predictions: ArrayLike | Objects,
    *,
    base: float | None = None,
    reduce: Reduction = "mean",
    k: int = 3,
    floor: float = 0.0,
    no_objects: NoObjects = "first",
) -> NDArray[np.floating]:
    """Shannon entropy of the class distribution, with 0 · ln 0 = 0.

    Args:
        predictions: shape (n_items, n_classes), rows sum to 1; or Objects, whose class vectors
            are scored one by one (without vectors: the binary entropy of the confidence) and
            then reduced.
        base: logarithm base; nats when None.
        reduce: how the scores of an item's objects become one; see `reduce_objects`.
        k: number of objects for ``reduce="mean_top_k"``.
        floor: objects with a lower confidence do not count.
        no_objects: whether items without objects come first or last.

    Returns:
        Shape (n_items,), in [0, log(n_classes)] for items; larger is less certain.

    Raises:
        InvalidInput: if `predictions` is not two-dimensional, a row is no distribution, or
            `base` is not above 0 and different from 1.

    References:
        Shannon (1948); Settles (2009), section 3.1.

    Example:
        >>> entropy([[0.5, 0.5], [1.0, 0.0]], base=2).tolist()
        [1.0, 0.0]
    """
    if base is not None and not (base > 0 and base != 1):
        raise InvalidInput(f"base must be above 0 and not 1; got {base!r}.")
    scale = 1.0 if base is None else 1 / np.log(base)

    def term(p: _Rows) -> _Rows:
        positive = np.where(p > 0, p, 1)  # 0 · ln 0 = 0, and NaN is put back below
        nats: _Rows = -p * np.log(positive)
        return nats

    def rows_entropy(rows: _Rows) -> _Rows:
        nats = np.maximum(term(rows).sum(axis=1), 0) + 0.0
        return np.where(np.isnan(rows).any(axis=1), np.nan, nats * rows.dtype.type(scale))

    def binary_entropy(s: _Rows) -> _Rows:
        return rows_entropy(np.stack([s, 1 - s], axis=1))

    return _scores(
        predictions,
        rows_entropy,
        binary_entropy,
        ends=lambda c: (float(np.log(c)) * scale, 0.0),
        options=(reduce, k, floor, no_objects),
    )


def _scores(
    predictions: ArrayLike | Objects,
    of_rows: Callable[[_Rows], _Rows],
    of_confidences: Callable[[_Rows], _Rows] | None,
    *,
    ends: Callable[[int], tuple[float, float]],
    options: tuple[Reduction, int, float, NoObjects],
) -> NDArray[np.floating]:
    """Scores of rows, or of objects reduced to items.

    `ends` gives, for a number of classes, the score of the least and of the most certain row.
    """
    if not isinstance(predictions, Objects):
        return of_rows(distributions(predictions)[0])
    objects = predictions
    if objects.probabilities is not None:
        n_classes, score = objects.probabilities.shape[1], of_rows(objects.probabilities)
    elif of_confidences is not None:
        n_classes, score = 2, of_confidences(np.minimum(objects.confidences, 1))
    else:
        raise InvalidInput(
            "objects must have class probability vectors for this acquisition function; "
            "got confidences alone.",
            hint="use entropy, least_confidence or mean_object_confidence.",
        )
    reduction, k, floor, no_objects = options
    first, last = ends(n_classes)
    return reduce_objects(
        score,
        objects,
        reduce=reduction,
        k=k,
        floor=floor,
        empty=0.0 if reduction == "sum" else first if no_objects == "first" else last,
    )
