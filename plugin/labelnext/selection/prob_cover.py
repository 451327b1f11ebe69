"""ProbCover: cover as many items as possible within a radius of labelled or picked items."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelnext.selection.clustering import k_means
from labelnext.selection.kernels import Kernel
from labelnext.selection.neighbours import greedy_cover
from labelnext.selection.vectors import (
    Array,
    Points,
    as_points,
    one_blas_thread,
    origin_of,
    squared_distances,
)
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
    if radius is None:
        with one_blas_thread():
            radius = _pure_radius(points, n_clusters, purity, seed)
    return greedy_cover(
        points, given, Kernel("top_hat", radius * radius), n_picks, who="prob_cover", seed=seed
    )


def _pure_radius(points: Points, n_clusters: int, purity: float, seed: int) -> float:
    """The largest radius at which a share `purity` of the items see only their own cluster."""
    _, labels = k_means(points, n_clusters, seed=seed)
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.choice(len(points), min(_SAMPLE, len(points)), replace=False))
    origin = origin_of(points)
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
