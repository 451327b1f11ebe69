"""Class weights by hand, and what they do to a ranking."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import labelnext
from labelnext.acquisition.weights import (
    class_quality,
    count_weights,
    difficulty_weights,
    weighted_objects,
)
from labelnext.errors import InvalidInput
from labelnext.pool import Objects, Pool
from labelnext.ranking import rank

BOX, FAR = [0.0, 0.0, 0.5, 0.5], [0.6, 0.6, 1.0, 1.0]


def pool() -> Pool:
    """Items a and b are labelled, with one cat twice and one dog; c and d are not."""
    predicted = Objects(
        [0, 1, 2, 3, 4],
        [0.9, 0.9, 0.8, 0.8],
        class_ids=[0, 0, 0, 1],
        boxes=[BOX, BOX, BOX, FAR],
    )
    truth = Objects([0, 1, 3, 3, 3], [1, 1, 1], class_ids=[0, 0, 1], boxes=[BOX, BOX, FAR])
    return Pool(
        ["a", "b", "c", "d"],
        objects=predicted,
        truth=truth,
        labelled=[True, True, False, False],
        classes=["cat", "dog"],
    )


def test_rare_class_weighs_more() -> None:
    assert count_weights([3, 0]).tolist() == [5 / 4, 5.0]


def test_weights_of_no_labels_are_all_the_number_of_classes() -> None:
    assert count_weights([0, 0, 0]).tolist() == [3.0, 3.0, 3.0]


def test_difficulty_rises_from_one_to_one_plus_beta_as_quality_falls() -> None:
    weights = difficulty_weights(np.linspace(1, 0, 11))
    assert weights[0] == 1
    assert weights[-1] == pytest.approx(1.2)
    assert (np.diff(weights) > 0).all()


@pytest.mark.parametrize("quality", [-0.1, 1.1, np.nan])
def test_quality_outside_the_unit_interval_is_refused(quality: float) -> None:
    with pytest.raises(InvalidInput, match="class quality must be"):
        difficulty_weights([quality])


def test_quality_is_the_f1_score_of_each_class() -> None:
    # Cats: 2 hits of 2 predicted and 2 labelled. Dogs: missed. No third class anywhere.
    p = pool()
    quality = class_quality(p.objects, p.truth, np.array([0, 1]), 3)
    assert quality.tolist() == [1.0, 0.0, 0.0]


def test_box_of_the_wrong_class_is_no_hit() -> None:
    seen = Objects([0, 1], [0.9], class_ids=[1], boxes=[BOX])
    there = Objects([0, 1], [1.0], class_ids=[0], boxes=[BOX])
    assert class_quality(seen, there, np.array([0]), 2).tolist() == [0.0, 0.0]


def test_weighted_sum_by_counts_by_hand() -> None:
    ranking = rank(pool(), "least_confidence", of="objects", reduce="weighted_sum")
    # Two labelled cats and one dog: weights 5/3 and 5/2.
    assert ranking.item_ids.tolist() == ["d", "c"]
    assert ranking.scores == pytest.approx([0.2 * 5 / 2, 0.2 * 5 / 3])


def test_weighted_sum_by_measured_difficulty_prefers_the_class_that_is_missed() -> None:
    options = {"reduce": "weighted_sum", "class_weights": "difficulty"}
    ranking = rank(pool(), "least_confidence", of="objects", **options)
    assert ranking.item_ids.tolist() == ["d", "c"]
    assert ranking.scores == pytest.approx([0.2 * 1.2, 0.2])


def test_weights_and_quality_can_be_given_by_name() -> None:
    weighted = weighted_objects(pool(), {"cat": 3, "dog": 1})
    assert weighted.weights.tolist() == [3, 3, 3, 1]
    weighted = weighted_objects(pool(), "difficulty", {"cat": 0, "dog": 1})
    assert weighted.weights == pytest.approx([1.2, 1.2, 1.2, 1])
    with pytest.raises(InvalidInput, match="must name every class; got none for dog"):
        weighted_objects(pool(), {"cat": 3})
    with pytest.raises(InvalidInput, match="must be counts, difficulty"):
        weighted_objects(pool(), "size")


def test_unknown_class_weighs_one() -> None:
    objects = Objects([0, 2], [0.5, 0.5], class_ids=[-1, 0])
    made = Pool(["a"], objects=objects, classes=["cat"])
    assert weighted_objects(made, {"cat": 4}).weights.tolist() == [1, 4]


def test_classes_weigh_the_same_before_anything_is_labelled() -> None:
    bare = Pool(["a"], objects=Objects([0, 2], [0.5, 0.5], class_ids=[0, 2]))
    assert weighted_objects(bare).weights.tolist() == [3, 3]


def test_weighted_sum_of_a_single_class_ranks_as_the_sum_does() -> None:
    objects = Objects([0, 2, 3, 4], [0.5, 0.6, 0.5, 0.9], class_ids=[0, 0, 0, 0])
    truth = Objects([0, 0, 0, 1], [1.0], class_ids=[0])
    one = Pool(["a", "b", "c"], objects=objects, truth=truth, labelled=[False, False, True])
    assert weighted_objects(one).weights.tolist() == [1.0] * 4
    both = [rank(one, "entropy", of="objects", reduce=r).scores for r in ("sum", "weighted_sum")]
    assert both[0].tolist() == both[1].tolist()


def test_weights_need_labels_and_classes() -> None:
    bare = Pool(["a"], objects=Objects([0, 1], [0.5], class_ids=[0]))
    with pytest.raises(InvalidInput, match="needs labelled items with predictions"):
        weighted_objects(bare, "difficulty")
    with pytest.raises(InvalidInput, match="must have class ids"):
        weighted_objects(Pool(["a"], objects=Objects([0, 1], [0.5])))


def test_quality_is_read_from_a_file_beside_the_config(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text(
        '{"item_id": "a", "objects": [{"confidence": 0.8, "class": "cat"}]}\n'
        '{"item_id": "b", "objects": [{"confidence": 0.8, "class": "dog"}]}\n'
    )
    (tmp_path / "quality.yaml").write_text("cat: 1\ndog: 0\n")
    (tmp_path / "labelnext.yaml").write_text(
        "source: {adapter: files, path: p.jsonl}\n"
        "acquisition: {name: least_confidence, of: objects, reduce: weighted_sum, options: "
        "{class_weights: difficulty, class_quality: quality.yaml}}\n"
    )
    report = labelnext.run(tmp_path / "labelnext.yaml", dry_run=True)
    assert report.ranking.item_ids.tolist() == ["b", "a"]
    assert report.ranking.scores == pytest.approx([0.24, 0.2])


def test_weights_that_would_have_no_part_are_refused() -> None:
    with pytest.raises(InvalidInput, match="class_weights must be left out unless reduce"):
        rank(pool(), "entropy", reduce="sum", class_weights="counts")
