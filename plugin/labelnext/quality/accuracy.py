"""How often predictions name the class that people gave, or how far numbers are off."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import numpy as np

from labelnext.pool.pool import Pool
from labelnext.support.words import counted

_HARDER = "Items that were chosen as uncertain are harder than the rest."
_Z = 1.959963984540054  # 97.5 % of a normal distribution


@dataclass(frozen=True)
class Accuracy:
    """Share of labelled items that are predicted as they were labelled.

    Attributes:
        share: in [0, 1].
        labels: number of items that have a label and a predicted class.
        low: lower end of the 95 % interval.
        high: upper end.
        out_of_fold: whether each item was predicted by a probe that hadn't seen its label.
    """

    share: float
    labels: int
    low: float
    high: float
    out_of_fold: bool

    def sentence(self) -> str:
        """All of it in words."""
        what = "is predicted as it was" if self.labels == 1 else "are predicted as they were"
        of = f"{100 * self.share:.1f}% of {counted(self.labels, 'labelled item')} {what} labelled"
        said = f"{of} ({100 * self.low:.1f} to {100 * self.high:.1f})"
        if self.out_of_fold:
            return f"{said}, each without its own label. {_HARDER}"
        them = "it" if self.labels == 1 else "them"
        return f"{said}; it counts only if the model didn't learn from {them}. {_HARDER}"


@dataclass(frozen=True)
class Error:
    """How far predicted numbers are from those that people gave.

    Attributes:
        rmse: square root of the mean squared error, in the unit of the numbers.
        mae: mean absolute error, likewise.
        deviation: standard deviation of the labels: the RMSE of always naming their mean.
        labels: number of items that have both numbers.
        out_of_fold: as of `Accuracy`.
    """

    rmse: float
    mae: float
    deviation: float
    labels: int
    out_of_fold: bool

    def sentence(self) -> str:
        """All of it in words."""
        said = (
            f"RMSE {self.rmse:.3g} of the numbers of {self.labels:,} labelled items "
            f"({self.deviation:.3g} if always their mean were named), mean absolute error "
            f"{self.mae:.3g}"
        )
        if self.out_of_fold:
            return f"{said}, each without its own label."
        return f"{said}; it counts only if the model didn't learn from them."


def error_of(pool: Pool, *, out_of_fold: bool) -> Error | None:
    """How far the estimates of a pool are from its numbers; None without an item that has both.

    Args:
        pool: the items.
        out_of_fold: whether labelled items were predicted without their labels.

    Example:
        >>> error = error_of(
        ...     Pool("abc", numbers=[1, 5, np.nan], estimates=[4, 1, 2]), out_of_fold=True
        ... )
        >>> round(error.rmse, 3), error.mae, error.deviation, error.labels
        (3.536, 3.5, 2.0, 2)
    """
    if pool.numbers is None or pool.estimates is None:
        return None
    both = ~np.isnan(pool.numbers) & ~np.isnan(pool.estimates)
    if not both.any():
        return None
    given = pool.numbers[both]
    off = pool.estimates[both] - given
    rmse, mae = sqrt(float(np.mean(off**2))), float(np.mean(np.abs(off)))
    return Error(rmse, mae, float(given.std()), int(both.sum()), out_of_fold)


class Hits(NamedTuple):
    """How many items were predicted as they were labelled.

    Attributes:
        right: how many.
        judged: of how many that have a label and a predicted class.
    """

    right: int
    judged: int


def hits(pool: Pool) -> Hits:
    """How many items of a pool are predicted as they were labelled.

    Example:
        >>> rows = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]]
        >>> hits(Pool("abcd", probabilities=rows, labels=[0, 1, 1, -1]))
        Hits(right=2, judged=3)
    """
    if pool.labels is None:
        return Hits(0, 0)
    judged = (pool.labels >= 0) & (pool.predicted_classes >= 0) & ~pool.missing
    right = (pool.labels == pool.predicted_classes) & judged
    return Hits(int(right.sum()), int(judged.sum()))


def accuracy_of(found: Hits, *, out_of_fold: bool) -> Accuracy | None:
    """The share of hits with its interval; None without any item.

    Args:
        found: the counts.
        out_of_fold: whether labelled items were predicted without their labels.
    """
    right, n = found
    return Accuracy(right / n, n, *wilson(right, n), out_of_fold) if n else None


def wilson(right: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share.

    Args:
        right: how many.
        n: of how many, at least 1.

    Returns:
        Its ends, in [0, 1].

    References:
        Wilson, Probable Inference, the Law of Succession, and Statistical Inference (1927).

    Example:
        >>> low, high = wilson(8, 10)
        >>> round(low, 3), round(high, 3)
        (0.49, 0.943)
    """
    share, square = right / n, _Z * _Z
    middle = share + square / (2 * n)
    half = _Z * sqrt(share * (1 - share) / n + square / (4 * n * n))
    whole = 1 + square / n
    return max((middle - half) / whole, 0.0), min((middle + half) / whole, 1.0)
