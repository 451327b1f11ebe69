"""One confidence per item: what Objects, Pool and top-k lists make of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from labelnext.errors import InvalidInput
from labelnext.pool import Objects, Pool
from labelnext.pool.answers import answer_rows, consensus, spread_rest
from labelnext.pool.join import join_predictions

NAN = float("nan")


def answers(confidences: list[float], classes: list[int] | None = None, **columns: Any) -> Objects:
    """One answer per item; NaN for none."""
    there = ~np.isnan(confidences)
    offsets = np.concatenate([[0], np.cumsum(there)])
    ids = None if classes is None else np.array(classes)[there]
    return Objects(
        offsets, np.array(confidences)[there], class_ids=ids, whole_items=True, **columns
    )


def test_a_pool_of_no_items_may_have_answers() -> None:
    pool = Pool([], objects=answers([]))
    assert len(pool.answers) == 1
    assert pool.answer is not None
    assert len(pool.answer) == 0


def test_answers_are_no_detected_objects() -> None:
    pool = Pool(["a", "b"], objects=answers([0.3, 0.9], [0, 1]), classes=["x", "y"])
    assert pool.object_sets == ()
    assert pool.newest_objects is None
    assert pool.version_names == ("1",)
    assert pool.predicted_classes.tolist() == [0, 1]
    assert pool.top_names is not None
    assert pool.top_names.tolist() == ["x", "y"]


def test_an_item_without_an_answer_is_missing() -> None:
    pool = Pool(["a", "b"], objects=answers([0.3, NAN], [0, 0]))
    assert pool.missing.tolist() == [False, True]
    assert pool.predicted_classes.tolist() == [0, -1]


def test_an_item_without_an_answer_is_missing_whatever_the_source_says() -> None:
    pool = Pool(["a", "b"], objects=answers([0.3, NAN]), missing=[False, False])
    assert pool.missing.tolist() == [False, True]


def test_an_item_has_at_most_one_answer() -> None:
    with pytest.raises(InvalidInput, match="at most; got 2 for row 1"):
        Objects([0, 1, 3], [0.1, 0.2, 0.3], whole_items=True)


@pytest.mark.parametrize(
    "columns",
    [
        {"boxes": [[0, 0, 1, 1]]},
        {"probabilities": [[0.5, 0.5]]},
        {"embeddings": [[1.0]]},
        {"masks": [{"size": [1, 1], "counts": [0, 1]}]},
    ],
)
def test_an_answer_has_no_parts_of_objects(columns: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=f"{next(iter(columns))} must be left out"):
        Objects([0, 1], [0.5], whole_items=True, **columns)


def test_answers_are_the_only_prediction_of_a_pool() -> None:
    with pytest.raises(InvalidInput, match="got class probabilities beside it"):
        Pool(["a"], probabilities=[[0.5, 0.5]], objects=answers([0.5]))
    with pytest.raises(InvalidInput, match="got detected objects beside it"):
        Pool(["a"], objects=(answers([0.5]), Objects([0, 1], [0.5])))


def test_rows_of_answers_stay_answers() -> None:
    objects = answers([0.1, NAN, 0.3], [0, 0, 1])
    taken = objects.take(np.array([2, 1]))
    assert taken.whole_items
    assert taken.missing is not None
    assert taken.missing.tolist() == [False, True]
    assert objects.where(objects.confidences > 0.2).whole_items


def test_the_fingerprint_tells_answers_from_detections() -> None:
    whole, found = (
        Pool(["a"], objects=Objects([0, 1], [0.5], whole_items=flag)).fingerprint()
        for flag in (True, False)
    )
    assert whole != found


def test_answers_of_a_side_file_are_joined() -> None:
    side = Pool(["b", "c"], objects=answers([0.2, 0.4], [0, 1]), classes=["y", "x"])
    joined = join_predictions(Pool(["a", "b", "c"], classes=["x", "y"]), side)
    assert joined.missing.tolist() == [True, False, False]
    assert joined.predicted_classes.tolist() == [-1, 1, 0]
    assert joined.answer is not None
    assert joined.answer.confidences.tolist() == [0.2, 0.4]


def test_consensus_halves_the_confidence_where_two_versions_disagree() -> None:
    both = consensus([answers([0.9, 0.6, 0.5], [0, 0, 0]), answers([0.5, 0.8, 0.5], [0, 1, 1])])
    assert both.confidences.tolist() == pytest.approx([0.7, 0.4, 0.25])
    assert both.class_ids is not None
    assert both.class_ids.tolist() == [0, 1, 1]  # the newest in a tie


def test_consensus_counts_only_the_versions_that_predicted_an_item() -> None:
    both = consensus([answers([0.9, NAN, NAN], [0, 0, 0]), answers([NAN, 0.6, NAN], [0, 1, 0])])
    assert both.counts.tolist() == [1, 1, 0]
    assert both.confidences.tolist() == pytest.approx([0.9, 0.6])


def test_consensus_leaves_out_confidences_that_are_nan() -> None:
    lost = Objects([0, 1, 2], [NAN, NAN], class_ids=[0, 0], whole_items=True)
    both = consensus([lost, answers([0.6, NAN], [1, 0])])
    assert both.confidences[0] == pytest.approx(0.6)
    assert np.isnan(both.confidences[1])
    assert both.class_ids is not None
    assert both.class_ids[0] == 1


def test_consensus_without_classes_is_the_mean() -> None:
    both = consensus([answers([0.9]), answers([0.5], [1])])
    assert both.confidences.tolist() == pytest.approx([0.7])
    assert both.class_ids is None


def test_spread_rest_keeps_what_is_named() -> None:
    rows = spread_rest([[0.6, NAN, 0.3, NAN], [0.7, 0.3, NAN, NAN], [0.25, 0.25, 0.25, 0.25]])
    expected = [[0.6, 0.05, 0.3, 0.05], [0.7, 0.3, 0, 0], [0.25] * 4]
    np.testing.assert_allclose(rows, expected, atol=1e-12)


def test_spread_rest_gives_nothing_away_that_is_not_there() -> None:
    assert spread_rest([[0.9, 0.2, NAN]]).tolist() == [[0.9, 0.2, 0]]  # the pool refuses it
    assert spread_rest(np.empty((0, 3))).shape == (0, 3)
    with pytest.raises(InvalidInput, match="must be of shape"):
        spread_rest([0.5])


def test_answer_rows_of_one_class_are_certain() -> None:
    assert answer_rows(answers([0.4], [0]), 1).tolist() == [[1.0]]
