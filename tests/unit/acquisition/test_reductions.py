"""Statistics of segments and the mean of their largest values, by hand and against a loop."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from labelnext.acquisition.reductions import of_equal_length, segment_statistics, segment_top_k


def test_no_segments_have_no_statistics() -> None:
    statistics = segment_statistics(np.empty(0), np.array([0]))
    for name in ("count", "sum", "mean", "min", "max"):
        assert getattr(statistics, name).shape == (0,)
    assert segment_top_k(np.empty(0), np.array([0]), 2, confidences=np.empty(0)).shape == (0,)


def test_empty_segments_stand_between_and_at_the_ends() -> None:
    values, offsets = np.array([0.5, 0.25, 1.0]), np.array([0, 0, 2, 2, 3, 3])
    statistics = segment_statistics(values, offsets)
    inf, nan = np.inf, np.nan
    assert statistics.count.tolist() == [0, 2, 0, 1, 0]
    assert statistics.sum.tolist() == [0, 0.75, 0, 1, 0]
    assert statistics.mean == pytest.approx([nan, 0.375, nan, 1, nan], nan_ok=True)
    assert statistics.min.tolist() == [inf, 0.25, inf, 1, inf]
    assert statistics.max.tolist() == [-inf, 0.5, -inf, 1, -inf]
    top = segment_top_k(values, offsets, 1, confidences=values)
    assert top == pytest.approx([nan, 0.5, nan, 1, nan], nan_ok=True)


def test_values_below_the_floor_are_ignored_and_nan_is_not() -> None:
    values, confidences = np.array([1.0, 2.0, 4.0]), np.array([0.1, 0.9, np.nan])
    statistics = segment_statistics(values, np.array([0, 2, 3]), confidences=confidences, floor=0.5)
    assert statistics.count.tolist() == [1, 1]
    assert statistics.sum.tolist() == [2, 4]


def test_nan_spreads_within_its_segment_and_counts_as_largest() -> None:
    values, offsets = np.array([0.5, np.nan, 0.25]), np.array([0, 2, 3])
    statistics = segment_statistics(values, offsets)
    for name in ("sum", "mean", "min", "max"):
        assert np.isnan(getattr(statistics, name)).tolist() == [True, False]
    top = segment_top_k(values, offsets, 1, confidences=np.ones(3))
    assert np.isnan(top).tolist() == [True, False]


def test_single_precision_is_summed_in_double() -> None:
    values = np.full(3, 0.1, dtype=np.float32)
    expected = 3 * float(np.float32(0.1))
    assert segment_statistics(values, np.array([0, 3])).sum.tolist() == pytest.approx(
        [expected], rel=1e-15
    )


@pytest.mark.parametrize("k", [1, 3, 50])
def test_segments_of_any_length_are_those_of_a_loop(k: int) -> None:
    rng = np.random.default_rng(k)
    offsets = np.concatenate([[0], np.cumsum(rng.poisson(4, 300))])
    values = rng.random(offsets[-1])
    statistics = segment_statistics(values, offsets)
    top = segment_top_k(values, offsets, k, confidences=values)
    for i, (start, stop) in enumerate(pairwise(offsets)):
        if start == stop:
            continue
        part = np.sort(values[start:stop])
        assert statistics.mean[i] == pytest.approx(part.mean(), rel=1e-14)
        assert (statistics.min[i], statistics.max[i]) == (part[0], part[-1])
        assert top[i] == pytest.approx(part[-k:].mean(), rel=1e-14)


def test_segments_of_equal_length_are_split_into_blocks_of_a_few_positions() -> None:
    blocks = [(w.tolist(), at.tolist()) for w, at in of_equal_length(np.arange(6) * 2, block=4)]
    assert blocks == [
        ([0, 1], [[0, 1], [2, 3]]),
        ([2, 3], [[4, 5], [6, 7]]),
        ([4], [[8, 9]]),
    ]
