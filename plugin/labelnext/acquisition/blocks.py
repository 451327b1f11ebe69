"""The formulas of uncertainty on a block of rows, and the walk over a large array in blocks.

What a formula reads and writes between two steps stays in the processor's cache, so that a score
costs little more than reading the array once, and its temporaries a few blocks. What numpy does
slowly, a result for each short row, is compiled. One thread comes near the speed of memory, and a
second one gained nothing.

Largest values are sought among the bit patterns: without a sign these have the order of the
numbers they stand for, NaN being above all, and integers are compared several at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.checks import distributions
from labelnext.compiled import compiled, read_only
from labelnext.errors import InvalidInput

Rows = NDArray[np.floating]
#: Probabilities of a block, shape (n_block, n_classes), C order, no sign; and where to put the
#: scores, shape (n_block,).
Kernel = Callable[[Rows, Rows], None]

_BLOCK = 2**20  # bytes: a second-level cache; smaller ones cost more calls (measured)
_SUM_NOISE = 0.9e-5  # rows further from 1 are left to `distributions`, which divides from 1e-5 on
_LOG2_OF_ZERO = -1100  # below log2 of every positive float64; times 0 it is 0, as the limit says


def score_rows(rows: Rows, kernels: Sequence[Kernel], *, check: bool) -> list[Rows]:
    """The scores of each kernel, from one walk over the rows.

    Args:
        rows: shape (n_items, n_classes); none below zero, nor −0.0.
        kernels: one for each result.
        check: hold each block to the rules of `distributions`, which it needs not where the rows
            have passed them or follow other rules.

    Returns:
        One array of shape (n_items,) for each kernel, NaN for a row that holds NaN.

    Raises:
        InvalidInput: if a row is no distribution.
    """
    n_items, n_classes = rows.shape
    dtype = np.dtype(np.float32 if rows.dtype.itemsize == 4 else np.float64)
    step = max(1, _BLOCK // (n_classes * dtype.itemsize))
    results: list[Rows] = [np.empty(n_items, dtype=dtype) for _ in kernels]

    for start in range(0, n_items, step):
        part = slice(start, start + step)
        block = np.ascontiguousarray(rows[part], dtype)
        if check and not _clean(block):
            block = np.ascontiguousarray(_distributions(rows, part), dtype)
        for result, kernel in zip(results, kernels, strict=True):
            kernel(block, result[part])
    return results


def _bits(values: Rows) -> NDArray[np.unsignedinteger]:
    pattern: NDArray[np.unsignedinteger] = values.view(f"u{values.itemsize}")
    return pattern


def _clean(block: Rows) -> bool:
    """Whether nothing is to be clamped, divided, refused or left out; false if there is NaN."""
    noise = np.array(_SUM_NOISE, dtype=block.dtype)
    highest = _bits(1 + noise)[()]  # a sign and NaN are higher
    rows, bits = read_only(block), read_only(_bits(block))
    return bool(compiled(_all_clean, reorder=True)(rows, bits, noise[()], highest))


def _distributions(rows: Rows, part: slice) -> Rows:
    try:
        return distributions(rows[part])[0]
    except InvalidInput:
        distributions(rows)  # names all the bad rows, by their place in the whole
        raise


def least_confidence_of(block: Rows, scores: Rows) -> None:
    """1 − max p."""
    compiled(_largest, reorder=True)(read_only(_bits(block)), _bits(scores))
    np.subtract(1, np.minimum(scores, 1, out=scores), out=scores)


def margin_of(block: Rows, scores: Rows) -> None:
    """p1 − p2, the second being 0 where there is one class."""
    second = np.empty_like(scores)
    compiled(_two_largest, reorder=True)(read_only(_bits(block)), _bits(scores), _bits(second))
    scores -= second


def variance_of(block: Rows, scores: Rows) -> None:
    """Population variance across the classes."""
    compiled(_variances, reorder=True)(read_only(block), scores)


def entropy_of(block: Rows, scores: Rows) -> None:
    """−Σ p ln p in nats, with 0 · ln 0 = 0.

    log2 and not log: log2 runs at full speed from one array into another, log only in place.
    """
    sum_of_products = compiled(_sum_of_products, reorder=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log2(block)
        sum_of_products(read_only(block), logs, scores)
        if np.isnan(scores).any():  # 0 · −∞, which is rarer than the time that a guard would take
            np.maximum(logs, block.dtype.type(_LOG2_OF_ZERO), out=logs)
            sum_of_products(read_only(block), logs, scores)
    scores *= scores.dtype.type(-np.log(2))
    np.maximum(scores, 0, out=scores)
    scores += 0.0  # no −0.0


def _all_clean(rows: Any, bits: Any, noise: Any, highest: Any) -> Any:
    clean = True
    for i in range(rows.shape[0]):
        total, most = rows.dtype.type(0), bits.dtype.type(0)
        for j in range(rows.shape[1]):
            total += rows[i, j]
            most = max(most, bits[i, j])
        clean &= (most <= highest) & (abs(total - 1) <= noise)
    return clean


def _largest(rows: Any, out: Any) -> None:
    for i in range(rows.shape[0]):
        most = rows.dtype.type(0)
        for j in range(rows.shape[1]):
            most = max(most, rows[i, j])
        out[i] = most


def _two_largest(rows: Any, first: Any, second: Any) -> None:
    zero = rows.dtype.type(0)
    for i in range(rows.shape[0]):
        most, times, next_most = zero, 0, zero
        for j in range(rows.shape[1]):
            most = max(most, rows[i, j])
        for j in range(rows.shape[1]):
            value = rows[i, j]
            times += value == most
            next_most = max(next_most, value if value < most else zero)
        first[i], second[i] = most, most if times > 1 else next_most


def _variances(rows: Any, out: Any) -> None:
    zero, n_classes = rows.dtype.type(0), rows.dtype.type(rows.shape[1])
    for i in range(rows.shape[0]):
        total, squares = zero, zero
        for j in range(rows.shape[1]):
            total += rows[i, j]
        mean = total / n_classes
        for j in range(rows.shape[1]):
            deviation = rows[i, j] - mean
            squares += deviation * deviation
        out[i] = squares / n_classes


def _sum_of_products(rows: Any, factors: Any, out: Any) -> None:
    for i in range(rows.shape[0]):
        total = rows.dtype.type(0)
        for j in range(rows.shape[1]):
            total += rows[i, j] * factors[i, j]
        out[i] = total
