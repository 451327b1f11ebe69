"""ProbCover: cover as many items as possible within a radius of labelled or picked items."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelnext.selection.clustering import k_means
from labelnext.selection.vectors import Array, Points, as_points, one_blas_thread, squared_distances
from labelnext.support.annotations import Between, Count, NaturalNumber, Positive, Seed
from labelnext.support.signatures import checked

_SAMPLE = 2000  # items sampled to find the default radius


@checked
def prob_cover(
    embeddings: Array | Points,
    labelled_embeddings: Array | Points,
    budget: NaturalNumber | None = None,
    *,
    n_clusters: Count,
    radius: Positive | None = None,
    purity: Between = 0.95,
    seed: Seed = 0,
) -> NDArray[np.intp]:
    """Positions in the order of ProbCover, for small budgets without a reliable model.

    Each pick is the item with the most uncovered items within `radius` (inclusive, itself too).
    An item is covered if it lies within the radius of a labelled item or an earlier pick. Once
    everything is covered, the rest follow by neighbourhood size. The cover is at least 1 − 1/e of
    the best possible for that batch size.

    Args:
        embeddings: shape (n_items, n_dimensions), finite.
        labelled_embeddings: shape (n_labelled, n_dimensions).
        budget: how many; all when None or larger than the pool.
        n_clusters: number of classes, for the default radius.
        radius: above 0; when None, the largest at which a share `purity` of the items (2,000
            sampled ones) have only members of their own k-means cluster within it.
        purity: in (0, 1).
        seed: of the clustering and the sample.

    Returns:
        Shape (min(budget, n_items),).

    Raises:
        InvalidInput: if the radius or purity is out of range, or an embedding is not finite.

    References:
        Yehuda et al. (2022), Active learning through a covering lens.

    Example:
        >>> import numpy as np
        >>> points = np.array([[0.0], [1.0], [2.0], [9.0], [9.5]])
        >>> prob_cover(points, np.empty((0, 1)), 2, n_clusters=2, radius=1.0).tolist()
        [1, 3]
    """
    points, given = as_points(embeddings), as_points(labelled_embeddings)
    n_picks = len(points) if budget is None else min(budget, len(points))
    if n_picks == 0:
        return np.empty(0, dtype=np.intp)
    with one_blas_thread():
        if radius is None:
            radius = _pure_radius(points, n_clusters, purity, seed)
        offsets, neighbours = _within(points, points, radius)
        covered = np.diff(_within(points, given, radius)[0]) > 0
    return _greedy_cover(offsets, neighbours, covered, n_picks)


def _greedy_cover(
    offsets: NDArray[np.intp],
    neighbours: NDArray[np.intp],
    covered: NDArray[np.bool_],
    n_picks: int,
) -> NDArray[np.intp]:
    """Most uncovered neighbours first; each edge is visited once, when its end is covered."""
    n = len(covered)
    degrees = np.diff(offsets)
    gains = degrees - _counts(offsets, neighbours, np.flatnonzero(covered), n)
    picks: list[int] = []
    while len(picks) < n_picks:
        best = int(gains.argmax())
        if gains[best] <= 0:
            break
        picks.append(best)
        reached = neighbours[offsets[best] : offsets[best + 1]]
        new = reached[~covered[reached]]
        covered[new] = True
        gains -= _counts(offsets, neighbours, new, n)
    rest = np.setdiff1d(np.arange(n), picks)
    rest = rest[np.argsort(-degrees[rest], kind="stable")]
    order: NDArray[np.intp] = np.concatenate([np.array(picks, dtype=np.intp), rest])
    return order[:n_picks]


def _counts(
    offsets: NDArray[np.intp], neighbours: NDArray[np.intp], items: NDArray[np.intp], n: int
) -> NDArray[np.intp]:
    """How many of `items` each item has as neighbours."""
    parts = [neighbours[offsets[i] : offsets[i + 1]] for i in items.tolist()]
    return np.bincount(np.concatenate(parts), minlength=n) if parts else np.zeros(n, np.intp)


def _within(
    points: Points, others: Points, radius: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The others within `radius` of each point, as offsets and positions."""
    counts: list[NDArray[np.intp]] = [np.zeros(1, dtype=np.intp)]
    neighbours: list[NDArray[np.intp]] = [np.empty(0, dtype=np.intp)]
    origin = points[:1]
    for _, block in points.blocks():
        rows, columns = [], []
        for part, targets in others.blocks():
            near = squared_distances(block - origin, targets - origin) <= radius * radius
            row, column = np.nonzero(near)
            rows.append(row)
            columns.append(column + part.start)
        row = np.concatenate([np.empty(0, np.intp), *rows])
        by_row = np.argsort(row, kind="stable")
        neighbours.append(np.concatenate([np.empty(0, np.intp), *columns])[by_row])
        counts.append(np.bincount(row, minlength=len(block)))
    return np.cumsum(np.concatenate(counts)), np.concatenate(neighbours)


def _pure_radius(points: Points, n_clusters: int, purity: float, seed: int) -> float:
    """The largest radius at which a share `purity` of the items see only their own cluster."""
    _, labels = k_means(points, n_clusters, seed=seed)
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.choice(len(points), min(_SAMPLE, len(points)), replace=False))
    origin = points[:1]
    targets = points[sample] - origin
    foreign = np.full(len(sample), np.inf)
    for rows, block in points.blocks():
        distances = squared_distances(targets, block - origin)
        distances[labels[sample][:, None] == labels[rows]] = np.inf
        foreign = np.minimum(foreign, distances.min(axis=1))
    if np.isinf(foreign).all():  # one cluster: no radius is impure
        return float(np.sqrt(squared_distances(targets, targets).max())) or 1.0
    n_impure = int((1 - purity) * len(foreign) + 1e-9)  # may see another cluster
    radius = float(np.sqrt(np.sort(foreign)[min(n_impure, len(foreign) - 1)]))
    return np.nextafter(radius, 0) if radius > 0 else np.finfo(float).tiny
