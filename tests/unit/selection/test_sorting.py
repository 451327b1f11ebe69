"""The packed order against a stable argsort of the negated values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from labelnext.selection import sorting
from labelnext.selection.sorting import stable_order
from labelnext.support import loops, threads


def oracle(values: np.ndarray) -> list[int]:
    return np.argsort(-values, kind="stable").tolist()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_order_of_nothing_and_of_one(dtype) -> None:
    assert stable_order(np.empty(0, dtype)).tolist() == []
    assert stable_order(np.array([np.nan], dtype)).tolist() == [0]


def test_infinities_zeros_and_nan_stand_where_they_should() -> None:
    values = np.array([np.nan, -np.inf, -0.0, 1.0, 0.0, np.inf, -1.0, -np.nan])
    assert stable_order(values).tolist() == [5, 3, 2, 4, 6, 1, 0, 7]
    assert stable_order(values.astype(np.float32)).tolist() == [5, 3, 2, 4, 6, 1, 0, 7]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(deadline=None)
@given(data=st.data())
def test_order_is_that_of_a_stable_argsort(dtype, data: st.DataObject) -> None:
    width = np.dtype(dtype).itemsize * 8
    some = st.floats(width=width) | st.sampled_from([0.0, -0.0, 1.0, np.inf, -np.inf, np.nan])
    values = data.draw(hnp.arrays(dtype, st.integers(0, 60), elements=some))
    assert stable_order(values).tolist() == oracle(values)


def test_float64_that_differ_in_their_last_bits_alone_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    values = 0.5 + rng.integers(0, 5, 3000) * 2.0**-53
    values[::7] = rng.random(len(values[::7]))
    assert stable_order(values).tolist() == oracle(values)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_ties_keep_the_order_given(dtype) -> None:
    values = np.random.default_rng(1).integers(-3, 4, 5000).astype(dtype)
    assert stable_order(values).tolist() == oracle(values)


@pytest.mark.parametrize("values", [[3, 1, 2], [True, False, True]])
def test_other_numbers_are_ordered_too(values: list) -> None:
    expected = sorted(range(3), key=lambda i: -values[i])
    assert stable_order(np.array(values, dtype=np.float64)).tolist() == expected


def test_input_is_left_as_it_is() -> None:
    values = np.array([0.1, -0.0, 0.9])
    stable_order(values)
    assert np.signbit(values).tolist() == [False, True, False]


@pytest.mark.parametrize("n_threads", [1, 3, 7])
def test_order_is_the_same_on_any_number_of_threads(
    n_threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_n_cores", lambda: n_threads)
    monkeypatch.setattr(sorting, "_THREAD", 1)
    monkeypatch.setattr(sorting, "_BLOCK", 1000)
    monkeypatch.setattr(loops, "_THREAD", 1)
    values = np.random.default_rng(2).random(10_001).round(4)
    values[::11] = np.nan
    assert stable_order(values).tolist() == oracle(values)
