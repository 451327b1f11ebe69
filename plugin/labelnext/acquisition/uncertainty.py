"""Uncertainty of class distributions: of items, or of their objects reduced to one score."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labelnext.acquisition.kernels import FORMULAS, Rows, score_rows
from labelnext.acquisition.objects import NoObjects, Reduction, reduce_objects
from labelnext.errors import InvalidInput, unknown
from labelnext.pool.checks import distributions, float_array
from labelnext.pool.objects import Objects
from labelnext.support.annotations import Base, Count, Share
from labelnext.support.signatures import checked


@checked
def least_confidence(
    predictions: ArrayLike | Objects,
    *,
    reduce: Reduction = "mean",
    k: Count = 3,
    floor: Share = 0.0,
    no_objects: NoObjects = "first",
) -> NDArray[np.floating]:
    """One minus the probability of the most likely class.

    Args:
        predictions: shape (n_items, n_classes), rows sum to 1; or Objects, whose class vectors
            are scored one by one (without vectors: 1 − confidence) and then reduced.
        reduce: how an item's object scores are combined; see `reduce_objects`.
        k: number of objects for ``reduce="mean_top_k"``.
        floor: objects with a lower confidence are ignored.
        no_objects: whether items without objects come first or last.

    Returns:
        Shape (n_items,), in [0, 1 − 1/n_classes] for items; larger is less certain.

    Raises:
        InvalidInput: if `predictions` is not two-dimensional or a row is not a distribution.

    References:
        Lewis and Gale (1994); Settles, Active Learning Literature Survey (2009), section 3.1.

    Example:
        >>> least_confidence([[0.7, 0.2, 0.1], [0.4, 0.3, 0.3]]).round(2).tolist()
        [0.3, 0.6]
    """
    return _scores(
        predictions,
        "least_confidence",
        lambda s: 1 - s,
        ends=lambda c: (1 - 1 / c, 0.0),
        options=(reduce, k, floor, no_objects),
    )


@checked
def margin(
    predictions: ArrayLike | Objects,
    *,
    reduce: Reduction = "mean",
    k: Count = 3,
    floor: Share = 0.0,
    no_objects: NoObjects = "first",
) -> NDArray[np.floating]:
    """Difference between the two most likely classes; with one class, its probability.

    Args:
        predictions: shape (n_items, n_classes), rows sum to 1; or Objects with class vectors.
        reduce: how an item's object scores are combined; see `reduce_objects`.
        k: number of objects for ``reduce="mean_top_k"``.
        floor: objects with a lower confidence are ignored.
        no_objects: whether items without objects come first or last.

    Returns:
        Shape (n_items,), in [0, 1]; smaller is less certain.

    Raises:
        InvalidInput: if `predictions` is not two-dimensional, a row is not a distribution, or
            objects have no class vectors.

    References:
        Scheffer, Decomain and Wrobel (2001); Settles (2009), section 3.1.

    Example:
        >>> margin([[0.7, 0.2, 0.1], [0.4, 0.35, 0.25]]).round(2).tolist()
        [0.5, 0.05]
    """
    return _scores(
        predictions,
        "margin",
        None,
        ends=lambda c: (0.0, 1.0),
        options=(reduce, k, floor, no_objects),
    )


@checked
def variance(
    predictions: ArrayLike | Objects,
    *,
    reduce: Reduction = "mean",
    k: Count = 3,
    floor: Share = 0.0,
    no_objects: NoObjects = "first",
) -> NDArray[np.floating]:
    """Population variance of the class probabilities.

    Args:
        predictions: shape (n_items, n_classes), rows sum to 1; or Objects with class vectors.
        reduce: how an item's object scores are combined; see `reduce_objects`.
        k: number of objects for ``reduce="mean_top_k"``.
        floor: objects with a lower confidence are ignored.
        no_objects: whether items without objects come first or last.

    Returns:
        Shape (n_items,), in [0, (n_classes − 1)/n_classes²]; smaller is less certain.

    Raises:
        InvalidInput: if `predictions` is not two-dimensional, a row is not a distribution, or
            objects have no class vectors.

    References:
        Encord Active, "Acquisition functions" (2023).

    Example:
        >>> variance([[1.0, 0.0], [0.5, 0.5]]).tolist()
        [0.25, 0.0]
    """
    return _scores(
        predictions,
        "variance",
        None,
        ends=lambda c: (0.0, (c - 1) / c**2),
        options=(reduce, k, floor, no_objects),
    )


@checked
def entropy(
    predictions: ArrayLike | Objects,
    *,
    base: Base | None = None,
    reduce: Reduction = "mean",
    k: Count = 3,
    floor: Share = 0.0,
    no_objects: NoObjects = "first",
) -> NDArray[np.floating]:
    """Shannon entropy of the class distribution, with 0 · ln 0 = 0.

    Args:
        predictions: shape (n_items, n_classes), rows sum to 1; or Objects, whose class vectors
            are scored one by one (without vectors: the binary entropy of the confidence) and
            then reduced.
        base: logarithm base; nats when None.
        reduce: how an item's object scores are combined; see `reduce_objects`.
        k: number of objects for ``reduce="mean_top_k"``.
        floor: objects with a lower confidence are ignored.
        no_objects: whether items without objects come first or last.

    Returns:
        Shape (n_items,), in [0, log(n_classes)] for items; larger is less certain.

    Raises:
        InvalidInput: if `predictions` is not two-dimensional, a row is not a distribution, or
            `base` is not above 0 and different from 1.

    References:
        Shannon (1948); Settles (2009), section 3.1.

    Example:
        >>> entropy([[0.5, 0.5], [1.0, 0.0]], base=2).tolist()
        [1.0, 0.0]
    """
    scale = 1.0 if base is None else 1 / np.log(base)

    def binary_entropy(s: Rows) -> Rows:
        return score_rows(np.stack([s, 1 - s], axis=1), ["entropy"], check=False)["entropy"]

    nats = _scores(
        predictions,
        "entropy",
        binary_entropy,
        ends=lambda c: (float(np.log(c)), 0.0),
        options=(reduce, k, floor, no_objects),
    )
    return nats * nats.dtype.type(scale)


def uncertainties(
    probabilities: ArrayLike, names: Iterable[str] = tuple(FORMULAS)
) -> dict[str, NDArray[np.floating]]:
    """Several uncertainties of the same items, from one pass over the probabilities.

    Args:
        probabilities: shape (n_items, n_classes), rows sum to 1.
        names: of least_confidence, margin, variance and entropy; all four by default.

    Returns:
        The result of each function by name, in the order given.

    Raises:
        UnknownName: for an unknown name.
        InvalidInput: if `probabilities` is not two-dimensional or a row is not a distribution.

    References:
        Those of the functions.

    Example:
        >>> scores = uncertainties([[0.75, 0.25]], ["margin", "least_confidence"])
        >>> {name: score.tolist() for name, score in scores.items()}
        {'margin': [0.5], 'least_confidence': [0.25]}
    """
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in FORMULAS:
            raise unknown("uncertainty", str(name), FORMULAS)
    return _rows_scores(probabilities, wanted)


def _rows_scores(probabilities: ArrayLike, names: list[str]) -> dict[str, Rows]:
    rows = float_array("probabilities", probabilities)
    if rows.ndim != 2 or rows.shape[1] == 0:
        rows = distributions(rows)[0]  # raises the error
    return score_rows(rows, names, check=True)


def _scores(
    predictions: ArrayLike | Objects,
    name: str,
    of_confidences: Callable[[Rows], Rows] | None,
    *,
    ends: Callable[[int], tuple[float, float]],
    options: tuple[Reduction, int, float, NoObjects],
) -> NDArray[np.floating]:
    """Scores of rows, or of objects reduced to items.

    `ends` returns the scores of the least and most certain row for a number of classes.
    """
    if not isinstance(predictions, Objects):
        return _rows_scores(predictions, [name])[name]
    objects = predictions
    if objects.probabilities is not None:
        n_classes = objects.probabilities.shape[1]
        score = score_rows(objects.probabilities, [name], check=False)[name]
    elif of_confidences is not None:
        n_classes, score = 2, of_confidences(np.minimum(objects.confidences, 1))
    elif not len(objects.confidences):  # no detections, as in a part of a pool
        n_classes, score = 2, objects.confidences
    else:
        raise InvalidInput(
            "objects must have class probability vectors for this acquisition function; "
            "got only confidences.",
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
