"""Cluster-Margin: the most informative items, spread over clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelnext.selection.clustering import k_means
from labelnext.selection.top_k import top_k
from labelnext.selection.vectors import Array, Points, as_points
from labelnext.support.annotations import Count, Factor, NaturalNumber, Seed
from labelnext.support.signatures import checked


@checked
def cluster_margin(
    utilities: NDArray[np.floating],
    embeddings: Array | Points,
    budget: NaturalNumber | None = None,
    *,
    n_clusters: Count | None = None,
    pool_factor: Factor = 5.0,
    seed: Seed = 0,
) -> NDArray[np.intp]:
    """Positions in the order of Cluster-Margin.

    The `pool_factor` · budget items with the largest utility (the smallest margin, in the paper)
    are clustered. Each round takes the most informative item left in each cluster, smallest
    cluster first.

    Args:
        utilities: shape (n_items,), larger is labelled sooner.
        embeddings: shape (n_items, n_dimensions), finite.
        budget: how many; all when None or larger than the pool.
        n_clusters: number of clusters; the budget when None.
        pool_factor: candidates per pick, at least 1.
        seed: of the clustering (k-means here, hierarchical in the paper).

    Returns:
        Shape (min(budget, n_items),).

    Raises:
        InvalidInput: if `pool_factor` or `n_clusters` is below 1 or an embedding is not finite.

    References:
        Citovsky et al. (2021), Batch active learning at scale.

    Example:
        >>> import numpy as np
        >>> points = np.array([[0.0], [0.1], [0.2], [9.0]])
        >>> cluster_margin(np.array([0.9, 0.8, 0.7, 0.1]), points, 2).tolist()
        [3, 0]
    """
    points = as_points(embeddings)
    n = len(points)
    n_picks = n if budget is None else min(budget, n)
    if n_picks == 0:
        return np.empty(0, dtype=np.intp)
    informative = top_k(utilities, int(np.ceil(min(pool_factor * n_picks, n))))
    candidates = np.sort(informative)  # k-means sees them in item order
    n_clusters = n_picks if n_clusters is None else n_clusters
    _, labels = k_means(points[candidates], n_clusters, seed=seed)
    clusters = labels[np.searchsorted(candidates, informative)]
    sizes = np.bincount(clusters)
    by_cluster = np.argsort(clusters, kind="stable")
    rounds = np.empty(len(clusters), dtype=np.intp)
    rounds[by_cluster] = np.arange(len(clusters)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    # Within a round, smaller clusters come first, then more informative items.
    order: NDArray[np.intp] = informative[np.lexsort((sizes[clusters], rounds))]
    return order[:n_picks]
