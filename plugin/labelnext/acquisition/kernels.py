"""Uncertainty formulas on a block of rows, and block-wise processing of large arrays.

Blocks fit in the processor's cache, so a score costs little more than reading the array once, and
temporaries stay small. A compiled loop scores them where there is one; the rest of this module is
for numpy alone. It is slow at one number for each short row, so short rows are turned: then each
class is one long row, and everything goes by whole classes. In both forms the order of a sum's
terms depends on the number of classes alone: a row's score doesn't depend on where it is.

Maxima are taken over bit patterns: for non-negative floats these sort like the numbers, with NaN on
top, and integer comparisons are the fastest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.checks import distributions
from labelnext.support import loops
from labelnext.support.threads import in_parts

Rows = NDArray[np.floating]
Bits = NDArray[np.unsignedinteger]

_BLOCK = 2**19  # bytes; with smaller blocks, two threads wait for each other (measured)
_CALL = 2**24  # bytes for a call of the compiled loop, which has no temporaries
_THREAD = 2**22  # bytes worth a thread (measured)
_SHORT = 24  # rows of fewer classes are turned (measured)
_SUM_NOISE = 0.9e-5  # rows further from 1 go to `distributions`, which divides from 1e-5 on


class Block:
    """A block of rows with cached results of one pass over them.

    Args:
        rows: shape (n_rows, n_classes); neither negative nor −0.0. They are copied.

    Attributes:
        values: in C order; shape (n_classes, n_rows) for short rows, else (n_rows, n_classes).
        axis: the axis of the classes.
    """

    def __init__(self, rows: Rows) -> None:
        dtype = float_type(rows)
        self.axis = 0 if rows.shape[1] < _SHORT else 1
        self.values = np.ascontiguousarray(rows if self.axis else rows.T, dtype)

    @property
    def clean(self) -> bool:
        """Whether the rows need no clamping, division or error; false with NaN."""
        if not self.values.size:
            return True
        noise = self.values.dtype.type(_SUM_NOISE)
        highest = bits_of(np.array(1 + noise))[()]  # negative values and NaN are higher
        if (self.largest if self.axis else bits_of(self.values)).max() > highest:
            return False
        sums = self.sums(self.values)
        return bool(sums.min() >= 1 - noise and sums.max() <= 1 + noise)

    @cached_property
    def largest(self) -> Bits:
        """Bit pattern of each row's largest value, shape (n_rows,)."""
        largest: Bits = np.maximum.reduce(bits_of(self.values), axis=self.axis)
        return largest

    def sums(self, values: Rows, factors: Rows | None = None) -> Rows:
        """The sum of each row of values, or of its products with the factors, shape (n_rows,)."""
        if self.axis:
            arrays = [values] if factors is None else [values, factors]
            sums: Rows = np.einsum(",".join(["ij"] * len(arrays)) + "->i", *arrays)
            return sums
        terms = values if factors is None else values * factors
        while len(terms) > 1:  # not `sum`, which adds in another order if there is one row
            half = len(terms) // 2
            odd = terms[2 * half :]
            terms = terms[:half] + terms[half : 2 * half]
            if len(odd):
                terms[:1] += odd
        total: Rows = terms[0]
        return total


def score_rows(rows: Rows, names: Iterable[str], *, check: bool) -> dict[str, Rows]:
    """Several scores of the rows, from one pass over them.

    Args:
        rows: shape (n_items, n_classes); neither negative nor −0.0.
        names: of `FORMULAS`.
        check: apply the rules of `distributions` to each block; unnecessary if the rows already
            passed or follow other rules.

    Returns:
        Arrays of shape (n_items,) by name, NaN for rows with NaN.

    Raises:
        InvalidInput: if a row is not a distribution.
    """
    n_items, n_classes = rows.shape
    dtype = float_type(rows)
    block = _CALL if loops.compiled() else _BLOCK
    step = max(1, block // (n_classes * dtype.itemsize))
    results: dict[str, Rows] = {name: np.empty(n_items, dtype) for name in names}

    def score(first: int, last: int) -> None:
        for start in range(first, last, step):
            part = slice(start, min(start + step, last))
            here = {name: result[part] for name, result in results.items()}
            if not _score_block(rows[part], here, check=check):
                _score_block(_distributions(rows, part), here, check=False)

    in_parts(n_items, score, least=_THREAD // max(1, n_classes * dtype.itemsize))
    return results


def _score_block(rows: Rows, results: Mapping[str, Rows], *, check: bool) -> bool:
    """Write the scores of a block; false if its rows have to pass `distributions` first."""
    if loops.compiled():
        clean = loops.uncertainties(np.ascontiguousarray(rows, float_type(rows)), results)
        return clean or not check
    block = Block(rows)
    if check and not block.clean:
        return False
    for name, result in results.items():
        FORMULAS[name](block, result)
    return True


def float_type(values: Rows) -> np.dtype[np.floating]:
    """The type for calculations: float32 for itself, float64 for every other."""
    return np.dtype(np.float32 if values.dtype.itemsize == 4 else np.float64)


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
    bits = bits_of(block.values)
    second = _second_of_long(bits) if block.axis else _second_of_short(bits)
    np.subtract(block.largest.view(scores.dtype), second.view(scores.dtype), out=scores)


def variance_of(block: Block, scores: Rows) -> None:
    """Population variance across the classes."""
    n_classes = scores.dtype.type(block.values.shape[block.axis])
    means = block.sums(block.values) / n_classes
    deviations = block.values - np.expand_dims(means, block.axis)
    np.divide(block.sums(deviations, deviations), n_classes, out=scores)


def entropy_of(block: Block, scores: Rows) -> None:
    """−Σ p ln p in nats, with 0 · ln 0 = 0."""
    logs = block.values + np.finfo(block.values.dtype).tiny  # of 0, a finite logarithm
    np.log(logs, out=logs)  # in place, where it is fast on every processor
    nats = block.sums(block.values, logs)
    np.subtract(0, nats, out=scores)
    scores[nats >= 0] = 0  # neither −0.0 nor less; NaN stays


#: Each writes the scores of a block to an array of shape (n_rows,).
FORMULAS: dict[str, Callable[[Block, Rows], None]] = {
    "least_confidence": least_confidence_of,
    "margin": margin_of,
    "variance": variance_of,
    "entropy": entropy_of,
}


def _second_of_short(bits: Bits) -> Bits:
    """The second largest of each column, by comparing the two largest of halves; 0 if alone."""
    first, second = bits, np.zeros_like(bits[:1])
    alone = True  # whether the second largest of all columns so far are 0
    while len(first) > 1:
        half = len(first) // 2
        one, other, odd = first[:half], first[half : 2 * half], first[2 * half :]
        first, lesser = np.maximum(one, other), np.minimum(one, other)
        if not alone:
            np.maximum(lesser, second[:half], out=lesser)
            np.maximum(lesser, second[half : 2 * half], out=lesser)
        if len(odd):
            np.maximum(lesser[:1], np.minimum(first[:1], odd), out=lesser[:1])
            np.maximum(first[:1], odd, out=first[:1])
            if not alone:
                np.maximum(lesser[:1], second[2 * half :], out=lesser[:1])
        second, alone = lesser, False
    return second.ravel()


def _second_of_long(bits: Bits) -> Bits:
    """The largest of each row without one of its largest."""
    rest = bits.copy()
    np.put_along_axis(rest, bits.argmax(axis=1)[:, None], 0, axis=1)
    second: Bits = np.maximum.reduce(rest, axis=1)
    return second
