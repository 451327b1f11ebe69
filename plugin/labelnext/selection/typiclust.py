"""TypiClust: the most typical item of each cluster that holds no label yet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelnext.selection.clustering import k_means
from labelnext.selection.points import Array, Points, as_points, squared_distances

_MOST_CLUSTERS = 500
_MOST_NEIGHBOURS = 20
_SAMPLE = 4096  # of a larger cluster, neighbours are sought among so many members
_BLOCK = 512


def typiclust(
    embeddings: Array | Points,
    labelled_embeddings: Array | Points,
    budget: int | None = None,
    *,
    seed: int = 0,
) -> NDArray[np.intp]:
    """Positions in the order of TypiClust, made for a small budget and no trusted model.

    k-means with as many clusters as there will be labels, 500 at most. Then, again and again, the
    cluster with the fewest labels and picks gives its most typical item, the larger cluster
    first. Typicality is the inverse of the mean distance to the K nearest members of the cluster,
    K = min(20, size // 2), the item itself not among them. In clusters of more than 4,096
    members the neighbours are sought among 4,096 of them, drawn with the seed.

    Args:
        embeddings: shape (n_items, n_dimensions), finite.
        labelled_embeddings: shape (n_labelled, n_dimensions).
        budget: how many; all when None or larger than the pool.
        seed: of the clustering and the samples.

    Returns:
        Shape (min(budget, n_items),).

    Raises:
        InvalidInput: if an embedding is not finite.

    References:
        Hacohen, Dekel and Weinshall (2022), Active learning on a budget, 3.2.

    Example:
        >>> import numpy as np
        >>> points = np.array([[0.0], [0.1], [0.15], [9.0], [9.1]])
        >>> typiclust(points, np.empty((0, 1)), 2).tolist()
        [1, 3]
    """
    points, given = as_points(embeddings), as_points(labelled_embeddings)
    n = len(points)
    n_picks = n if budget is None else min(budget, n)
    if n_picks == 0:
        return np.empty(0, dtype=np.intp)
    n_clusters = min(len(given) + n_picks, _MOST_CLUSTERS)
    centres, clusters = k_means(points, n_clusters, seed=seed)
    labels = np.bincount(nearest(given, centres), minlength=len(centres)).astype(np.float64)
    sizes = np.bincount(clusters, minlength=len(centres))
    labels[sizes == 0] = np.inf
    ordered = np.argsort(clusters, kind="stable")
    members = np.split(ordered, np.cumsum(sizes)[:-1])
    rng = np.random.default_rng(seed)
    waiting: dict[int, list[int]] = {}
    picks: list[int] = []
    while len(picks) < n_picks:
        # Fewest labels, then the largest, then the one whose first member is earliest.
        fewest = np.flatnonzero(labels == labels.min())
        largest = fewest[sizes[fewest] == sizes[fewest].max()]
        cluster = int(min(largest, key=lambda c: int(members[c][0])))
        if cluster not in waiting:
            distances = _neighbour_distances(points, members[cluster], rng)
            typical = members[cluster][np.argsort(distances, kind="stable")]
            waiting[cluster] = typical[::-1].tolist()
        picks.append(waiting[cluster].pop())
        labels[cluster] = labels[cluster] + 1 if waiting[cluster] else np.inf
    return np.array(picks, dtype=np.intp)


def nearest(points: Points, centres: Array) -> NDArray[np.intp]:
    """The centre nearest to each point, the earlier of equal ones, shape (n_points,)."""
    found = np.empty(len(points), dtype=np.intp)
    for place, block in points.blocks():
        found[place] = squared_distances(block - centres[0], centres - centres[0]).argmin(axis=1)
    return found


def _neighbour_distances(
    points: Points, members: NDArray[np.intp], rng: np.random.Generator
) -> Array:
    """Mean distance of each member of a cluster to its nearest neighbours in it."""
    n_neighbours = min(_MOST_NEIGHBOURS, len(members) // 2)
    found = np.zeros(len(members), dtype=points.dtype)
    if n_neighbours == 0:
        return found
    others = members
    if len(members) > _SAMPLE:
        others = np.sort(rng.choice(members, _SAMPLE, replace=False))
    origin = points[members[:1]]
    targets = points[others] - origin
    for start in range(0, len(members), _BLOCK):
        items = members[start : start + _BLOCK]
        distances = squared_distances(points[items] - origin, targets)
        own = np.minimum(np.searchsorted(others, items), len(others) - 1)
        same = np.flatnonzero(others[own] == items)
        distances[same, own[same]] = np.inf
        distances.partition(n_neighbours - 1, axis=1)
        found[start : start + _BLOCK] = np.sqrt(distances[:, :n_neighbours]).mean(axis=1)
    return found
