"""Weighted k-center: good scores far from everything labelled or picked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelnext.selection.k_center import farthest_first
from labelnext.selection.vectors import Array, Points, as_points
from labelnext.support.annotations import NaturalNumber, NotNegative, Positive
from labelnext.support.signatures import checked

_STRONGEST = 1e100  # score against distance; its product with a logarithm has to be finite


@checked
def weighted(
    utilities: NDArray[np.floating],
    embeddings: Array | Points,
    labelled_embeddings: Array | Points,
    budget: NaturalNumber | None = None,
    *,
    score_strength: NotNegative = 1.0,
    distance_strength: Positive = 1.0,
) -> NDArray[np.intp]:
    """Greedy picks by priority^score_strength · distance^distance_strength.

    The priority is the share of items whose utility is not larger, so the scale of the scores
    doesn't matter; the distance is to the nearest labelled or picked item. Without labels, the
    largest utility comes first. With score_strength 0 this is k-center, except for the first pick.

    Args:
        utilities: shape (n_items,), larger is labelled sooner; ±inf is allowed.
        embeddings: shape (n_items, n_dimensions), finite.
        labelled_embeddings: shape (n_labelled, n_dimensions).
        budget: how many; all when None or larger than the pool.
        score_strength: at least 0.
        distance_strength: above 0.

    Returns:
        Shape (min(budget, n_items),); items that coincide with what is labelled or picked follow
        by utility.

    Raises:
        InvalidInput: if a strength is out of range, or an embedding is not finite.

    References:
        Gonzalez (1985) for the distance; Minoux (1978) for lazy evaluation.

    Example:
        >>> import numpy as np
        >>> points = np.array([[0.0], [0.1], [5.0]])
        >>> weighted(np.array([0.9, 0.8, 0.2]), points, np.empty((0, 1)), 2).tolist()
        [0, 2]
    """
    points, given = as_points(embeddings), as_points(labelled_embeddings)
    if len(points) == 0:
        return np.empty(0, dtype=np.intp)
    values = np.asarray(utilities, dtype=np.float64)
    priorities = np.searchsorted(np.sort(values), values, side="right") / len(values)
    # Greedy by p^s · d^t is greedy by p^(2s/t) · d², which needs no root.
    strength = min(2 * (score_strength / distance_strength), _STRONGEST)
    log_weights = strength * np.log(priorities)
    first = None if len(given) else int(values.argmax())
    return farthest_first(points, given, budget, first=first, log_weights=log_weights)
