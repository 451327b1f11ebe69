"""Which number columns of a table hold the scores of its classes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext_adapters.files.tables.table_options import TableOptions
from labelnext_adapters.files.tables.vectors import ROUNDED

_TELLING = 3  # rows; fewer may sum to 1 by chance
_WIDEST = 60  # columns in which runs are looked for


def are_scores(values: NDArray[Any], options: TableOptions) -> bool:
    """Whether rows of numbers look like class scores."""
    whole = values[~np.isnan(values).any(axis=1)]
    if not len(whole):
        return False
    if options.logits is not None:
        return True
    top = 100.0 if options.scale == "percent" else 1.0
    inside = (whole >= 0).all() and (whole <= top).all()
    if options.multilabel:
        return bool(inside)
    sums = whole.sum(axis=1)
    exact = np.abs(sums - top) <= ROUNDED * top
    percent = np.abs(sums - 100) <= 100 * ROUNDED  # said so, with the cure, when it is read
    return bool(np.mean(exact) >= 0.9 or np.mean(percent) >= 0.9)


def run_of_scores(values: NDArray[Any], options: TableOptions) -> list[bool] | None:
    """Which columns stand side by side and alone look like class scores; None unless one run does.

    Others may be a fold or a loss. A few rows may sum to 1 by chance.
    """
    n = values.shape[1]
    if len(values) < _TELLING or n > _WIDEST or options.multilabel:
        return None
    runs = [
        (start, end)
        for start in range(n)
        for end in range(start + 2, n + 1)
        if are_scores(values[:, start:end], options) and (values[:, start:end] % 1 > 0).any(0).all()
    ]
    return [runs[0][0] <= at < runs[0][1] for at in range(n)] if len(runs) == 1 else None


def common_prefix(names: Sequence[str]) -> str:
    """What all names begin with, up to a separator."""
    words = re.match(r"[A-Za-z]+[_\-. ]", names[0])
    prefix = words[0] if words else ""
    return prefix if all(name.startswith(prefix) for name in names) else ""
