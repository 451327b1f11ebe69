"""A second opinion: the chance that a predicted class is wrong, by labels and embeddings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.selection.facility_location import similarity_scale
from labelnext.selection.kernels import Kernel, default_width
from labelnext.selection.vectors import (
    Array,
    Points,
    as_points,
    one_blas_thread,
    origin_of,
    squared_distances,
)
from labelnext.support.words import counted

_MOST = 4000  # labels: their system of equations takes seconds and 128 MiB
_ROWS = 256  # of similarities at once
_RIDGE = 0.1
_TEMPERATURE = 0.15


def second_opinion(
    embeddings: Array | Points,
    labelled_embeddings: Array | Points,
    labelled_classes: NDArray[np.integer],
    predicted_classes: NDArray[np.integer],
    *,
    seed: int = 0,
) -> tuple[NDArray[np.float64], float]:
    """The probability that each item's predicted class is wrong, and how far to trust it.

    The probability is 1 − Q[n, ŷ_n] for the predicted class ŷ_n. Q = softmax(F / 0.15) comes from
    a kernel ridge regression F = K (K_LL + 0.1 I)⁻¹ (Y − 1/c) of the labels' classes, one-hot in
    Y, on the embeddings. K = exp(−d²/2w²), where w² is a quarter of the mean squared distance of
    1,000 random pairs of items. The c classes are those that are labelled or predicted.

    Trust is twice what Q explains of the labels' entropy, from 0 to 1: 1 − its mean log loss on
    labels, each predicted without it and its like, divided by the entropy of the labels' classes.
    Alike are labels closer than half the median distance of the items to their nearest label: the
    first one takes all that are alike into its group, then the next one that has none.

    Args:
        embeddings: shape (n_items, n_dimensions), finite.
        labelled_embeddings: shape (n_labelled, n_dimensions).
        labelled_classes: shape (n_labelled,), −1 for none; of more than 4,000, as many random ones.
        predicted_classes: shape (n_items,), −1 for none, which is never right.
        seed: of the pairs and the random labels.

    Returns:
        Probabilities, shape (n_items,), in [0, 1], and trust, in [0, 1].

    Raises:
        InvalidInput: if the labels have fewer than two classes.

    References:
        Our own; Rasmussen and Williams (2006), 5.4.2 and chapter 6, for the regression.

    Example:
        >>> points, labelled = np.array([[0.1], [0.1], [0.9]]), np.array([[0.0], [0.2], [0.8], [1]])
        >>> labels, predicted = np.array([0, 0, 1, 1]), np.array([0, 1, 1])
        >>> wrong, trust = second_opinion(points, labelled, labels, predicted)
        >>> wrong.round(1).tolist(), round(trust, 1)
        ([0.0, 1.0, 0.0], 1.0)
    """
    # Long: the formulas stand in one place.
    points, given = as_points(embeddings), as_points(labelled_embeddings)
    known = _known(labelled_classes, seed)
    if len(points) == 0:
        return np.empty(0), 0.0
    labels, predicted = labelled_classes[known], predicted_classes >= 0
    classes = np.union1d(labels, predicted_classes[predicted])
    places = np.searchsorted(classes, predicted_classes)
    kernel = Kernel("gaussian", similarity_scale(points, seed) / 8)
    origin, anchors = origin_of(points), given[known]
    with one_blas_thread():
        squares = squared_distances(anchors - origin, anchors - origin)
        alike = squares < default_width(points, Points(anchors), 1, seed)
        own = np.searchsorted(classes, labels)
        weights, trust = _learnt(kernel.of(squares), alike, own, len(classes))

        def of_block(rows: slice, block: Array) -> NDArray[np.float64]:
            logs = _log_softmax(kernel.between(block, anchors, origin) @ weights)
            right = np.exp(logs[np.arange(len(block)), places[rows]])
            return 1 - np.where(predicted[rows], right, 0)

        return np.concatenate([*points.each(of_block, _ROWS)]), trust


def _learnt(
    among: NDArray[np.floating],
    alike: NDArray[np.bool_],
    own: NDArray[np.intp],
    n_classes: int,
) -> tuple[NDArray[np.floating], float]:
    """The weights of the labels, and how far to trust what they predict.

    Args:
        among: shape (n_labels, n_labels), their similarities.
        alike: shape (n_labels, n_labels), which may be in one group.
        own: shape (n_labels,), the class of each, from 0.
        n_classes: which there are.
    """
    targets: NDArray[np.floating] = np.eye(n_classes)[own] - 1 / n_classes
    inverse = np.linalg.inv(among.astype(np.float64) + _RIDGE * np.eye(len(own)))
    weights = inverse @ targets
    left_out = targets - _residuals(inverse, weights, alike)
    loss = -_log_softmax(left_out)[np.arange(len(own)), own].mean()
    entropy = -np.log((np.bincount(own) / len(own))[own]).mean()
    return weights.astype(among.dtype), float(np.clip(2 * (1 - loss / entropy), 0, 1))


def _residuals(
    inverse: NDArray[np.floating], weights: NDArray[np.floating], alike: NDArray[np.bool_]
) -> NDArray[np.floating]:
    """By how much the target of each label differs from what the labels outside its group predict.

    Args:
        inverse: shape (n_labels, n_labels), of the labels' similarities and the ridge.
        weights: shape (n_labels, n_classes), the inverse times the targets.
        alike: shape (n_labels, n_labels), which labels may be in one group.
    """
    residuals = np.empty_like(weights)
    left = np.ones(len(weights), dtype=bool)
    for leader in range(len(weights)):
        if left[leader]:
            group = np.flatnonzero(alike[leader] & left)
            left[group] = False
            residuals[group] = np.linalg.solve(inverse[np.ix_(group, group)], weights[group])
    return residuals


def _log_softmax(values: NDArray[np.floating]) -> NDArray[np.float64]:
    logits = values.astype(np.float64) / _TEMPERATURE
    logits -= logits.max(axis=1, keepdims=True)
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return logits


def _known(labelled_classes: NDArray[np.integer], seed: int) -> NDArray[np.intp]:
    """The positions of the labels to learn from, in order."""
    known = np.flatnonzero(labelled_classes >= 0)
    n_classes = len(np.unique(labelled_classes[known]))
    if n_classes < 2:
        raise InvalidInput(
            "doubt must be utility until embedded items of two classes are labelled; got "
            f"'embeddings' with labels of {counted(n_classes, 'class', 'classes')}.",
            hint="label items of another class first, or leave out doubt.",
        )
    chosen = np.random.default_rng(seed).permutation(known)[:_MOST]
    return np.sort(chosen)
