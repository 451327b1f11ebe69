"""How fast is a batch without near-duplicates? Against plain loops of numpy.

    python -m benchmarks.near_duplicates N PICKS

The loop over bits needs NumPy 2.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

from benchmarks.contenders import show
from benchmarks.selection import best_of, once
from labelnext.pool import Pool
from labelnext.ranking import rank


def main(n: int, n_picks: int) -> None:
    """Hashes of 64 bits, five copies of each with 1 % of the bits turned; up to 6 are alike."""
    rng = np.random.default_rng(0)
    bits = np.repeat(rng.integers(0, 2, (n // 5, 64)), 5, axis=0)
    bits ^= rng.random(bits.shape) < 0.01
    share = rng.random(n)
    signs = (2 * bits - 1).astype(np.float16)
    pool = Pool(np.arange(n), probabilities=np.stack([share, 1 - share], 1), signatures=signs)
    order = np.argsort(np.abs(2 * share - 1), kind="stable")
    words = np.packbits(bits.astype(np.uint8), axis=1).view(np.uint64).ravel()
    batches = {}

    def ours() -> None:
        ranking = rank(pool, "margin", budget=n_picks, dedupe=0.8)
        batches["labelnext"] = ranking.item_ids.astype(int).tolist()

    def loop(far: Callable[[int], np.ndarray]) -> list[int]:
        left, chosen = np.ones(n, dtype=bool), []
        for item in order.tolist():
            if left[item] and len(chosen) < n_picks:
                chosen.append(item)
                left &= far(item)
        return chosen

    def by_bits() -> None:
        batches["numpy, bits"] = loop(lambda i: np.bitwise_count(words ^ words[i]) > 6)

    def by_cosine() -> None:
        rows = signs.astype(np.float32)
        batches["numpy, cosines"] = loop(lambda i: rows @ rows[i] < 0.8 * 64)

    seconds = best_of(3, {"labelnext": ours}) | {
        "numpy, bits": once(by_bits),
        "numpy, cosines": once(by_cosine),
    }
    show(f"near-duplicates, n = {n:,}, k = {n_picks}", seconds, [])
    print(f"  the same batch: {len({tuple(batch) for batch in batches.values()}) == 1}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
