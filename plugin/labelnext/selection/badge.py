"""BADGE: k-means++ on the gradients of the items' own predicted labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelnext.selection.vectors import Array, Points, as_points, one_blas_thread, squared_lengths
from labelnext.support.annotations import NaturalNumber, Seed
from labelnext.support.signatures import checked

_PROPOSALS = 256  # drawn together, so one matrix product serves them all


@checked
def badge(
    probabilities: NDArray[np.floating],
    embeddings: Array | Points,
    budget: NaturalNumber | None = None,
    *,
    seed: Seed = 0,
) -> NDArray[np.intp]:
    """Positions in the order of BADGE: items that are uncertain and differ from each other.

    An item's gradient embedding is the outer product of p − onehot(argmax p) and its embedding.
    The longest one comes first; each further pick is drawn with a probability proportional to the
    squared distance to the nearest pick, as in k-means++. The outer products are never formed.
    Draws use older, larger weights and are accepted at the ratio of the true weight, so the
    distribution stays exact.

    Args:
        probabilities: shape (n_items, n_classes), of the current model.
        embeddings: shape (n_items, n_dimensions), finite; ideally its penultimate features.
        budget: how many; all when None or larger than the pool.
        seed: of the draws.

    Returns:
        Shape (min(budget, n_items),).

    Raises:
        InvalidInput: if an embedding is not finite.

    References:
        Ash et al. (2020), Deep batch active learning by diverse, uncertain gradient lower bounds.

    Example:
        >>> import numpy as np
        >>> unsure, sure = [0.5, 0.5], [0.99, 0.01]
        >>> badge(np.array([sure, unsure, sure]), np.array([[1.0], [1.0], [1.1]]), 1).tolist()
        [1]
    """
    points = as_points(embeddings)
    n_picks = len(points) if budget is None else min(budget, len(points))
    if n_picks == 0:
        return np.empty(0, dtype=np.intp)
    gradients = _Gradients(probabilities, points)
    with one_blas_thread():
        picks = _sampled(gradients, n_picks, np.random.default_rng(seed))
    rest = np.setdiff1d(np.arange(len(points)), picks, assume_unique=True)
    rest = rest[np.argsort(-gradients.squared_lengths[rest], kind="stable")]
    order: NDArray[np.intp] = np.concatenate([np.array(picks, dtype=np.intp), rest])
    return order[:n_picks]


def _sampled(gradients: _Gradients, n_picks: int, rng: np.random.Generator) -> list[int]:
    """The longest gradient, then draws by squared distance; stops early if all others are equal."""
    picks = [int(gradients.squared_lengths.argmax())]
    weights = np.full(len(gradients.squared_lengths), np.inf)
    gradients.approach(weights, picks)
    while len(picks) < n_picks:
        total = np.cumsum(weights)
        if total[-1] == 0:  # what is left equals a pick
            break
        drawn = np.searchsorted(total, rng.random(_PROPOSALS) * total[-1], side="right")
        new = _accepted(gradients, weights, drawn, rng)[: n_picks - len(picks)]
        gradients.approach(weights, new)
        picks += new
    return picks


class _Gradients:
    """Gradient embeddings as factors: (p − onehot(argmax p)) ⊗ h."""

    def __init__(self, probabilities: NDArray[np.floating], points: Points) -> None:
        self._points = points
        self._residuals = np.array(probabilities, dtype=points.dtype)
        rows = np.arange(len(points))
        self._residuals[rows, self._residuals.argmax(axis=1)] -= 1
        lengths = np.concatenate([*points.each(lambda _, block: squared_lengths(block))])
        self.squared_lengths = squared_lengths(self._residuals) * lengths

    def _partial(
        self, rows: slice | NDArray[np.intp], block: Array, others: NDArray[np.intp], targets: Array
    ) -> Array:
        """Squared distances of the gradients of `rows`, embedded in `block`, to those of `others`.

        |g − g'|² = |a|²|h|² + |a'|²|h'|² − 2 (a·a')(h·h'), without the first term, which doesn't
        affect a minimum over `others`.
        """
        distances: Array = block @ targets.T
        distances *= self._residuals[rows] @ (-2 * self._residuals[others]).T
        distances += self.squared_lengths[others]
        return distances

    def approach(self, weights: NDArray[np.float64], picks: list[int]) -> None:
        """Lower the weights to the squared distances to new picks."""
        if not picks:
            return
        others = np.array(picks, dtype=np.intp)
        targets = self._points[others]

        def lower(rows: slice, block: Array) -> None:
            partial = self._partial(rows, block, others, targets).min(axis=1)
            weights[rows] = np.minimum(weights[rows], self._with_length(rows, partial))

        for _ in self._points.each(lower):
            pass
        weights[others] = 0

    def between(self, items: NDArray[np.intp]) -> Array:
        """Squared distances between some items, shape (n, n)."""
        block = self._points[items]
        return self._with_length(items, self._partial(items, block, items, block).T).T

    def _with_length(self, rows: slice | NDArray[np.intp], partial: Array) -> Array:
        """Add the first term, and set rounding noise of equal gradients to 0."""
        lengths = self.squared_lengths[rows]
        distances: Array = partial + lengths
        distances[distances < 64 * np.finfo(distances.dtype).eps * lengths] = 0
        return distances


def _accepted(
    gradients: _Gradients,
    weights: NDArray[np.float64],
    drawn: NDArray[np.intp],
    rng: np.random.Generator,
) -> list[int]:
    """The accepted proposals, tested in order: each with its true weight over the old one."""
    between = gradients.between(drawn)
    true = weights[drawn].copy()
    chances = rng.random(len(drawn)) * weights[drawn]
    accepted: list[int] = []
    for i, item in enumerate(drawn.tolist()):
        if chances[i] < true[i]:
            accepted.append(item)
            true = np.minimum(true, between[i])
            true[drawn == item] = 0
    return accepted
