"""Mean object confidence and the reductions, by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import labelnext
from labelnext.acquisition import get_acquisition, mean_object_confidence
from labelnext.acquisition.costs import expected_costs
from labelnext.acquisition.objects import object_statistics, reduce_objects
from labelnext.errors import InvalidInput
from labelnext.pool import Objects, Pool
from labelnext.ranking import rank
from labelnext.report.findings import summarise


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
    with pytest.raises(
        InvalidInput, match=r"min, sum, mean_top_k, weighted_sum.*did you mean 'mean'"
    ):
        reduce_objects(one.confidences, one, reduce="meen")


@pytest.mark.parametrize("floor", [-0.1, 1.1])
def test_floor_outside_the_unit_interval_is_refused(floor: float) -> None:
    with pytest.raises(InvalidInput, match=r"floor must be in \[0, 1\]"):
        mean_object_confidence(Objects([0, 1], [0.5]), floor=floor)


def test_k_below_one_is_refused() -> None:
    objects = Objects([0, 1], [0.5])
    with pytest.raises(InvalidInput, match="k must be at least 1"):
        reduce_objects(objects.confidences, objects, reduce="mean_top_k", k=0)


def test_statistics_come_from_one_pass_and_agree_with_numpy() -> None:
    rng = np.random.default_rng(8)
    counts = rng.integers(0, 5, 50)
    objects = Objects(np.concatenate([[0], counts.cumsum()]), rng.random(counts.sum()))
    statistics = object_statistics(objects)
    parts = [p for p in np.split(objects.confidences, objects.offsets[1:-1]) if p.size]
    filled = counts > 0
    assert statistics.count.tolist() == counts.tolist()
    for name in ("sum", "mean", "min", "max"):
        expected = [getattr(np, name)(part) for part in parts]
        assert getattr(statistics, name)[filled] == pytest.approx(expected)


def test_statistics_of_an_item_without_objects_are_the_neutral_ones() -> None:
    statistics = object_statistics(Objects([0, 1], [0.2]), floor=0.5)
    assert [statistics.count[0], statistics.sum[0]] == [0, 0.0]
    assert [statistics.min[0], statistics.max[0]] == [np.inf, -np.inf]
    assert np.isnan(statistics.mean[0])


@pytest.mark.parametrize("reduce", ["mean", "max", "min", "sum", "mean_top_k"])
def test_nan_score_of_one_object_makes_its_item_nan(reduce: str) -> None:
    objects = Objects([0, 3, 4], [0.9, 0.8, 0.7, 0.6])
    for place in range(3):
        scores = np.array([0.1, 0.2, 0.3, 0.4])
        scores[place] = np.nan
        reduced = reduce_objects(scores, objects, reduce=reduce, k=2)
        assert np.isnan(reduced).tolist() == [True, False]


def quota_pool(n_full: int, n_empty: int) -> Pool:
    """Items f00, f01, … of falling confidence, and items e00, e01, … without objects."""
    ids = [f"f{i:02}" for i in range(n_full)] + [f"e{i:02}" for i in range(n_empty)]
    offsets = np.minimum(np.arange(n_full + n_empty + 1), n_full)
    return Pool(ids, objects=Objects(offsets, 0.9 - np.arange(n_full) / 100))


def test_quota_gives_a_tenth_of_every_batch_to_items_without_objects() -> None:
    order = rank(quota_pool(27, 3), "mean_object_confidence", no_objects="quota").item_ids
    assert [i for i, name in enumerate(order.tolist()) if name[0] == "e"] == [9, 19, 29]
    assert order.tolist()[:9] == [f"f{i:02}" for i in range(26, 17, -1)]


def test_quota_follows_the_share_and_ties_do_not_disturb_it() -> None:
    ids = ["a", "b", "c", "d", "x", "y"]
    pool = Pool(ids, objects=Objects([0, 1, 2, 3, 4, 4, 4], [0.5] * 4))
    order = rank(pool, "entropy", of="objects", no_objects="quota", no_objects_share=0.25).item_ids
    assert order.tolist() == ["a", "b", "c", "x", "d", "y"]


def test_quota_counts_unlabelled_items_alone() -> None:
    pool = quota_pool(20, 1)
    labelled = np.zeros(21, dtype=bool)
    labelled[:10] = True
    pool = Pool(pool.item_ids, objects=pool.objects, labelled=labelled)
    order = rank(pool, "mean_object_confidence", no_objects="quota").item_ids.tolist()
    assert order.index("e00") == 9


def test_share_of_the_quota_is_checked() -> None:
    with pytest.raises(InvalidInput, match="no_objects_share must be above 0"):
        rank(quota_pool(1, 1), "entropy", of="objects", no_objects="quota", no_objects_share=1)


def test_three_populations_are_told_apart() -> None:
    objects = Objects([0, 0, 0, 1, 2], [0.1, 0.9])
    missing = [True, False, False, False]
    pool = Pool(["none", "empty", "faint", "sure"], objects=objects, missing=missing)
    ranking = rank(pool, "mean_object_confidence", floor=0.5)
    summary = summarise(pool, ranking)
    counts = summary["counts"]
    assert (counts["missing"], counts["without objects"], counts["below the floor"]) == (1, 1, 1)
    assert summary["objects_per_item"]["pool"] == pytest.approx(1 / 3)


def test_costs_are_one_for_the_item_and_one_for_each_expected_object() -> None:
    objects = Objects([0, 2, 2], [0.9, 0.1])
    assert expected_costs(objects).tolist() == [2.0, 1.0]
    assert expected_costs(objects, cut=0.05, per_item=5, per_object=7).tolist() == [19.0, 5.0]
    with pytest.raises(InvalidInput, match="per_item must be above 0"):
        expected_costs(objects, per_item=0)


def test_an_item_costs_the_boxes_of_the_newest_version_that_saw_it() -> None:
    older = Objects([0, 1, 2, 2], [0.9, 0.9])
    newer = Objects([0, 1, 1, 1], [0.9], missing=[False, True, False])
    pool = Pool("abc", probabilities=[[0.5, 0.5]] * 3, objects=(older, newer))
    _, utilities = get_acquisition("entropy").score(pool, of="items", per_cost=True)
    assert utilities == pytest.approx(np.log(2) / np.array([2, 2, 1]))


def test_score_per_cost_prefers_the_cheaper_of_two_equally_unsure_items() -> None:
    # By the boxes: 3 · ln 2 / 4 beats ln 2 / 2. By the costs given: 3 · ln 2 / 4 loses to ln 2.
    objects = Objects([0, 1, 4], [0.5] * 4)
    pool = Pool(["a", "b"], objects=objects)
    options = {"of": "objects", "reduce": "sum"}
    assert rank(pool, "entropy", **options).item_ids.tolist() == ["b", "a"]
    assert rank(pool, "entropy", per_cost=True, **options).item_ids.tolist() == ["b", "a"]
    dear = Pool(["a", "b"], objects=objects, costs=[1.0, 4.0])
    ranking = rank(dear, "entropy", per_cost=True, **options)
    assert ranking.item_ids.tolist() == ["a", "b"]
    assert ranking.scores == pytest.approx(np.log(2) * np.array([1, 3]))


def test_score_per_cost_needs_costs_or_objects() -> None:
    with pytest.raises(InvalidInput, match="per_cost needs costs or detected objects"):
        rank(Pool(["a"], probabilities=[[0.5, 0.5]]), "entropy", per_cost=True)


def test_report_always_says_how_many_objects_an_item_has(tmp_path: Path) -> None:
    rows = [[0.9], [0.5, 0.6, 0.1], []]
    (tmp_path / "p.jsonl").write_text(
        "".join(
            json.dumps({"item_id": i, "objects": [{"confidence": c} for c in row]}) + "\n"
            for i, row in enumerate(rows)
        )
    )
    config = {
        "source": {"adapter": "files", "path": str(tmp_path / "p.jsonl")},
        "acquisition": {"name": "entropy", "of": "objects", "floor": 0.3, "no_objects": "last"},
        "selection": {"budget": 1},
    }
    text = labelnext.run(config, dry_run=True).to_text()
    assert "objects per item: 1.00 in the pool, 2.00 in the batch" in text
    assert "1 without objects, 0 below the floor" in text


def test_items_with_labelled_objects_are_labelled() -> None:
    two_of_a = {"offsets": [0, 2, 2, 2], "confidences": [1, 1], "class_ids": [0, 1]}
    assert Pool("abc", truth=Objects(**two_of_a)).labelled.tolist() == [True, False, False]
    # Somebody looked at b, and found nothing.
    truth = Objects(**two_of_a, missing=[False, False, True])
    assert Pool("abc", truth=truth).labelled.tolist() == [True, True, False]
    nobody = np.zeros(3, dtype=bool)
    assert Pool("abc", truth=truth, labelled=nobody).labelled.tolist() == [False] * 3
