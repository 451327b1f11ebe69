"""Rankings of stored versions against labels and later versions, by hand and by scikit-learn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

import labelnext
from labelnext.acquisition import get_acquisition
from labelnext.errors import InvalidInput
from labelnext.pool import Objects, Pool
from labelnext.ranking.recipe import Recipe, asked
from labelnext.replays.stored import CHANGED, WRONG, area, replay_stored


@pytest.fixture(scope="module")
def versions() -> Pool:
    """Three models of ever more digits, on 900 that none of them has seen."""
    features, truth = load_digits(return_X_y=True)
    rows = [
        LogisticRegression(max_iter=3000).fit(features[:n], truth[:n]).predict_proba(features[897:])
        for n in (60, 120, 400)
    ]
    return Pool(range(900), probabilities=np.stack(rows), labels=truth[897:])


def test_area_is_that_under_the_roc_curve() -> None:
    rng = np.random.default_rng(0)
    aims, utilities = rng.random(60) < 0.3, rng.integers(0, 8, 60).astype(float)
    targets, others = utilities[aims], utilities[~aims]
    found, error = area(targets, others)
    assert found == pytest.approx(roc_auc_score(aims, utilities))
    resampled = [
        area(rng.choice(targets, len(targets)), rng.choice(others, len(others)))[0]
        for _ in range(4000)
    ]
    assert error == pytest.approx(np.std(resampled), rel=0.1)


def test_shares_by_hand() -> None:
    # of 20 items the five least sure are wrong: one of them in 5 %, two in 10 %, four in 20 %
    top = np.linspace(0.95, 0.55, 20)
    rows = np.column_stack([top, 1 - top])
    pool = Pool(range(20), probabilities=rows, labels=[0] * 15 + [1] * 5)
    (found,) = replay_stored(pool, ["margin"]).rows
    assert found.shares == [0.2, 0.4, 0.8, 1.0, 1.0]
    assert found.area == 1.0
    assert found.target == WRONG


def test_each_version_is_judged_by_labels_and_by_the_next(versions: Pool) -> None:
    report = replay_stored(versions, ["margin", "entropy"])
    judged = [(row.version, row.target) for row in report.rows[::2]]
    assert judged == [(1, WRONG), (1, CHANGED), (2, WRONG), (2, CHANGED), (3, WRONG)]
    for row in report.rows:
        assert row.area > 0.6
        assert row.interval[0] < row.area < row.interval[1]
    predicted = versions.probabilities.argmax(axis=2)
    assert report.rows[0].n_targets == (predicted[0] != versions.labels).sum()
    assert report.rows[2].n_targets == (predicted[0] != predicted[1]).sum()
    margin = get_acquisition("margin").score(
        Pool(range(900), probabilities=versions.probabilities[0])
    )
    expected = roc_auc_score(predicted[0] != versions.labels, margin[1])
    assert report.rows[0].area == pytest.approx(expected)
    # The intervals of the two hold each other's areas: neither is called the best.
    last = {row.strategy: row for row in report.rows if row.version == 3}
    best = max(last.values(), key=lambda row: row.area)
    (other,) = (row for row in last.values() if row != best)
    assert other.interval[0] < best.area < other.interval[1]
    found = (
        f"{best.strategy} finds the items of version 3 where prediction and label differ earlier"
    )
    assert report.advice.startswith(found)
    assert report.advice.endswith(
        f"{other.strategy} does about as well: the difference may be chance."
    )


def test_a_function_that_is_far_ahead_finds_the_mistakes_earliest() -> None:
    # Wrong are those whose first two classes are close; of others the rest makes entropy high.
    rng = np.random.default_rng(0)
    wrong = np.repeat([True, False], [100, 300])
    rest = np.where(wrong, 0.1, 0.6) + rng.uniform(0, 0.05, 400)
    gap = np.where(wrong, 0.02, 0.15) * rng.uniform(0.5, 1, 400)
    two = [(1 - rest + gap) / 2, (1 - rest - gap) / 2]
    rows = np.column_stack([*two, *[rest / 6] * 6])
    labels = np.where(wrong, 1, rows.argmax(axis=1))
    pool = Pool(range(400), probabilities=rows, labels=labels)
    advice = replay_stored(pool, ["margin", "entropy"]).advice
    assert advice.startswith("margin finds the items where prediction and label differ earliest: ")
    assert "entropy" not in advice


def test_advice_says_no_where_mistakes_are_random(versions: Pool) -> None:
    rng = np.random.default_rng(0)
    pool = Pool(
        range(900), probabilities=versions.probabilities[2], labels=rng.integers(0, 10, 900)
    )
    assert "No ranking finds" in replay_stored(pool, ["margin", "entropy"]).advice


def test_versions_without_labels_are_judged_by_one_another(versions: Pool) -> None:
    pool = Pool(range(900), probabilities=versions.probabilities)
    report = replay_stored(pool, ["margin"])
    assert {row.target for row in report.rows} == {CHANGED}
    assert "that changed in the next version" in report.advice


def test_versions_are_called_by_their_names(versions: Pool, tmp_path: Path) -> None:
    named = replace(versions, versions=["may", "june", "july"])
    report = replay_stored(named, ["margin"])
    assert [row.name for row in report.rows] == ["may", "may", "june", "june", "july"]
    assert "finds the items of version july where" in report.advice
    page = report.to_html()
    assert "<h2>Version june: changed in the next version</h2>" in page
    assert '<td class="name">july</td>' in page


def test_what_cannot_be_replayed_is_said(versions: Pool) -> None:
    report = replay_stored(versions, ["margin", "k_center", "bald"])
    assert {row.strategy for row in report.rows} == {"margin"}
    assert [line.split(":")[0] for line in report.left_out] == ["k_center", "bald"]
    right = Pool(range(10), probabilities=[[0.9, 0.1]] * 10, labels=[0] * 10)
    nothing = replay_stored(right, ["margin"])
    assert nothing.rows == []
    assert "0 of 10 items" in nothing.left_out[0]
    assert nothing.advice.startswith("Nothing could be compared: it takes 5 items")
    assert "Compared with a random order" not in nothing.to_html()
    apart = Pool(range(2), probabilities=[[0.9, 0.1], [float("nan")] * 2], labels=[-1, 0])
    (why,) = replay_stored(apart, ["margin"]).left_out
    assert why == f"version 1, {WRONG}: no item with a prediction is labelled"


def test_images_with_a_box_too_many_too_few_or_of_another_class_are_wrong() -> None:
    place = [0.1, 0.1, 0.4, 0.4]
    n = 24
    sure = Objects(
        np.arange(n + 1),
        np.where(np.arange(n) < 18, 0.95, 0.55),
        class_ids=np.zeros(n, dtype=int),
        boxes=[place] * n,
    )
    said = np.zeros(n, dtype=int)
    said[18:21] = 1  # another class
    kept = np.arange(n) < 21  # in the last three images there is nothing
    truth = Objects(
        np.concatenate([[0], np.cumsum(kept)]),
        np.ones(21),
        class_ids=said[kept],
        boxes=[place] * 21,
    )
    done = np.arange(n) != 0
    pool = Pool(range(n), objects=sure, truth=truth, labelled=done, classes=["a", "b"])
    (found,) = replay_stored(pool, ["mean_object_confidence"]).rows
    assert (found.n_items, found.n_targets, found.area) == (23, 6, 1.0)
    other = Objects(
        sure.offsets, sure.confidences[::-1], class_ids=sure.class_ids, boxes=sure.boxes
    )
    doubtful = Objects(
        sure.offsets,
        np.where(np.arange(n) < 18, 0.95, 0.3),
        class_ids=sure.class_ids,
        boxes=sure.boxes,
    )
    versions = Pool(range(n), objects=(sure, doubtful, other), classes=["a", "b"])
    rows = replay_stored(versions, ["mean_object_confidence"]).rows
    # the six that fell below one half changed, and changed back
    assert [(row.version, row.target, row.n_targets) for row in rows] == [
        (1, CHANGED, 6),
        (2, CHANGED, 6),
    ]
    assert [row.area for row in rows] == [1.0, 1.0]


def test_images_that_a_version_did_not_see_count_for_none_of_its_targets() -> None:
    n, place = 30, [0.1, 0.1, 0.4, 0.4]
    unseen = np.arange(n) >= 20
    sure = Objects(range(n + 1), [0.9] * 15 + [0.6] * 15, class_ids=[0] * n, boxes=[place] * n)
    later = replace(sure, class_ids=np.where(np.arange(n) < 15, 0, 1))
    part = replace(later.where(~unseen), missing=unseen)
    rows = replay_stored(Pool(range(n), objects=(sure, part)), ["mean_object_confidence"]).rows
    # the last five of those that the second version saw changed their class
    assert [(row.version, row.n_items, row.n_targets) for row in rows] == [(1, 20, 5)]
    pool = Pool(range(n), objects=(part, later), truth=sure)
    rows = replay_stored(pool, ["mean_object_confidence"]).rows
    wrong = [(row.version, row.n_items, row.n_targets) for row in rows if row.target == WRONG]
    assert wrong == [(1, 20, 5), (2, 30, 15)]


def test_targets_that_get_no_score_are_left_out() -> None:
    n, place = 20, [0.1, 0.1, 0.4, 0.4]
    bare = np.where(np.arange(n) < 6, np.nan, 0.9)  # without a confidence
    seen = Objects(range(n + 1), bare, class_ids=[0] * n, boxes=[place] * n)
    truth = replace(seen, confidences=np.ones(n), class_ids=np.where(np.isnan(bare), 1, 0))
    report = replay_stored(Pool(range(n), objects=seen, truth=truth), ["least_confidence"])
    assert report.rows == []
    assert report.left_out == [
        "version 1, where prediction and label differ: least_confidence has scores for 0 of these "
        "and 14 other items"
    ]


def test_a_class_with_its_confidence_is_judged_like_a_distribution() -> None:
    classes = [0] * 15 + [1] * 5  # the last five are wrong, and least sure
    answers = Objects(range(21), [0.9] * 15 + [0.1] * 5, class_ids=classes, whole_items=True)
    pool = Pool(range(20), objects=answers, classes=["x", "y"], labels=[0] * 20)
    found = replay_stored(pool, ["least_confidence", "margin"])
    (row,) = found.rows
    assert (row.n_targets, row.area) == (5, 1.0)
    assert any("margin: margin needs the probabilities" in line for line in found.left_out)


def test_order_of_the_rows_has_no_influence(versions: Pool) -> None:
    order = np.random.default_rng(0).permutation(900)
    shuffled = Pool(
        order, probabilities=versions.probabilities[:, order], labels=versions.labels[order]
    )
    assert replay_stored(versions, ["margin"]) == replay_stored(shuffled, ["margin"])


def test_nothing_to_compare_with_is_refused() -> None:
    with pytest.raises(InvalidInput, match="needs labels or a second model version"):
        replay_stored(Pool("ab", probabilities=[[0.5, 0.5]] * 2), ["margin"])
    with pytest.raises(InvalidInput, match="needs class probabilities or boxes"):
        replay_stored(Pool("ab", labels=[0, 1]), ["margin"])


def test_replay_without_embeddings_uses_the_stored_predictions(
    versions: Pool, tmp_path: Path
) -> None:
    np.savez(
        tmp_path / "items.npz",
        item_ids=versions.item_ids,
        probabilities=versions.probabilities,
        labels=versions.labels,
    )
    config = tmp_path / "labelnext.yaml"
    config.write_text("source: {adapter: files, path: items.npz}\n")
    report = labelnext.replay(config)
    assert json.loads(report.to_json())["rows"][0]["target"] == WRONG
    page = (tmp_path / "labelnext-replay.html").read_text()
    assert page.count("<svg") == 5
    assert "image_diversity: not an acquisition function" in page


def boxes_of(*confidences: list[float]) -> Objects:
    """Cars of these confidences, all at one place of their image."""
    flat = [c for row in confidences for c in row]
    offsets = np.cumsum([0, *map(len, confidences)])
    corners = np.tile([0.1, 0.1, 0.5, 0.5], (len(flat), 1))
    return Objects(offsets, flat, class_ids=[0] * len(flat), boxes=corners)


def test_a_replay_scores_as_the_configuration_does() -> None:
    # Wrong: six images with a sure and an unsure car where none is. Right: six with two cars that
    # are both fairly unsure. The least confident car tells them apart, the mean does not.
    found = boxes_of(*[[0.95, 0.52]] * 6, *[[0.55, 0.55]] * 6)
    truth = boxes_of(*[[]] * 6, *[[1.0, 1.0]] * 6)
    ids = [f"{i:02d}" for i in range(12)]
    pool = Pool(ids, objects=found, classes=["car"], truth=truth, labelled=[True] * 12)
    how = asked("least_confidence", unit="objects", options={"reduce": "max"})
    (row,) = replay_stored(pool, ["least_confidence"], recipe=how).rows
    assert (row.strategy, row.area) == ("least_confidence", 1.0)
    mean = asked("least_confidence", unit="objects", options={"reduce": "mean"})
    (row,) = replay_stored(pool, [], recipe=mean).rows
    assert row.area == 0.0
    # Above a floor of 0.53 the unsure car of the wrong images is none: their score is 0.05.
    floored = asked("least_confidence", unit="objects", options={"reduce": "max", "floor": 0.53})
    (row,) = replay_stored(pool, [], recipe=floored).rows
    assert row.area == 0.0


def test_a_replay_begins_with_what_auto_chooses(versions: Pool) -> None:
    report = replay_stored(versions, ["margin", "entropy"], recipe=Recipe())
    assert {row.strategy for row in report.rows} == {"auto (margin)", "entropy"}
    assert report.rows[0].strategy == "auto (margin)", "and margin, which is the same, only once"
