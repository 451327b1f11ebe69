"""Expected cost of labelling an item, from its predicted boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelnext.acquisition.objects import object_statistics
from labelnext.errors import InvalidInput
from labelnext.pool.objects import Objects


def expected_costs(
    objects: Objects, *, cut: float = 0.3, per_item: float = 1.0, per_object: float = 1.0
) -> NDArray[np.float64]:
    """Expected labelling cost: a fixed cost per item plus a cost per expected box.

    Any unit works: with seconds, such as per_item=5 and per_object=7, the budget is in seconds.

    Args:
        objects: predicted objects.
        cut: objects with at least this confidence are expected to be real.
        per_item: cost of opening an item, above 0.
        per_object: cost of checking or drawing an object, at least 0.

    Returns:
        Shape (n_items,), for `Pool.costs`.

    Raises:
        InvalidInput: if `cut` is outside [0, 1] or a price is out of range.

    Example:
        >>> expected_costs(Objects([0, 3, 3], [0.9, 0.4, 0.1])).tolist()
        [3.0, 1.0]
    """
    if not per_item > 0 or not per_object >= 0:
        raise InvalidInput(
            "per_item must be above 0 and per_object not negative; "
            f"got {per_item!r} and {per_object!r}."
        )
    counts = object_statistics(objects, floor=cut).count.astype(np.float64)
    return per_item + per_object * counts
