"""What goes into a pool's fingerprint."""

from __future__ import annotations

import hashlib
import tracemalloc

import numpy as np
import pytest

from labelnext.pool.digest import update


@pytest.mark.parametrize("shape", [(0, 3), (5,), (5, 3), (2, 5, 3), (9, 70_000), (2, 9, 70_000)])
def test_rows_are_taken_in_order_whatever_the_blocks_are(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    axis = 1 if len(shape) == 3 else 0
    order = np.random.default_rng(1).permutation(shape[axis])
    digest = hashlib.sha256()
    update(digest, values, order)
    whole = f"f{shape}".encode() + values.take(order, axis=axis).tobytes()
    assert digest.hexdigest() == hashlib.sha256(whole).hexdigest()


def test_a_digest_of_embeddings_makes_no_copy_of_them() -> None:
    values = np.ones((20_000, 512), dtype=np.float32)
    tracemalloc.start()
    update(hashlib.sha256(), values, np.arange(len(values)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < values.nbytes / 10
