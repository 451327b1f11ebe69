"""A second opinion: the chance that a predicted class is wrong, by labels and embeddings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.selection.facility_location import similarity_scale
from labelnext.selection.kernels import Kernel
from labelnext.selection.vectors import Array, Points, as_points, one_blas_thread
from labelnext.support.words import counted

_MOST = 4000  # labels: their system of equations takes seconds and 128 MiB
_ROWS = 256  # of similarities at once
_RIDGE = 0.1
_TEMPERATURE = 0.15


def chance_wrong(
    embeddings: Array | Points,
    labelled_embeddings: Array | Points,
    labelled_classes: NDArray[np.integer],
    predicted_classes: NDArray[np.integer],
    *,
    seed: int = 0,
) -> NDArray[np.float64]:
    """The probability that each item's predicted class is wrong, as its labelled neighbours see it.

    It is 1 − Q[n, ŷ_n] for the predicted class ŷ_n. Q = softmax(F / 0.15) comes from a kernel ridge
    regression F = K (K_LL + 0.1 I)⁻¹ (Y − 1/c) of the labels' classes, one-hot in Y, on the
    embeddings. K = exp(−d²/2w²), where w² is a quarter of the mean squared distance of 1,000 random
    pairs of items. The c classes are those that are labelled or predicted.

    Args:
        embeddings: shape (n_items, n_dimensions), finite.
        labelled_embeddings: shape (n_labelled, n_dimensions).
        labelled_classes: shape (n_labelled,), −1 for none. Of more than 4,000 labels, as many
            random ones are taken.
        predicted_classes: shape (n_items,), −1 for none, which is never right.
        seed: of the pairs and the random labels.

    Returns:
        Shape (n_items,), in [0, 1].

    Raises:
        InvalidInput: if the labels have fewer than two classes.

    References:
        Our own; Rasmussen and Williams (2006), chapter 6, for the regression.

    Example:
        >>> points, labelled = np.array([[0.1], [0.1], [0.9]]), np.array([[0.0], [1.0]])
        >>> chance_wrong(points, labelled, np.array([0, 1]), np.array([0, 1, 1])).round(1).tolist()
        [0.0, 1.0, 0.0]
    """
    points, given = as_points(embeddings), as_points(labelled_embeddings)
    known = _known(labelled_classes, seed)
    if len(points) == 0:
        return np.empty(0)
    predicted = predicted_classes >= 0
    classes = np.union1d(labelled_classes[known], predicted_classes[predicted])
    places = np.searchsorted(classes, predicted_classes)
    kernel = Kernel("gaussian", similarity_scale(points, seed) / 8)
    origin, anchors = points[:1], given[known]
    with one_blas_thread():
        among = kernel.between(anchors, anchors, origin).astype(np.float64)
        among[np.diag_indices_from(among)] += _RIDGE
        targets = (labelled_classes[known][:, None] == classes) - 1 / len(classes)
        weights = np.linalg.solve(among, targets).astype(points.dtype)

        def of_block(rows: slice, block: Array) -> NDArray[np.float64]:
            logits = (kernel.between(block, anchors, origin) @ weights).astype(np.float64)
            logits /= _TEMPERATURE
            odds = np.exp(logits - logits.max(axis=1, keepdims=True))
            right = odds[np.arange(len(block)), places[rows]]
            return 1 - np.where(predicted[rows], right / odds.sum(axis=1), 0)

        return np.concatenate([*points.each(of_block, _ROWS)])


def _known(labelled_classes: NDArray[np.integer], seed: int) -> NDArray[np.intp]:
    """The positions of the labels to learn from, in order."""
    known = np.flatnonzero(labelled_classes >= 0)
    n_classes = len(np.unique(labelled_classes[known]))
    if n_classes < 2:
        raise InvalidInput(
            "doubt must be utility until embedded items of two classes are labelled; got "
            f"'embeddings' with labels of {counted(n_classes, 'class', 'classes')}.",
            hint="label items of another class first, or leave out selection.options.doubt.",
        )
    chosen = np.random.default_rng(seed).permutation(known)[:_MOST]
    return np.sort(chosen)
