"""Fast stable sorting of many values, largest first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelnext.support import loops
from labelnext.support.threads import in_parts

_BLOCK = 2**16  # values that are packed at once; they stay in the cache
_THREAD = 2**20  # values that are worth a thread to pack


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
    values = np.asarray(values)
    n = len(values)
    taken = max(n - 1, 1).bit_length()  # low bits that hold the position
    order = np.empty(n, dtype=np.int64)

    def pack(start: int, stop: int) -> None:
        for first in range(start, stop, _BLOCK):
            part = slice(first, min(first + _BLOCK, stop))
            packed = _keys(values[part])
            packed >>= taken
            packed <<= taken
            packed |= np.arange(part.start, part.stop)
            order[part] = packed

    in_parts(n, pack, least=_THREAD)
    loops.sort(order)
    unsure = _unsure(order, taken) if values.dtype.itemsize > 4 else order[:0]
    order &= (1 << taken) - 1
    for start in range(0, len(unsure) - 1, _BLOCK):
        exact = _keys(values[order[unsure[start : start + _BLOCK + 1]]])
        if (exact[1:] < exact[:-1]).any():  # not if they are ties
            positions = order[unsure]
            order[unsure] = positions[np.argsort(_keys(values[positions]), kind="stable")]
            break
    return order


def _unsure(packed: NDArray[np.int64], taken: int) -> NDArray[np.intp]:
    """Places of those whose bits without the position are a neighbour's, too."""
    unsure = np.zeros(len(packed), dtype=bool)
    for start in range(0, len(packed) - 1, _BLOCK):
        keys = packed[start : start + _BLOCK + 1] >> taken
        alike = keys[1:] == keys[:-1]
        unsure[start : start + len(alike)] |= alike
        unsure[start + 1 : start + 1 + len(alike)] |= alike
    return np.flatnonzero(unsure)


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
