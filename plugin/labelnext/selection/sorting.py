"""Fast stable sorting of many values, largest first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def stable_order(values: NDArray[np.floating]) -> NDArray[np.intp]:
    """Positions of the values, largest first; equal ones in the order given, NaN at the end.

    Each value and its position are packed into one 64-bit integer, so a fast integer sort without
    ties yields the positions. float64 values lose their last bits in packing; where that affects
    the order, it is corrected afterwards.

    Args:
        values: shape (n,), fewer than 2³² of them; ±inf is allowed.

    Returns:
        Shape (n,).

    Example:
        >>> import numpy as np
        >>> stable_order(np.array([0.1, np.nan, 0.9, 0.9])).tolist()
        [2, 3, 0, 1]
    """
    keys = _keys(np.asarray(values))
    n = len(keys)
    taken = max(n - 1, 1).bit_length()  # low bits that hold the position
    packed = keys >> taken
    packed <<= taken
    packed |= np.arange(n)
    packed.sort()
    order: NDArray[np.intp] = packed & ((1 << taken) - 1)
    if values.dtype.itemsize > 4:
        packed >>= taken
        alike = packed[1:] == packed[:-1]
        if alike.any():
            unsure = np.flatnonzero(np.append(alike, False) | np.append(False, alike))
            positions = order[unsure]
            exact = keys[positions]
            if (exact[1:] < exact[:-1]).any():  # not if they are ties
                order[unsure] = positions[np.argsort(exact, kind="stable")]
    return order


def _keys(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """Integers in reverse order of the values; NaN gets the largest."""
    narrow = values.dtype.itemsize <= 4
    negated = np.subtract(0, values, dtype=np.float32 if narrow else np.float64)  # no −0.0
    bits = negated.view(np.int32 if narrow else np.int64)
    top = np.iinfo(bits.dtype).max
    bits ^= (bits >> (8 * bits.itemsize - 1)) & top  # bits of negative floats sort in reverse
    bits[np.isnan(values)] = top
    keys: NDArray[np.int64] = bits.astype(np.int64, copy=False)
    return keys << 32 if narrow else keys
