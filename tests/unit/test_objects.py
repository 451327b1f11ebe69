"""Mean object confidence and the reductions, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from labelnext.acquisition import mean_object_confidence
from labelnext.acquisition.objects import reduce_objects
from labelnext.errors import InvalidInput, UnknownName
from labelnext.pool import Objects


def test_mean_object_confidence_of_no_items_is_empty() -> None:
    assert mean_object_confidence(Objects([0], [])).shape == (0,)


def test_mean_object_confidence_is_the_mean_of_each_item() -> None:
    scores = mean_object_confidence(Objects([0, 3, 4], [0.9, 0.6, 0.3, 0.2]))
    assert scores == pytest.approx([0.6, 0.2])


def test_item_without_objects_scores_zero_as_in_the_seed() -> None:
    assert mean_object_confidence(Objects([0, 0], [])).tolist() == [0.0]


def test_item_without_objects_scores_one_when_it_comes_last() -> None:
    assert mean_object_confidence(Objects([0, 0], []), no_objects="last").tolist() == [1.0]


def test_one_class_detector_below_one_half_stays_below() -> None:
    # The seed stored [p, 1 − p] and took the maximum: 0.1 became 0.9.
    detector = Objects([0, 1], [0.1], probabilities=[[0.1, 0.9]])
    assert mean_object_confidence(detector) == pytest.approx([0.1])


def test_floor_leaves_out_objects_below_it_and_keeps_those_at_it() -> None:
    objects = Objects([0, 3, 4], [0.9, 0.3, 0.2, 0.1])
    assert mean_object_confidence(objects, floor=0.3) == pytest.approx([0.6, 0.0])


def test_nan_confidence_makes_its_item_nan_whatever_the_floor() -> None:
    scores = mean_object_confidence(Objects([0, 2, 3], [np.nan, 0.5, 0.5]), floor=0.4)
    assert np.isnan(scores[0])
    assert scores[1] == 0.5


@pytest.mark.parametrize("reduce", ["mean", "max", "min", "sum", "mean_top_k"])
def test_reduction_agrees_with_a_loop(reduce: str) -> None:
    rng = np.random.default_rng(3)
    counts = rng.integers(0, 6, 200)
    objects = Objects(np.concatenate([[0], counts.cumsum()]), rng.random(counts.sum()))
    loop = {
        "mean": np.mean,
        "max": np.max,
        "min": np.min,
        "sum": np.sum,
        "mean_top_k": lambda v: np.mean(np.sort(v)[-2:]),
    }[reduce]
    parts = np.split(objects.confidences, objects.offsets[1:-1])
    expected = [loop(part) if part.size else -7.0 for part in parts]
    scores = reduce_objects(objects.confidences, objects, reduce=reduce, k=2, empty=-7.0)
    assert scores == pytest.approx(expected)


def test_unknown_reduction_lists_the_right_ones() -> None:
    one = Objects([0, 1], [0.5])
    with pytest.raises(UnknownName, match=r"max, mean, mean_top_k, min, sum.*did you mean 'mean'"):
        reduce_objects(one.confidences, one, reduce="meen")


@pytest.mark.parametrize("floor", [-0.1, 1.1])
def test_floor_outside_the_unit_interval_is_refused(floor: float) -> None:
    with pytest.raises(InvalidInput, match=r"floor must be in \[0, 1\]"):
        mean_object_confidence(Objects([0, 1], [0.5]), floor=floor)


def test_k_below_one_is_refused() -> None:
    objects = Objects([0, 1], [0.5])
    with pytest.raises(InvalidInput, match="k must be at least 1"):
        reduce_objects(objects.confidences, objects, reduce="mean_top_k", k=0)
