"""Stochastic batches: the best scores after adding noise, for a more varied batch."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labelnext.selection.top_k import top_k
from labelnext.support.annotations import NaturalNumber, NotNegative, Seed
from labelnext.support.signatures import checked

Law = Literal["rank", "power", "softmax"]


@checked
def stochastic(
    utilities: NDArray[np.floating],
    budget: NaturalNumber | None = None,
    *,
    law: Law = "rank",
    beta: NotNegative = 1.0,
    seed: Seed = 0,
) -> NDArray[np.intp]:
    """Positions of a random sample without replacement that favours large utilities.

    An item is drawn with a probability proportional to w^beta, where w is 1/rank (`rank`,
    independent of scale), the utility minus the smallest one (`power`), or e^utility (`softmax`).
    Implemented by adding Gumbel noise to beta · ln w and taking the best.

    Args:
        utilities: shape (n_items,), larger is labelled sooner; +inf comes first, −inf last.
        budget: how many; all when None or larger than the pool.
        law: rank, power or softmax.
        beta: at least 0; 0 gives a uniform sample, a large value the plain best.
        seed: of the noise.

    Returns:
        Shape (min(budget, n_items),).

    Raises:
        InvalidInput: for another law, or a negative `beta`.

    References:
        Kirsch et al. (2023), Stochastic batch acquisition; Kool et al. (2019), Gumbel top-k.

    Example:
        >>> import numpy as np
        >>> stochastic(np.array([0.1, 0.9, 0.5]), 2, beta=1000.0).tolist()
        [1, 2]
    """
    values = np.asarray(utilities, dtype=np.float64)
    finite = values[np.isfinite(values)]
    # Equal utilities share their best rank.
    ranks = len(finite) - np.searchsorted(np.sort(finite), values, side="right") + 1
    noise = np.random.default_rng(seed).gumbel(size=len(values))
    least = float(finite.min(initial=np.inf))
    return top_k(disturbed(values, noise, ranks, least, law=law, beta=beta), budget)


@checked
def disturbed(
    utilities: NDArray[np.float64],
    noise: NDArray[np.float64],
    ranks: NDArray[np.int64],
    least: float,
    *,
    law: Law = "rank",
    beta: NotNegative = 1.0,
) -> NDArray[np.float64]:
    """Utilities with noise: noise + beta · ln w.

    Args:
        utilities: shape (n_items,); infinite ones stay as they are.
        noise: shape (n_items,), Gumbel-distributed.
        ranks: shape (n_items,), among the finite utilities of the whole pool; equal utilities
            share the best rank, infinite ones may have any.
        least: smallest finite utility of the whole pool.
        law: as for `stochastic`.
        beta: as for `stochastic`.

    Raises:
        InvalidInput: for another law, or a negative `beta`.

    Example:
        >>> values, none = np.array([0.5, 0.25]), np.zeros(2)
        >>> disturbed(values, none, np.array([1, 2]), 0.25).round(4).tolist()  # −ln of the rank
        [0.0, -0.6931]
    """
    finite = np.isfinite(utilities)
    keys = utilities.copy()
    keys[finite] = noise[finite]
    if beta > 0:
        keys[finite] += beta * _log_weights(utilities[finite], ranks[finite], least, law)
    return keys


def _log_weights(
    values: NDArray[np.float64], ranks: NDArray[np.int64], least: float, law: Law
) -> NDArray[np.float64]:
    if law == "softmax":
        return values
    if law == "power":
        above = values - least
        weights = np.full(len(values), -np.inf)
        np.log(above, out=weights, where=above > 0)
        return weights
    return -np.log(ranks)
