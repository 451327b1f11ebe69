from __future__ import annotations

import numpy as np
import pytest

from labelnext.selection.neighbours import ranked_values


@pytest.mark.parametrize("n_columns", [1, 5, 300, 4096])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 1.0])
@pytest.mark.parametrize("kind", ["random", "ties", "ascending", "eighths"])
def test_ranked_values_are_those_of_sorted_rows(n_columns: int, share: float, kind: str) -> None:
    rng = np.random.default_rng(0)
    rows = {
        "random": lambda: rng.random((6, n_columns)),
        "ties": lambda: rng.integers(0, 3, (6, n_columns)).astype(float),
        "ascending": lambda: np.tile(np.arange(n_columns, dtype=float), (6, 1)),
        # the columns that are looked at first are the smallest, so that the bound is too low
        "eighths": lambda: np.tile((np.arange(n_columns) % 8 > 0).astype(float), (6, 1)),
    }[kind]()
    rank = max(1, round(share * n_columns))

    assert ranked_values(rows, rank).tolist() == np.sort(rows, axis=1)[:, rank - 1].tolist()
