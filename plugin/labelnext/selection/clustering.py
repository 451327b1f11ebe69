"""k-means for the selection methods."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.selection.vectors import Array, Points, one_blas_thread, origin_of, squared_lengths

_PER_CLUSTER = 40  # sample points per cluster: ten more cost time and gain nothing
_LEAST = 4096  # no sampling up to this many points
_STARTERS = 20  # points per cluster that the start is drawn from, at least 2,048 in total
_ROUNDS = 40  # of Lloyd's algorithm on the sample: 10 lose 2 % in few dimensions


def k_means(
    points: Array | Points, n_clusters: int, *, seed: int = 0
) -> tuple[NDArray[np.floating], NDArray[np.intp]]:
    """Centres and labels of a k-means clustering, deterministic for given points and seed.

    Large inputs are sampled: Lloyd's algorithm runs on the sample from a greedy k-means++ start.
    Then two passes over all points, in blocks, move each centre to the mean of its nearest points
    and assign every point to its nearest centre. The inertia is within about 1 % of full
    convergence on all points.

    Args:
        points: shape (n_points, n_dimensions), finite; at least one.
        n_clusters: at least 1; reduced to the number of points.
        seed: of the sample and the start.

    Returns:
        Centres, shape (min(n_clusters, n_points), n_dimensions), and the label of each point,
        shape (n_points,). With fewer distinct points than clusters, some clusters are empty.

    Raises:
        InvalidInput: if there are no points, or `n_clusters` is below 1.

    References:
        Lloyd (1982); Arthur and Vassilvitskii, k-means++ (2007).

    Example:
        >>> import numpy as np
        >>> centers, labels = k_means(np.array([[0.0], [2.0], [8.0], [10.0]]), 2)
        >>> sorted(centers.ravel().tolist())
        [1.0, 9.0]
    """
    n_points = len(points)
    if n_points == 0:
        raise InvalidInput("points must hold at least one row; got none.")
    if n_clusters < 1:
        raise InvalidInput(f"n_clusters must be at least 1; got {n_clusters!r}.")
    read = points if isinstance(points, Points) else Points(np.asarray(points))
    n_sample = max(_LEAST, _PER_CLUSTER * n_clusters)
    if n_points <= n_sample:
        return _lloyd(read[:], min(n_clusters, n_points), 300, seed)
    chosen = np.random.default_rng(seed).choice(n_points, n_sample, replace=False)
    centers, _ = _lloyd(read[np.sort(chosen)], n_clusters, _ROUNDS, seed)
    centers, _ = _round(read, centers)
    return centers, _round(read, centers)[1]


def _lloyd(
    points: Array, n_clusters: int, rounds: int, seed: int
) -> tuple[Array, NDArray[np.intp]]:
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # fewer distinct points than clusters, or not converged
        warnings.simplefilter("ignore", ConvergenceWarning)
        start = _start(points, n_clusters, seed)
        model = KMeans(n_clusters, init=start, n_init=1, max_iter=rounds).fit(points)
    return model.cluster_centers_, model.labels_.astype(np.intp)


def _start(points: Array, n_clusters: int, seed: int) -> Array:
    """Centres by greedy k-means++: the best of a few points drawn by squared distance.

    scikit-learn's version spends most of its time converting float32 to float64 at every step.
    """
    points = points[:: max(1, len(points) // max(_LEAST // 2, _STARTERS * n_clusters))]
    rng = np.random.default_rng(seed)
    n_trials = 2 + int(np.log(n_clusters))
    shifted = points - origin_of(points)  # centring keeps rounding errors small
    lengths = squared_lengths(shifted)
    chosen = rng.integers(len(points), size=1).tolist()
    with one_blas_thread():
        nearest = _distances(shifted, lengths, np.array(chosen))[0]
        while len(chosen) < n_clusters:
            sums = np.cumsum(nearest, dtype=np.float64)
            trials = np.searchsorted(sums, sums[-1] * rng.random(n_trials), side="right")
            trials = np.minimum(trials, len(points) - 1)  # where all distances are 0
            candidates = np.minimum(_distances(shifted, lengths, trials), nearest)
            best = int(candidates.sum(axis=1).argmin())
            nearest = candidates[best]
            chosen.append(int(trials[best]))
    start: Array = points[chosen]
    return start


def _distances(points: Array, lengths: Array, rows: NDArray[np.intp]) -> Array:
    """Squared distances from some of the points to all, shape (n_rows, n_points)."""
    distances: Array = points[rows] @ points.T
    distances *= -2
    distances += lengths
    distances += lengths[rows][:, None]
    return np.maximum(distances, 0, out=distances)


def _round(points: Points, centers: Array) -> tuple[Array, NDArray[np.intp]]:
    """The mean of each centre's nearest points, and each point's centre; empty centres stay."""
    from scipy.sparse import csr_array

    # The nearest centre maximises x·c − |c|²/2; centring keeps rounding errors small.
    middle = origin_of(centers)[0]
    shifted = centers - middle
    half = np.einsum("ij,ij->i", shifted, shifted) / 2
    n_clusters = len(centers)
    labels: NDArray[np.intp] = np.empty(len(points), dtype=np.intp)

    def assign(rows: slice, block: Array) -> Array:
        """Label a block; return the sum of each cluster's points."""
        block = block - middle
        closeness = block @ shifted.T
        closeness -= half
        nearest = closeness.argmax(axis=1)
        labels[rows] = nearest
        members = np.ones(len(nearest), dtype=block.dtype), (nearest, np.arange(len(nearest)))
        summed: Array = csr_array(members, shape=(n_clusters, len(nearest))) @ block
        return summed

    sums = np.zeros(centers.shape)
    with one_blas_thread():
        for part in points.each(assign):
            sums += part
    counts = np.bincount(labels, minlength=n_clusters)[:, None]
    means = np.where(counts > 0, sums / np.maximum(counts, 1), shifted) + middle
    return means.astype(centers.dtype), labels
