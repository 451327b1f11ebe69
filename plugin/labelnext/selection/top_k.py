"""The k items with the best scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def top_k(utilities: NDArray[np.floating], budget: int | None = None) -> NDArray[np.intp]:
    """Positions of the largest utilities, largest first; equal ones in the order given.

    Args:
        utilities: shape (n_items,), larger is labelled sooner; ±inf is allowed, NaN is not.
        budget: how many; all when None or larger than the pool.

    Returns:
        Shape (min(budget, n_items),).

    Example:
        >>> import numpy as np
        >>> top_k(np.array([0.1, 0.9, 0.9]), 2).tolist()
        [1, 2]
    """
    return np.argsort(-np.asarray(utilities), kind="stable")[:budget]
