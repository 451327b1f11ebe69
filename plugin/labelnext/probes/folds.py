"""Folds that depend on nothing but the items' ids, their classes and a seed."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

N_FOLDS = 5


def folds_of(
    item_ids: NDArray[np.str_], classes: NDArray[np.integer], seed: int = 0
) -> NDArray[np.int64]:
    """The fold of each item: each class is spread over the folds as evenly as it can be.

    Within a class, a hash of the seed and the id decides, so the order of the items doesn't.

    Args:
        item_ids: shape (n_items,).
        classes: shape (n_items,), class positions.
        seed: another seed, other folds.

    Returns:
        Shape (n_items,), from 0 to 4.

    Example:
        >>> folds = folds_of(np.array(["a", "b", "c", "d"]), np.array([0, 0, 1, 1]))
        >>> sorted(folds.tolist())
        [0, 1, 2, 3]
    """
    hashes = np.array([_hash(seed, item) for item in item_ids.tolist()], dtype=np.uint64)
    order = np.lexsort((item_ids, hashes, classes))
    folds: NDArray[np.int64] = np.empty(len(item_ids), dtype=np.int64)
    folds[order] = np.arange(len(order)) % N_FOLDS
    return folds


def _hash(seed: int, item: str) -> int:
    text = f"{seed}\0{item}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
