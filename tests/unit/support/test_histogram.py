"""Histograms: plain counts, and one bar for values that differ by rounding alone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelnext.support.histogram import histogram

SAME = [sum(p) / 3 for p in itertools.permutations([0.9, 0.8, 0.7])]  # of different last digits


def test_histogram_of_nothing_has_empty_bins() -> None:
    counts, edges = histogram(np.empty(0), 0.0, 1.0, 2)
    assert counts.tolist() == [0, 0]
    assert edges.tolist() == [0.0, 0.5, 1.0]


def test_bins_exclude_their_upper_end_but_the_last() -> None:
    counts, _ = histogram(np.array([0.0, 0.5, 1.0, 2.0]), 0.0, 2.0, 4)
    assert counts.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("n_bins", [30, 3000])
@pytest.mark.parametrize("unit", [1.0, -1.0, 1e-300, 5e-324, 1e11, 1e300, -1e300, 0.0])
def test_values_that_differ_by_rounding_fill_one_of_thirty_bars(n_bins: int, unit: float) -> None:
    values = np.array(SAME) * unit
    counts, edges = histogram(values, values.min(), values.max(), n_bins)
    bars = counts.reshape(30, -1).sum(axis=1)
    assert sorted(bars.tolist())[-1] == len(SAME)
    assert (np.diff(edges) > 0).all()
    assert edges[0] < values.min()
    assert edges[-1] > values.max()


@pytest.mark.parametrize("value", [np.finfo(float).max, np.finfo(float).min])
def test_the_largest_number_is_counted_once(value: float) -> None:
    counts, edges = histogram(np.array([value]), value, value, 30)
    assert counts.sum() == 1
    assert (np.diff(edges) > 0).all()


def test_coarse_and_fine_bins_of_close_values_share_their_edges() -> None:
    _, coarse = histogram(np.array(SAME), min(SAME), max(SAME), 30)
    _, fine = histogram(np.array(SAME), min(SAME), max(SAME), 3000)
    assert fine[::100] == pytest.approx(coarse, rel=1e-12)


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
def test_every_finite_value_is_counted_once(values: list[float]) -> None:
    counts, edges = histogram(np.array(values), min(values), max(values), 30)
    assert counts.sum() == len(values)
    assert (np.diff(edges) > 0).all()
