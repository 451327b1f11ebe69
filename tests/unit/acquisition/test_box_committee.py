"""Committees of boxes: hand cases, the properties that the papers claim, and a loop as oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelnext.acquisition import committee_certainty, get_acquisition, localisation_stability
from labelnext.acquisition.box_committee import class_flips, cluster_certainty
from labelnext.acquisition.matching import merge_boxes
from labelnext.errors import InvalidInput
from labelnext.pool import Objects, Pool
from labelnext.ranking import rank
from labelnext.ranking.reasons import reason

LEFT, RIGHT, HALF = [0.0, 0.0, 0.4, 0.4], [0.6, 0.6, 1.0, 1.0], [0.0, 0.0, 0.4, 0.3]
NONE = Objects([0, 0], [], class_ids=[], boxes=[])


def one(box: list[float], confidence: float = 1.0, class_id: int = 0) -> Objects:
    return Objects([0, 1], [confidence], class_ids=[class_id], boxes=[box])


def made(rng: np.random.Generator, n: int) -> list[Objects]:
    """Three versions of n items, their boxes near common ones."""
    corner = rng.random((n * 4, 2)) * 0.5
    base = np.concatenate([corner, corner + 0.2 + 0.3 * rng.random((n * 4, 2))], axis=1)
    versions = []
    for _ in range(3):
        kept = rng.random(len(base)) < 0.8
        counts = kept.reshape(n, 4).sum(axis=1)
        boxes = np.clip(base[kept] + rng.normal(0, 0.01, (kept.sum(), 4)), 0, 1)
        versions.append(
            Objects(
                np.concatenate([[0], counts.cumsum()]),
                rng.random(kept.sum()),
                class_ids=rng.integers(0, 3, kept.sum()),
                boxes=boxes,
            )
        )
    return versions


def test_no_items_have_no_scores() -> None:
    none = Objects([0], [], class_ids=[], boxes=[])
    assert committee_certainty([none, none]).shape == (0,)
    assert localisation_stability([none, none]).shape == (0,)


def test_versions_that_agree_and_are_sure_are_certain() -> None:
    assert committee_certainty([one(LEFT)] * 3).tolist() == [1.0]
    assert localisation_stability([one(LEFT)] * 3).tolist() == [1.0]


def test_each_part_of_the_certainty_by_hand() -> None:
    # Mean box y2 = 0.35: IoU 0.35/0.4 and 0.3/0.35. Confidence 0.9, then 0.7: mean 0.8 and 0.2.
    versions = [one(LEFT, 0.9), one(HALF, 0.7)]
    parts = cluster_certainty(merge_boxes(versions), versions)
    entropy = -0.8 * np.log(0.8) - 0.2 * np.log(0.2)
    assert parts.semantic == pytest.approx([1 - entropy / np.log(2)])
    assert parts.spatial == pytest.approx([(0.35 / 0.4 + 0.3 / 0.35) / 2])
    assert parts.occurrence.tolist() == [1.0]
    expected = parts.semantic * parts.spatial
    assert committee_certainty(versions) == pytest.approx(expected)


def test_class_vectors_leave_the_rest_to_background() -> None:
    vector = Objects([0, 1], [0.5], boxes=[LEFT], probabilities=[[0.5, 0.25]])
    parts = cluster_certainty(merge_boxes([vector, vector]), [vector, vector])
    entropy = 0.5 * np.log(2) + 0.25 * np.log(4) + 0.25 * np.log(4)
    assert parts.semantic == pytest.approx([1 - entropy / np.log(3)])


def test_box_that_one_of_two_versions_misses_votes_for_background() -> None:
    versions = [one(LEFT), NONE]
    parts = cluster_certainty(merge_boxes(versions), versions)
    assert parts.semantic == pytest.approx([0])
    assert parts.occurrence.tolist() == [0.5]


def test_unknown_class_is_spread_over_all() -> None:
    versions = [one(LEFT, 1.0, -1), one(LEFT, 1.0, 1)]
    parts = cluster_certainty(merge_boxes(versions), versions)
    entropy = -0.25 * np.log(0.25) - 0.75 * np.log(0.75)
    assert parts.semantic == pytest.approx([1 - entropy / np.log(3)])


@pytest.mark.parametrize(
    "worse",
    [[one(LEFT), one(HALF)], [one(LEFT), one(LEFT, 0.6)], [one(LEFT), NONE],
     [one(LEFT), one(LEFT, 1.0, 1)]],
    ids=["moved box", "lower confidence", "missed box", "other class"],
)  # fmt: skip
def test_disagreement_of_each_kind_lowers_the_certainty(worse: list[Objects]) -> None:
    assert committee_certainty(worse)[0] < committee_certainty([one(LEFT)] * 2)[0]


def test_minimum_finds_the_one_bad_box_that_the_mean_hides() -> None:
    both = Objects([0, 2], [1, 1], class_ids=[0, 0], boxes=[LEFT, RIGHT])
    versions = [both, one(LEFT)]
    assert committee_certainty(versions) == pytest.approx([0.5])
    assert committee_certainty(versions, reduce="min").tolist() == [0.0]


def test_stability_is_weighted_by_confidence_and_asks_for_the_same_class() -> None:
    newest = Objects([0, 2], [0.9, 0.3], class_ids=[0, 1], boxes=[LEFT, RIGHT])
    older = Objects([0, 2], [0.5, 0.5], class_ids=[0, 0], boxes=[HALF, RIGHT])
    expected = 0.9 * 0.75 / 1.2  # IoU 0.75 for the first; the second changed its class
    assert localisation_stability([older, newest]) == pytest.approx([expected])


def test_stability_is_zero_where_only_older_versions_see_something() -> None:
    assert localisation_stability([one(LEFT), NONE], no_objects="last").tolist() == [0.0]
    assert localisation_stability([NONE, NONE], no_objects="last").tolist() == [1.0]
    assert localisation_stability([NONE, NONE]).tolist() == [0.0]


@settings(deadline=None)
@given(seed=st.integers(0, 100))
def test_scores_stay_in_range_and_follow_their_items(seed: int) -> None:
    rng = np.random.default_rng(seed)
    versions = made(rng, 6)
    order = rng.permutation(6)
    for f in (committee_certainty, localisation_stability):
        scores = f(versions)
        assert ((scores >= 0) & (scores <= 1)).all()
        assert f([v.take(order) for v in versions]) == pytest.approx(scores[order])


def test_chunks_give_the_same_as_one_item_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = made(np.random.default_rng(1), 12)
    singly = [committee_certainty([v.take(np.array([i])) for v in versions])[0] for i in range(12)]
    monkeypatch.setattr("labelnext.acquisition.box_committee._CHUNK", 5)
    # One item alone may lack the highest class, which sets ln(K + 1): compare where it does not.
    highest = max(v.class_ids.max() for v in versions)
    whole = [
        max(v.class_ids[slice(*v.offsets[i : i + 2])].max(initial=0) for v in versions) == highest
        for i in range(12)
    ]
    assert sum(whole) > 5
    assert committee_certainty(versions)[whole] == pytest.approx(np.array(singly)[whole])


def test_class_flips_are_found_and_counted_in_the_reason() -> None:
    first = Objects([0, 2], [0.9, 0.8], class_ids=[0, 1], boxes=[LEFT, RIGHT])
    second = Objects([0, 1], [0.9], class_ids=[1], boxes=[LEFT])
    clusters = merge_boxes([first, second])
    assert class_flips(clusters, [first, second]).tolist() == [True, False]
    pool = Pool(["a"], objects=(first, second))
    expected = "2 boxes in 2 versions: 1 with differing class, 1 not in all versions"
    assert reason(pool, 0, "objects") == expected
    unseen = Objects([0, 0], [], class_ids=[], boxes=[], missing=[True])
    assert reason(Pool(["a"], objects=(first, second, unseen)), 0, "objects") == expected


def test_committee_of_boxes_ranks_the_image_on_which_versions_differ() -> None:
    both = Objects([0, 1, 2, 2], [0.9, 0.9], class_ids=[0, 0], boxes=[LEFT, LEFT])
    moved = Objects([0, 1, 2, 2], [0.9, 0.9], class_ids=[0, 0], boxes=[LEFT, HALF])
    pool = Pool(["same", "moved", "empty"], objects=(both, moved))
    for name in ("committee_certainty", "localisation_stability"):
        assert rank(pool, name, no_objects="last").item_ids.tolist() == ["moved", "same", "empty"]
        assert rank(pool, name).item_ids.tolist() == ["empty", "moved", "same"]


def test_one_version_is_no_committee() -> None:
    assert "needs several model versions" in get_acquisition("committee_certainty").obstacle(
        Pool(["a"], objects=one(LEFT))
    )
    with pytest.raises(InvalidInput, match="at least two model versions; got one"):
        committee_certainty([one(LEFT)])
    with pytest.raises(InvalidInput, match="objects of exactly one model version"):
        rank(Pool(["a"], objects=(one(LEFT),) * 2), "committee_certainty", reduce="weighted_sum")


def unseen(version: Objects, missing: list[bool]) -> Objects:
    return Objects(
        version.offsets,
        version.confidences,
        class_ids=version.class_ids,
        boxes=version.boxes,
        missing=missing,
    )


def test_version_without_a_prediction_has_no_vote() -> None:
    # The third version saw the second image alone; of the first it neither finds nor misses.
    sure = Objects([0, 1, 2], [1.0, 1.0], class_ids=[0, 0], boxes=[LEFT, LEFT])
    late = Objects([0, 0, 1], [1.0], class_ids=[0], boxes=[LEFT])
    blind = unseen(late, [True, False])
    assert committee_certainty([sure, sure, blind]).tolist() == [1.0, 1.0]
    assert localisation_stability([sure, sure, blind]).tolist() == [1.0, 1.0]
    assert committee_certainty([sure, sure, late])[0] < 1
    assert localisation_stability([sure, late, sure])[0] == 0.5


def test_newest_version_that_saw_the_image_is_judged() -> None:
    older, newer = one(HALF, 0.5), one(LEFT, 0.5)
    blind = unseen(NONE, [True])
    assert localisation_stability([older, newer, blind]) == pytest.approx([0.75])


def test_image_of_one_version_is_certain_as_far_as_that_one_is() -> None:
    blind = unseen(NONE, [True])
    alone = committee_certainty([one(LEFT, 0.8), blind])
    entropy = -0.8 * np.log(0.8) - 0.2 * np.log(0.2)
    assert alone == pytest.approx([1 - entropy / np.log(2)])
    assert np.isnan(localisation_stability([one(LEFT, 0.8), blind])).all()
    assert np.isnan(committee_certainty([blind, blind])).all()


def test_items_that_versions_lack_are_counted() -> None:
    both = Objects([0, 1, 2, 2], [0.9, 0.9], class_ids=[0, 0], boxes=[LEFT, LEFT])
    part = Objects([0, 1, 1, 1], [0.9], class_ids=[0], boxes=[LEFT])
    pool = Pool(
        ["both", "older", "none"],
        objects=(unseen(both, [False, False, True]), unseen(part, [False, True, True])),
    )
    assert pool.missing.tolist() == [False, False, True]
    assert [(n.code, n.item_ids) for n in pool.notices] == [("missing_members", ("older",))]
    ranking = rank(pool, "localisation_stability")
    assert ranking.item_ids.tolist() == ["both"]
    assert set(ranking.unscored_ids) == {"none", "older"}
    with pytest.raises(InvalidInput, match="must have no objects; got some for row 0"):
        unseen(both, [True, False, False])


def test_certainty_in_blocks_is_that_of_each_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    versions = [
        Objects(
            range(0, 41, 4),
            rng.random(40),
            class_ids=rng.integers(0, 5, 40),
            boxes=np.sort(rng.random((40, 2, 2)), axis=1).reshape(40, 4),
        )
        for _ in range(3)
    ]
    whole = committee_certainty(versions)
    monkeypatch.setattr("labelnext.acquisition.box_committee._NUMBERS", 7)
    assert (committee_certainty(versions) == whole).all()
