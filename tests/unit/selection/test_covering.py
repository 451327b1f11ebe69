"""Greedy covering of targets, where some candidates cover none."""

from __future__ import annotations

import numpy as np
import pytest

from labelnext.selection import covering
from labelnext.selection.covering import Kept, all_pairs, maximised, row_sums


def kept_of(rows: list[dict[int, float]]) -> Kept:
    """Candidates with their similarities by target."""
    offsets = np.cumsum([0, *map(len, rows)])
    values = np.array([value for row in rows for value in row.values()], dtype=np.float64)
    return Kept(values, np.array([t for row in rows for t in row], dtype=np.int32), offsets)


def test_no_candidates_are_no_picks() -> None:
    assert maximised(all_pairs(np.empty((0, 2))), np.zeros(2), None).tolist() == []


def test_candidates_without_targets_gain_nothing_and_come_last() -> None:
    kept = kept_of([{}, {0: 0.5}, {}, {1: 1.0, 0: 0.25}, {}])
    assert row_sums(kept).tolist() == [0, 0.5, 0, 1.25, 0]
    assert maximised(kept, np.zeros(2), None).tolist() == [3, 1, 0, 2, 4]


def test_only_what_exceeds_the_cover_is_gained() -> None:
    # Covered are 0.5 and 0.0: the first gains 0.1, the second 0.4, then the first nothing new.
    cover = np.array([0.5, 0.0])
    picks = maximised(kept_of([{0: 0.6}, {0: 0.4, 1: 0.4}]), cover, 1)
    assert picks.tolist() == [1]
    assert cover.tolist() == [0.5, 0.4]


def test_nothing_left_to_gain_goes_by_the_rest() -> None:
    kept = kept_of([{0: 0.5}, {0: 0.5}, {0: 0.5}])
    rest = np.array([0.0, 1.0, 2.0])
    assert maximised(kept, np.zeros(1), None, rest).tolist() == [0, 2, 1]


@pytest.mark.parametrize("block", [1, 7, 1 << 16])
def test_gains_do_not_depend_on_the_block(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(covering, "_BLOCK", block)
    matrix = np.random.default_rng(0).random((40, 9))
    kept, cover = all_pairs(matrix), np.full(9, 0.3)
    each = [float(kept.gains(item, item + 1, cover)[0]) for item in range(40)]
    assert kept.all_gains(cover).tolist() == each
    assert each == pytest.approx(np.maximum(matrix - 0.3, 0).sum(axis=1).tolist())
