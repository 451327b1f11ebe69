"""TypiClust: the most typical item of each unlabelled cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from labelnext.selection.clustering import k_means
from labelnext.selection.vectors import (
    Array,
    Points,
    as_points,
    one_blas_thread,
    origin_of,
    squared_distances,
)
from labelnext.support.annotations import NaturalNumber, Seed
from labelnext.support.signatures import checked
from labelnext.support.threads import in_order

_MOST_CLUSTERS = 500
_MOST_NEIGHBOURS = 20
_SAMPLE = 2048  # members of a larger cluster that are searched (4,096: 1 % nearer, 4 times as long)
_BLOCK = 128  # rows of distances at once: few enough to stay in the cache
_ROUNDED = 1 + 1e-5  # a mean of equal numbers may be a little smaller than they are


@checked
def typiclust(
    embeddings: Array | Points,
    labelled_embeddings: Array | Points,
    budget: NaturalNumber | None = None,
    *,
    seed: Seed = 0,
) -> NDArray[np.intp]:
    """Positions in the order of TypiClust, for small budgets without a reliable model.

    k-means with as many clusters as there will be labels, at most 500. Each pick is the most
    typical item of the cluster with the fewest labels and picks; in a tie, of the larger cluster.
    Typicality is the inverse mean distance to the K = min(20, size // 2) nearest other members.
    Of more than 2,048 members, a random sample of 2,048 counts, and gives the picks if fewer.

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
    centres, clusters = k_means(points, n_clusters_of(len(given), n_picks), seed=seed)
    labels = np.bincount(nearest(given, centres), minlength=len(centres))
    sizes = np.bincount(clusters, minlength=len(centres))
    ordered = np.argsort(clusters, kind="stable")
    members = np.split(ordered, np.cumsum(sizes)[:-1])
    firsts = np.array([rows[0] if len(rows) else n for rows in members])
    rng = np.random.default_rng(seed)
    order = turns(labels, sizes, firsts, n_picks).tolist()
    n_wanted = Counter(order)
    searched = {cluster: _searched(members[cluster], rng) for cluster in n_wanted}

    def typical(cluster: int) -> Iterator[int]:
        others, wanted = searched[cluster], n_wanted[cluster]
        rows = others if wanted < len(others) else members[cluster]
        distances = _neighbour_distances(points, rows, others, wanted)
        return iter(rows[np.argsort(distances, kind="stable")[:wanted]].tolist())

    with one_blas_thread():
        waiting = dict(zip(n_wanted, in_order(typical, [*n_wanted]), strict=True))
    return np.array([next(waiting[cluster]) for cluster in order], dtype=np.intp)


def n_clusters_of(n_labelled: int, n_picks: int) -> int:
    """As many clusters as there will be labels, at most 500.

    Example:
        >>> n_clusters_of(3, 10), n_clusters_of(3, 1000)
        (13, 500)
    """
    return min(n_labelled + n_picks, _MOST_CLUSTERS)


def turns(
    labels: NDArray[np.intp], sizes: NDArray[np.intp], firsts: NDArray[np.intp], n_picks: int
) -> NDArray[np.intp]:
    """The cluster of each pick: the one with the fewest labels and picks.

    Args:
        labels: shape (n_clusters,), labels in each cluster.
        sizes: shape (n_clusters,), items available in each; larger clusters win ties.
        firsts: shape (n_clusters,), position of each cluster's first item; breaks further ties.
        n_picks: at most the sum of the sizes.

    Returns:
        Shape (n_picks,).

    Example:
        >>> import numpy as np
        >>> turns(np.array([1, 0]), np.array([3, 2]), np.array([0, 1]), 3).tolist()
        [1, 0, 1]
    """
    count = np.where(sizes > 0, labels, np.inf)
    left = sizes.copy()
    given = np.empty(n_picks, dtype=np.intp)
    for pick in range(n_picks):
        fewest = np.flatnonzero(count == count.min())
        largest = fewest[sizes[fewest] == sizes[fewest].max()]
        cluster = largest[np.argmin(firsts[largest])]
        given[pick] = cluster
        left[cluster] -= 1
        count[cluster] = count[cluster] + 1 if left[cluster] else np.inf
    return given


def nearest(points: Points, centres: Array) -> NDArray[np.intp]:
    """The nearest centre of each point, the earlier in a tie, shape (n_points,)."""
    origin = origin_of(centres)
    shifted = centres - origin

    def of_block(_: slice, block: Array) -> NDArray[np.intp]:
        labels: NDArray[np.intp] = squared_distances(block - origin, shifted).argmin(axis=1)
        return labels

    with one_blas_thread():
        return np.concatenate([np.empty(0, dtype=np.intp), *points.each(of_block)])


def _searched(members: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
    """The members of a cluster among which neighbours are searched, ascending."""
    if len(members) <= _SAMPLE:
        return members
    return np.sort(rng.choice(members, _SAMPLE, replace=False))


def _neighbour_distances(
    points: Points, members: NDArray[np.intp], others: NDArray[np.intp], n_wanted: int
) -> Array:
    """Mean distance of the members of a cluster to their nearest neighbours in the cluster."""
    position = np.minimum(np.searchsorted(others, members), len(others) - 1)
    position = np.where(others[position] == members, position, -1)
    return distances_to_nearest(
        points, members, points[others], position, len(members), n_wanted=n_wanted
    )


def distances_to_nearest(
    points: Points,
    members: NDArray[np.intp],
    others: Array,
    member_rows: NDArray[np.intp],
    size: int,
    *,
    n_wanted: int | None = None,
) -> Array:
    """Mean distance of cluster members to their nearest neighbours among other members.

    A mean is at least the distance to the nearest neighbour, so once there are as many smaller
    means as wanted, most members need no search for the others.

    Args:
        points: all points.
        members: shape (n_members,), positions of the members.
        others: shape (n_others, n_dimensions), where neighbours are searched.
        member_rows: shape (n_members,), the position of each member among the others, or −1.
        size: of the cluster; min(20, size // 2) neighbours count.
        n_wanted: how many of the smallest means are wanted; all when None.

    Returns:
        Shape (n_members,); 0 without neighbours, infinity for some that aren't wanted.
    """
    n_neighbours = min(_MOST_NEIGHBOURS, size // 2, len(others) - 1)
    means = np.zeros(len(members), dtype=points.dtype)
    if n_neighbours <= 0:
        return means
    origin = origin_of(others)
    targets = others - origin
    smallest = means[:0]  # of the means so far, as many as wanted
    n_wanted = n_wanted or len(members)
    for start in range(0, len(members), _BLOCK):
        items = members[start : start + _BLOCK]
        distances = squared_distances(points[items] - origin, targets)
        positions = member_rows[start : start + _BLOCK]
        same = np.flatnonzero(positions >= 0)
        distances[same, positions[same]] = np.inf
        found = means[start : start + _BLOCK]
        if len(smallest) == n_wanted:
            limit = smallest.max() * _ROUNDED
            found[:] = np.inf
            near = np.flatnonzero(np.sqrt(distances.min(axis=1)) <= limit)
        else:
            near = np.arange(len(items))
        distances = distances[near]
        distances.partition(n_neighbours - 1, axis=1)
        found[near] = np.sqrt(distances[:, :n_neighbours]).mean(axis=1)
        if n_wanted < len(members):
            smallest = np.sort(np.append(smallest, found[near]), kind="stable")[:n_wanted]
    return means
