"""Uncertainty herding: a batch that is similar to the items in doubt, and covers them once."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput, LabelnextWarning
from labelnext.selection.cluster_margin import cluster_margin
from labelnext.selection.facility_location import similarity_scale
from labelnext.selection.kernels import Kernel, KernelName, default_width
from labelnext.selection.neighbours import greedy_cover
from labelnext.selection.second_opinion import second_opinion
from labelnext.selection.top_k import top_k
from labelnext.selection.vectors import Array, Points, as_points
from labelnext.support.annotations import Count, NaturalNumber, Positive, Seed
from labelnext.support.signatures import checked

Doubt = Literal["utility", "embeddings"]

_TRUSTED = 0.05  # trust in embeddings below which scores come first, see docs/quality.md
_CANDIDATES = 5  # best scores for each pick, where they do


@checked
def uncertainty_herding(
    embeddings: Array | Points,
    labelled_embeddings: Array | Points,
    utilities: NDArray[np.floating] | None = None,
    budget: NaturalNumber | None = None,
    labelled_classes: NDArray[np.integer] | None = None,
    predicted_classes: NDArray[np.integer] | None = None,
    *,
    kernel: KernelName = "gaussian",
    width: Positive | Literal["pool"] | None = None,
    n_neighbours: Count | None = None,
    doubt: Doubt = "utility",
    seed: Seed = 0,
) -> NDArray[np.intp]:
    """Positions in the order of uncertainty herding; max-herding without utilities.

    Each pick x has the largest Σ_n U_n · max(k(x_n, x) − cover_n, 0), where cover_n is the largest
    similarity of item n to anything labelled or picked. So doubtful items in crowded regions come
    first, and each region once. U is the utility brought to [0, 1], see `doubts`: 1 − (p₁ − p₂)
    with the margin, and 1 for all items without utilities, or if no item is in doubt. With
    `doubt="embeddings"`, a share of U is the probability that the predicted class is wrong, as
    labels and embeddings say: the share to which they can be trusted, see `second_opinion`. A
    warning says how much. Below 5%, covering the pool by such embeddings would do harm: they only
    spread a batch of the five best utilities for each pick, by `cluster_margin`, and decide nothing
    if more than a fifth of the pool is picked.

    Above 5,000 items, only the similarities of each item to its `n_neighbours` nearest are kept;
    above 30,000, the sum goes over 16,384 items drawn in proportion to U. A warning says how much
    that leaves out.

    Args:
        embeddings: shape (n_items, n_dimensions), finite.
        labelled_embeddings: shape (n_labelled, n_dimensions).
        utilities: shape (n_items,), larger is labelled sooner; ±inf is allowed.
        budget: how many; all when None or larger than the pool.
        labelled_classes: shape (n_labelled,), −1 for none; for `doubt="embeddings"`.
        predicted_classes: shape (n_items,), −1 for none; for `doubt="embeddings"`.
        kernel: gaussian is exp(−d²/2w²), laplace is exp(−d/w), top_hat is 1 up to w, else 0.
        width: w, above 0; when None, half the root of the median squared distance to the nearest
            labelled item, or without labels to the nearest of `budget` random items. pool is half
            the root of the mean squared distance of 1,000 random pairs, whatever is labelled; see
            `similarity_scale`.
        n_neighbours: at least 1; about as many are kept of each item above 5,000 items. When
            None, twice the number of items per label and pick, at least 100.
        doubt: what U is: utility, or embeddings for a second opinion as far as it can be trusted.
        seed: of what is random in a large pool, and of the width without labels.

    Returns:
        Shape (min(budget, n_items),); items that add nothing follow by utility.

    Raises:
        InvalidInput: if an option is out of range, an embedding is not finite, or
            `doubt="embeddings"` lacks classes, or labels of two.

    References:
        Bae et al. (2025), Uncertainty herding; Bae et al. (2024), Generalized coverage for more
        robust low-budget active learning (MaxHerding).

    Example:
        >>> import numpy as np
        >>> points = np.array([[0.0], [1.0], [2.0], [9.0]])
        >>> doubt = np.array([0.1, 0.1, 0.1, 0.9])
        >>> uncertainty_herding(points, np.empty((0, 1)), doubt, 2, width=1.0).tolist()
        [3, 1]
    """
    # Long: what each of its options means stands in one place.
    points, given = as_points(embeddings), as_points(labelled_embeddings)
    n = len(points)
    n_picks = n if budget is None else min(budget, n)
    weights = None if utilities is None else doubts(utilities)
    if doubt == "embeddings":
        wrong, trust = _second_opinion(points, given, labelled_classes, predicted_classes, seed)
        if utilities is not None and trust < _TRUSTED:
            _warn(
                "The batch comes from the best scores alone, because labels that are left out are "
                "hardly predicted by the others and the embeddings."
            )
            if _CANDIDATES * n_picks > n:
                return top_k(utilities, budget)
            return cluster_margin(utilities, points, budget, pool_factor=_CANDIDATES, seed=seed)
        _warn(
            f"About {round(trust, 1):.0%} of the doubt comes from labels and embeddings, by how "
            "well they predict labels that are left out."
        )
        weights = trust * wrong + (1 - trust) * (1 if weights is None else weights)
    if n_picks == 0:
        return np.empty(0, dtype=np.intp)
    if width == "pool":
        squared = similarity_scale(points, seed) / 8
    else:
        squared = default_width(points, given, n_picks, seed) if width is None else width * width
    return greedy_cover(
        points,
        given,
        Kernel(kernel, squared),
        n_picks,
        who="uncertainty_herding" if weights is not None else "max-herding",
        weights=weights,
        n_neighbours=n_neighbours,
        rest=None if utilities is None else np.asarray(utilities, dtype=np.float64),
        seed=seed,
    )


def _second_opinion(
    points: Points,
    given: Points,
    labelled_classes: NDArray[np.integer] | None,
    predicted_classes: NDArray[np.integer] | None,
    seed: int,
) -> tuple[NDArray[np.float64], float]:
    if labelled_classes is None or predicted_classes is None:
        lacking, cure = "classes of the labels", "add labels"
        if labelled_classes is not None:
            lacking = "predicted classes"
            cure = "add predictions, or train a probe"
        raise InvalidInput(
            f"doubt must be utility without {lacking}; got 'embeddings'.",
            hint=f"{cure}, or leave out doubt.",
        )
    return second_opinion(points, given, labelled_classes, predicted_classes, seed=seed)


def _warn(message: str) -> None:
    warnings.warn(message, LabelnextWarning, stacklevel=3)


def doubts(utilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Utilities brought to [0, 1].

    Where low scores come first, such as a margin in [0, 1], utilities lie in [−1, 0] and become
    1 − score. Utilities of at least 0 are divided by the largest. All others are scaled from their
    smallest and largest. +inf becomes 1; −inf and NaN become 0.

    Args:
        utilities: shape (n_items,).

    Returns:
        Shape (n_items,).

    Example:
        >>> doubts(np.array([-0.25, -1.0])).tolist(), doubts(np.array([1.0, 2.0, np.inf])).tolist()
        ([0.75, 0.0], [0.5, 1.0, 1.0])
    """
    values = np.array(utilities, dtype=np.float64)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    if low >= 0:
        values /= high or 1
    elif low >= -1 and high <= 0:
        values += 1
    else:
        with np.errstate(over="ignore"):
            values = (values / 2 - low / 2) / ((high / 2 - low / 2) or 1)
    return np.clip(np.nan_to_num(values, nan=0.0), 0, 1)
