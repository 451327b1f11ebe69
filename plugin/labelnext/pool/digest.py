"""What goes into a pool's fingerprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.pool.objects import Objects

_BLOCK = 1 << 20  # bytes that are put in order at once: a second copy of embeddings may not fit


def update(digest: Any, value: object, order: NDArray[np.intp]) -> None:
    """Add a column to a digest, with its rows in the given order.

    Args:
        digest: of hashlib.
        value: an array of rows (or of members of rows), Objects, a mapping of names to these, or
            something with a repr.
        order: positions that sort the items.
    """
    if isinstance(value, Mapping):
        for name in sorted(value):
            digest.update(name.encode())
            update(digest, value[name], order)
    elif isinstance(value, Objects):
        value = value.take(order)
        if value.whole_items:
            digest.update(b"whole_items")
        for f in fields(value):
            part = getattr(value, f.name)
            if isinstance(part, np.ndarray):
                plain = repr(part.tolist()).encode() if part.dtype == object else None
                digest.update(plain or np.ascontiguousarray(part))
    elif isinstance(value, np.ndarray) and value.dtype.kind == "U":
        texts = value.tolist()  # rows of an array would all be as wide as the longest
        digest.update(f"U{(len(order),)}".encode())
        digest.update("\0".join([texts[row] for row in order.tolist()]).encode())
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.dtype.kind}{value.shape}".encode())
        for member in value if value.ndim == 3 else (value,):
            step = max(1, _BLOCK // max(1, member[:1].nbytes))
            for start in range(0, len(order), step):
                digest.update(np.ascontiguousarray(member[order[start : start + step]]))
    else:
        digest.update(repr(value).encode())
