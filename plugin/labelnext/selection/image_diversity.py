"""Image Diversity: each round takes one item of each cluster, the most typical first."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import LabelnextWarning
from labelnext.selection.clustering import k_means
from labelnext.selection.vectors import Array, Points, as_points
from labelnext.support.annotations import Count, NaturalNumber, Seed
from labelnext.support.signatures import checked


@checked
def image_diversity(
    embeddings: Array | Points,
    budget: NaturalNumber | None = None,
    *,
    n_clusters: Count,
    seed: Seed = 0,
) -> NDArray[np.intp]:
    """Positions in the order of Image Diversity; an item's position is its score.

    k-means with `n_clusters` clusters; then each round takes one item of each cluster, the closest
    to its centroid. Within a round, larger clusters come first, then clusters whose most typical
    item comes earlier. Strong for a first batch of one or two rounds, worse than random for long
    ones, because later rounds crowd the same centroids.

    Args:
        embeddings: shape (n_items, n_dimensions), finite.
        budget: how many; all when None or larger than the pool.
        n_clusters: the number of classes; reduced, with a warning, to the number of items.
        seed: of the k-means start.

    Returns:
        Shape (min(budget, n_items),).

    Raises:
        InvalidInput: if `n_clusters` is below 1 or an embedding is not finite.

    References:
        Encord Active, Image Diversity (2023).

    Example:
        >>> import numpy as np
        >>> points = np.array([[0.0], [0.1], [0.2], [5.0], [5.1]])
        >>> image_diversity(points, 3, n_clusters=2).tolist()
        [1, 3, 0]
    """
    points = as_points(embeddings)
    n_items = len(points)
    if n_items == 0:
        return np.empty(0, dtype=np.intp)
    if n_clusters > n_items:
        warnings.warn(
            f"Reduced n_clusters from {n_clusters} to {n_items}, the number of items.",
            LabelnextWarning,
            stacklevel=2,
        )
        n_clusters = n_items
    centres, clusters = k_means(points, n_clusters, seed=seed)

    def to_centre(rows: slice, block: Array) -> Array:
        distances: Array = np.linalg.norm(block - centres[clusters[rows]], axis=1)
        return distances

    distances = np.concatenate([*points.each(to_centre)]).astype(np.float64)
    sizes = np.bincount(clusters, minlength=n_clusters)
    return in_rounds(comparable(distances, float(distances.max())), clusters, sizes)[:budget]


def comparable(distances: NDArray[np.floating], largest: float) -> NDArray[np.floating]:
    """Distances as rounded shares of the largest, so rounding errors don't break ties."""
    shares: NDArray[np.floating] = np.round(distances / max(largest, np.finfo(float).tiny), 9)
    return shares


def in_rounds(
    distances: NDArray[np.floating], clusters: NDArray[np.intp], sizes: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Positions in rounds of one item per cluster, the closest to its centroid first.

    Args:
        distances: shape (n_items,), to the centroid; equal ones keep their order.
        clusters: shape (n_items,).
        sizes: shape (n_clusters,), of the clusters in the whole pool; larger ones come first.

    Returns:
        Shape (n_items,).

    Example:
        >>> import numpy as np
        >>> in_rounds(np.array([0.2, 0.1, 0.3]), np.array([0, 0, 1]), np.array([2, 1])).tolist()
        [1, 2, 0]
    """
    by_cluster = np.lexsort((distances, clusters))
    here = np.bincount(clusters, minlength=len(sizes))
    starts = np.cumsum(here) - here
    rounds = np.arange(len(clusters)) - np.repeat(starts, here)
    typical = by_cluster[np.minimum(starts, max(len(clusters) - 1, 0))]
    place_of = np.empty(len(sizes), dtype=np.intp)
    place_of[np.lexsort((typical, -sizes))] = np.arange(len(sizes))
    order: NDArray[np.intp] = by_cluster[np.lexsort((place_of[clusters[by_cluster]], rounds))]
    return order
