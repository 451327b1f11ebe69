"""Facility location: a batch that has something similar to every item in the pool."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelnext.selection.covering import all_pairs, maximised
from labelnext.selection.kernels import Kernel
from labelnext.selection.neighbours import greedy_cover
from labelnext.selection.vectors import Array, Points, as_points, origin_of, squared_lengths
from labelnext.support.annotations import Count, NaturalNumber, Seed
from labelnext.support.signatures import checked

_PAIRS = 1000  # for the similarity scale
_NEAR, _FAR = 0.95, 100  # their share, and how many times its squared distance counts at most


@checked
def facility_location(
    embeddings: Array | Points,
    labelled_embeddings: Array | Points,
    budget: NaturalNumber | None = None,
    *,
    n_neighbours: Count | None = None,
    seed: Seed = 0,
) -> NDArray[np.intp]:
    """Positions in the order of lazy greedy facility location.

    Maximises Σ_i max_j s_ij, j over the batch and the labelled items, with the similarity
    s_ij = exp(−|x_i − x_j|² / 2σ²), where σ² is the mean squared distance of 1,000 random pairs,
    see `similarity_scale`.
    Above 5,000 items, only the similarities of each item to its `n_neighbours` nearest are kept;
    above 30,000, the sum goes over 16,384 random items. A warning says how much that leaves out.
    What is kept is maximised to at least 1 − 1/e of the best possible for that batch size.

    Args:
        embeddings: shape (n_items, n_dimensions), finite.
        labelled_embeddings: shape (n_labelled, n_dimensions).
        budget: how many; all when None or larger than the pool.
        n_neighbours: at least 1; about as many are kept of each item above 5,000 items. When
            None, twice the number of items per label and pick, at least 100.
        seed: of the pairs and the random items.

    Returns:
        Shape (min(budget, n_items),).

    Raises:
        InvalidInput: if `n_neighbours` is below 1 or an embedding is not finite.

    References:
        Nemhauser, Wolsey and Fisher (1978); Minoux (1978); Wei, Iyer and Bilmes (2015).

    Example:
        >>> import numpy as np
        >>> points = np.array([[0.0], [1.0], [2.0], [9.0]])
        >>> facility_location(points, np.array([[1.0]]), 1).tolist()
        [3]
    """
    points, given = as_points(embeddings), as_points(labelled_embeddings)
    if len(points) == 0:
        return np.empty(0, dtype=np.intp)
    kernel = Kernel("gaussian", similarity_scale(points, seed) / 2)
    return greedy_cover(
        points,
        given,
        kernel,
        budget,
        who="facility_location",
        n_neighbours=n_neighbours,
        seed=seed,
    )


def coverage(points: Array, chosen: Array, *, seed: int = 0) -> float:
    """Mean similarity of each point to its nearest chosen point, in [0, 1].

    Args:
        points: shape (n_points, n_dimensions); they set the scale, as in `facility_location`.
        chosen: shape (n_chosen, n_dimensions); at least one.
        seed: of the pairs for the scale.

    Example:
        >>> coverage(np.array([[0.0], [9.0]]), np.array([[0.0], [9.0]]))
        1.0
    """
    read = Points(points)
    kernel = Kernel("gaussian", similarity_scale(read, seed) / 2)
    nearest = kernel.nearest(read, Points(chosen), origin_of(read))
    return float(nearest.sum(dtype=np.float64)) / len(points)


def maximise_facility_location(
    similarities: NDArray[np.floating], budget: int | None = None
) -> NDArray[np.intp]:
    """Lazy greedy facility location on a given similarity matrix.

    Args:
        similarities: shape (n_items, n_items), symmetric, at least 0.
        budget: how many; all when None.

    Returns:
        Positions, shape (min(budget, n_items),); ties go to the earlier item.

    Example:
        >>> import numpy as np
        >>> s = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])
        >>> maximise_facility_location(s, 2).tolist()
        [0, 2]
    """
    matrix = np.asarray(similarities)
    if len(matrix) == 0:
        return np.empty(0, dtype=np.intp)
    return maximised(all_pairs(matrix), np.zeros(len(matrix)), budget)


def similarity_scale(points: Points, seed: int) -> float:
    """2σ² of the similarity: twice the mean squared distance of random pairs.

    Pairs more than ten times as far apart as 95% of them don't count: a single vector far from all
    others would otherwise make these all alike.
    """
    first, second = np.random.default_rng(seed).integers(0, len(points), (2, _PAIRS))
    squares = squared_lengths(points[first] - points[second])
    near = squares[squares <= _FAR * np.quantile(squares, _NEAR)]
    return float(2 * (near if near.any() else squares).mean()) or 1.0
