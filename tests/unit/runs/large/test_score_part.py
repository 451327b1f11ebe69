"""What scoring a part keeps beside the scores."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from labelnext.runs.large.score_part import _best


@pytest.mark.parametrize("whole_numbers", [False, True])
@pytest.mark.parametrize("n", [0, 1, 20, 21, 300, 40_000])
def test_best_rows_of_a_part_are_those_of_a_sort(n: int, whole_numbers: bool) -> None:
    rng = np.random.default_rng(n)
    for share_of_nan in (0.0, 0.3, 0.999):
        utilities = rng.choice([-np.inf, 0.0, 1.0, 2.5, np.inf], n)
        utilities[rng.random(n) < share_of_nan] = np.nan
        ids = [f"{'' if whole_numbers else 'i'}{i}" for i in rng.permutation(n)]
        ranked = sorted(
            np.flatnonzero(~np.isnan(utilities)).tolist(),
            key=lambda row: (-utilities[row], int(ids[row]) if whole_numbers else ids[row]),
        )
        found = _best(utilities, pa.array(ids, pa.string()), 20)
        assert {*found.tolist()} == {*ranked[:20]}
        assert len(found) == min(len(ranked), 20)
