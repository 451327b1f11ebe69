"""k-means, as the selection methods use it."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput


def k_means(
    points: NDArray[np.floating], n_clusters: int, *, seed: int = 0
) -> tuple[NDArray[np.floating], NDArray[np.intp]]:
    """Centres and labels of a k-means clustering, the same for the same points and seed.

    Args:
        points: shape (n_points, n_dimensions), finite; at least one.
        n_clusters: at least 1; reduced to the number of points.
        seed: of the start.

    Returns:
        Centres, shape (min(n_clusters, n_points), n_dimensions), and the label of each point,
        shape (n_points,). With fewer distinct points than clusters some clusters are empty.

    Raises:
        InvalidInput: if there is no point, or `n_clusters` is below 1.

    References:
        Lloyd (1982); Arthur and Vassilvitskii, k-means++ (2007).

    Example:
        >>> import numpy as np
        >>> centers, labels = k_means(np.array([[0.0], [2.0], [8.0], [10.0]]), 2)
        >>> sorted(centers.ravel().tolist())
        [1.0, 9.0]
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    if len(points) == 0:
        raise InvalidInput("points must hold at least one row; got none.")
    if n_clusters < 1:
        raise InvalidInput(f"n_clusters must be at least 1; got {n_clusters!r}.")
    k = min(n_clusters, len(points))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct points than clusters
        model = KMeans(n_clusters=k, n_init=1, random_state=seed).fit(points)
    return model.cluster_centers_, model.labels_.astype(np.intp)
