"""Labels of FiftyOne's kinds, reduced to a confidence and a box."""

from __future__ import annotations

from typing import Any

import pytest

from labelnext_adapters.fiftyone.database.object_scores import matched
from labelnext_adapters.fiftyone.read.label_types import KINDS, extent, one_confidence

NAN = float("nan")


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (None, None),
        (1, 1.0),
        ([], None),
        ([None, NAN], None),
        ([0.25, 0.75], 0.5),
        ([0.25, NAN], 0.25),
    ],
)
def test_a_confidence_is_a_number_or_the_mean_of_those_that_are_known(
    stored: Any, expected: float | None
) -> None:
    assert one_confidence(stored) == expected


@pytest.mark.parametrize("points", [None, [], [[]], [[NAN, NAN]], [[None, None]]])
def test_points_that_are_not_seen_have_no_extent(points: Any) -> None:
    assert extent(points) is None


def test_the_extent_of_points_ends_at_the_image() -> None:
    assert extent([[-0.5, 0.25], [1.5, 0.75], [NAN, 0.0]]) == [0.0, 0.25, 1.0, 0.5]


def test_the_extent_of_several_lines_holds_them_all() -> None:
    assert extent([[[0.25, 0.5], [0.5, 0.5]], [[0.75, 0.25]]]) == [0.25, 0.25, 0.5, 0.25]


def test_labels_of_a_list_lie_below_their_field() -> None:
    assert KINDS["Keypoints"].path("pred") == "pred.keypoints"
    assert KINDS["Classification"].path("pred") == "pred"


def test_scores_go_only_to_samples_with_as_many_labels_as_were_scored() -> None:
    labels = {"a": ["1", "2"], "b": ["3"], "c": [], "d": ["4"]}
    scores = {"a": [0.5, NAN], "b": [0.5, 0.5], "c": []}
    assert matched(labels, scores) == {"a": [("1", 0.5), ("2", None)]}
