"""Uncertainty formulas on a block of rows, and block-wise processing of large arrays.

Blocks fit in the processor's cache, so a score costs little more than reading the array once, and
temporaries stay small. Per-row results over short rows are slow in numpy, so they are compiled. One
thread nearly reaches memory speed; a second one gained nothing.

Maxima are taken over bit patterns: for non-negative floats these sort like the numbers, with NaN on
top, and integer comparisons vectorise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.checks import distributions
from labelnext.support.compiled import compiled, read_only

Rows = NDArray[np.floating]
Bits = NDArray[np.unsignedinteger]

_BLOCK = 2**20  # bytes, about an L2 cache; smaller blocks cost more calls (measured)
_SUM_NOISE = 0.9e-5  # rows further from 1 go to `distributions`, which divides from 1e-5 on
_LOG2_OF_ZERO = -1100  # below log2 of every positive float64; times 0 it gives 0, like the limit


class Block:
    """A block of rows with cached results of one pass over them.

    Args:
        rows: shape (n_rows, n_classes), C order; neither negative nor −0.0.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows = read_only(rows)

    @property
    def clean(self) -> bool:
        """Whether the rows need no clamping, division or error; false with NaN."""
        return self._seen[0]

    @property
    def largest(self) -> Bits:
        """Bit pattern of each row's largest value, shape (n_rows,)."""
        return self._seen[1]

    @cached_property
    def _seen(self) -> tuple[bool, Bits]:
        bits = bits_of(self.rows)
        largest = np.empty(len(bits), dtype=bits.dtype)
        noise = np.array(_SUM_NOISE, dtype=self.rows.dtype)
        limits = noise[()], bits_of(1 + noise)[()]  # negative values and NaN are higher
        return bool(compiled(_look, reorder=True)(self.rows, bits, *limits, largest)), largest


#: Writes the scores of a block to an array of shape (n_rows,).
Kernel = Callable[[Block, Rows], None]


def score_rows(rows: Rows, kernels: Sequence[Kernel], *, check: bool) -> list[Rows]:
    """The scores of each kernel, from one pass over the rows.

    Args:
        rows: shape (n_items, n_classes); neither negative nor −0.0.
        kernels: one per result.
        check: apply the rules of `distributions` to each block; unnecessary if the rows already
            passed or follow other rules.

    Returns:
        One array of shape (n_items,) per kernel, NaN for rows with NaN.

    Raises:
        InvalidInput: if a row is not a distribution.
    """
    n_items, n_classes = rows.shape
    dtype = np.dtype(np.float32 if rows.dtype.itemsize == 4 else np.float64)
    step = max(1, _BLOCK // (n_classes * dtype.itemsize))
    results: list[Rows] = [np.empty(n_items, dtype=dtype) for _ in kernels]
    for start in range(0, n_items, step):
        part = slice(start, start + step)
        block = Block(np.ascontiguousarray(rows[part], dtype))
        if check and not block.clean:
            block = Block(np.ascontiguousarray(_distributions(rows, part), dtype))
        for result, kernel in zip(results, kernels, strict=True):
            kernel(block, result[part])
    return results


def bits_of(values: Rows) -> Bits:
    """The same memory as unsigned integers."""
    bits: Bits = values.view(f"u{values.itemsize}")
    return bits


def _distributions(rows: Rows, part: slice) -> Rows:
    try:
        return distributions(rows[part])[0]
    except InvalidInput:
        distributions(rows)  # names all bad rows, by their position in the whole array
        raise


def least_confidence_of(block: Block, scores: Rows) -> None:
    """1 − max p."""
    np.subtract(1, np.minimum(block.largest.view(scores.dtype), 1), out=scores)


def margin_of(block: Block, scores: Rows) -> None:
    """p1 − p2; p2 is 0 with a single class."""
    second = np.empty_like(scores)
    bits = bits_of(block.rows)
    compiled(_second_largest, reorder=True)(bits, block.largest, bits_of(second))
    np.subtract(block.largest.view(scores.dtype), second, out=scores)


def variance_of(block: Block, scores: Rows) -> None:
    """Population variance across the classes."""
    compiled(_variances, reorder=True)(block.rows, scores)


def entropy_of(block: Block, scores: Rows) -> None:
    """−Σ p ln p in nats, with 0 · ln 0 = 0.

    Uses log2, which is fast between two arrays; log is only fast in place.
    """
    entropies = compiled(_entropies, reorder=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log2(block.rows)
        entropies(block.rows, logs, scores)
        if np.isnan(scores).any():  # 0 · −∞, too rare to guard against every time
            np.maximum(logs, logs.dtype.type(_LOG2_OF_ZERO), out=logs)
            entropies(block.rows, logs, scores)


def _look(rows: Any, bits: Any, noise: Any, highest: Any, largest: Any) -> Any:
    clean = True
    for i in range(rows.shape[0]):
        excess, most = rows.dtype.type(-1), bits.dtype.type(0)
        for j in range(rows.shape[1]):
            excess += rows[i, j]
            most = max(most, bits[i, j])
        largest[i] = most
        clean &= (most <= highest) & (abs(excess) <= noise)
    return clean


def _second_largest(rows: Any, largest: Any, second: Any) -> None:
    zero = rows.dtype.type(0)
    for i in range(rows.shape[0]):
        most, times, below = largest[i], 0, zero
        for j in range(rows.shape[1]):
            value = rows[i, j]
            times += value == most
            below = max(below, value if value < most else zero)
        second[i] = most if times > 1 else below


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


def _entropies(rows: Any, logs: Any, out: Any) -> None:
    zero, nats_of_bits = rows.dtype.type(0), rows.dtype.type(-0.6931471805599453)
    for i in range(rows.shape[0]):
        total = zero
        for j in range(rows.shape[1]):
            total += rows[i, j] * logs[i, j]
        nats = total * nats_of_bits
        out[i] = zero if nats <= 0 else nats  # no −0.0; NaN stays
