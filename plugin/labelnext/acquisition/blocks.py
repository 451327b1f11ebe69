"""The formulas of uncertainty on a block of rows, and the walk over a large array in blocks.

What a formula reads and writes between two steps stays in the processor's cache, so that a score
costs little more than reading the array once, and its temporaries a few blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from labelnext.checks import distributions
from labelnext.errors import InvalidInput
from labelnext.threads import in_parts

Rows = NDArray[np.floating]
#: Probabilities of a block, classes first: shape (n_classes, n_block), to scores (n_block,).
Kernel = Callable[[Rows], Rows]

_BLOCK = 2**19  # bytes: with a formula's temporaries it fits a second-level cache of 1 MiB
_SHARE = 8  # blocks of a thread's share: below, starting it takes longer than the work
_WIDE = 64  # classes; up to here laying the items side by side pays for the copy (measured)
_SUM_NOISE = 1e-5  # rows further from 1 are left to `distributions`
_LOG2_OF_ZERO = -1100  # below log2 of every positive float64; times 0 it is 0, as the limit says


def score_rows(rows: Rows, kernels: Sequence[Kernel], *, check: bool) -> list[Rows]:
    """The scores of each kernel, from one walk over the rows.

    Args:
        rows: shape (n_items, n_classes).
        kernels: one for each result.
        check: hold each block to the rules of `distributions`, which it needs not where the rows
            have passed them or follow other rules.

    Returns:
        One array of shape (n_items,) for each kernel, NaN for a row that holds NaN.

    Raises:
        InvalidInput: if a row is no distribution.
    """
    n_items, n_classes = rows.shape
    step = max(1, _BLOCK // (n_classes * rows.itemsize))
    results: list[Rows] = [np.empty(n_items, dtype=rows.dtype) for _ in kernels]

    def walk(first: int, last: int) -> None:
        for start in range(first, last, step):
            part = slice(start, min(start + step, last))
            block = classes_first(rows[part])
            if check and not _clean(block):
                block = classes_first(_distributions(rows, part))
            for result, kernel in zip(results, kernels, strict=True):
                result[part] = kernel(block)[: last - start]

    in_parts(n_items, walk, least=_SHARE * step)
    return results


def classes_first(block: Rows) -> Rows:
    """The block as (n_classes, n_items), so laid out that the longer axis is contiguous.

    A lone item stands there twice: numpy adds one column in another order than several, and a
    row's score would depend, in its last digit, on whether it is alone.
    """
    if block.shape[1] > _WIDE:
        return block.T
    return np.ascontiguousarray((np.repeat(block, 2, axis=0) if len(block) == 1 else block).T)


def _clean(block: Rows) -> bool:
    """Whether nothing is to be clamped, divided, refused or left out; false if there is NaN."""
    error = np.einsum("ij->j", block)
    error -= 1
    return bool(block.min() >= 0 and np.abs(error, out=error).max() <= _SUM_NOISE)


def _distributions(rows: Rows, part: slice) -> Rows:
    try:
        return distributions(rows[part])[0]
    except InvalidInput:
        distributions(rows)  # names all the bad rows, by their place in the whole
        raise


def least_confidence_of(block: Rows) -> Rows:
    """1 − max p."""
    scores: Rows = 1 - np.minimum(block.max(axis=0), 1)
    return scores


def margin_of(block: Rows) -> Rows:
    """p1 − p2, the second being 0 where there is one class."""
    if len(block) > _WIDE:
        rest, item = block.copy(order="K"), np.arange(block.shape[1])
        best = rest.argmax(axis=0)
        first = rest[best, item]
        rest[best, item] = 0
        second = rest.max(axis=0)
    else:
        first, second = block[0].copy(), np.zeros_like(block[0])
        for p in block[1:]:
            np.maximum(second, np.minimum(first, p), out=second)
            np.maximum(first, p, out=first)
    scores: Rows = first - second
    return scores


def variance_of(block: Rows) -> Rows:
    """Population variance across the classes."""
    n_classes = block.dtype.type(len(block))
    deviations = block - np.einsum("ij->j", block) / n_classes
    scores: Rows = np.einsum("ij,ij->j", deviations, deviations) / n_classes
    return scores


def entropy_of(block: Rows) -> Rows:
    """−Σ p ln p in nats, with 0 · ln 0 = 0.

    log2 and not log: log2 runs at full speed from one array into another, log only in place.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log2(block)
        bits = np.einsum("ij,ij->j", block, logs)
        if np.isnan(bits).any():  # 0 · −∞, which is rarer than the time that a guard would take
            np.maximum(logs, block.dtype.type(_LOG2_OF_ZERO), out=logs)
            bits = np.einsum("ij,ij->j", block, logs)
    nats: Rows = np.maximum(bits * block.dtype.type(-np.log(2)), 0)
    return nats + 0.0  # no −0.0
