"""Wrong labels that were planted must come first; by hand where the score is simple."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import labelnext
from labelnext.config import load_config
from labelnext.errors import ConfigError, InvalidInput, MissingExtra
from labelnext.pool import Objects, Pool
from labelnext.quality.reviews import review
from labelnext.runs.run import explain
from labelnext.runs.status import status
from labelnext.runs.undo import undo
from labelnext.support.started import how_to_install

ROWS = [[0.9, 0.1], [0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of 600 digits, each from a model that has not seen it; and the truth."""
    features, truth = (array[:600] for array in load_digits(return_X_y=True))
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return cross_val_predict(model, features, truth, cv=5, method="predict_proba"), truth


def test_review_of_no_items_is_empty() -> None:
    pool = Pool([], probabilities=np.empty((0, 2)), labels=[])
    assert len(review(pool)) == 0


def test_labels_are_ranked_by_their_own_probability() -> None:
    pool = Pool(["a", "b", "c", "d"], probabilities=ROWS, labels=[0, 1, 1, -1])
    ranking = review(pool)
    assert ranking.item_ids.tolist() == ["b", "c", "a"]
    assert ranking.scores == pytest.approx([0.1, 0.8, 0.9])
    assert ranking.purpose == "review"
    assert review(pool, budget=1).item_ids.tolist() == ["b"]
    assert review(pool, budget=1).pool_order.tolist() == ["b", "c", "a"]


def test_numbers_are_ranked_by_their_error_as_a_share_of_the_range_of_labels() -> None:
    # Off by 1, 3 and 0 of a range of 4; d has no number, e no estimate.
    numbers, estimates = [1, 5, 3, np.nan, 2], [2, 2, 3, 4, np.nan]
    ranking = review(Pool("abcde", numbers=numbers, estimates=estimates))
    assert ranking.item_ids.tolist() == ["b", "a", "c"]
    assert ranking.scores == pytest.approx([0.25, 0.75, 1.0])
    assert ranking.unscored_ids == ("e",)
    same = review(Pool("ab", numbers=[2, 2], estimates=[2, 2.5]))
    assert same.scores.tolist() == [0, 1]


def test_a_wrong_number_that_was_planted_comes_first(tmp_path: Path) -> None:
    points = np.linspace(-1, 1, 60)
    said = np.where(np.arange(60) == 17, 9.0, 5 * points)
    rows = [{"item_id": i, "price": said[i], "embedding": [points[i]]} for i in range(60)]
    (tmp_path / "items.jsonl").write_text("\n".join(map(json.dumps, rows)))
    source = {"adapter": "files", "path": str(tmp_path / "items.jsonl"), "model": "probe"}
    report = labelnext.run(
        {
            "source": {**source, "columns": {"label_number": "price"}},
            "purpose": "review",
            "state": str(tmp_path / "state"),
            "write": {"output": str(tmp_path / "review.csv")},
            "report": {"path": None},
        }
    )
    assert report.ranking.item_ids[0] == "17"
    assert report.next_items[0]["reason"].startswith("labelled 9; predicted -2.")


def test_normalized_margin_by_hand() -> None:
    # (p of the label − the best other + 1) / 2: (.9 − .1 + 1)/2, (.1 − .9 + 1)/2
    pool = Pool(["a", "b"], probabilities=ROWS[:2], labels=[0, 1])
    assert review(pool, score="normalized_margin").scores == pytest.approx([0.1, 0.9])


def test_labels_of_one_class_are_ranked_though_nothing_can_be_estimated() -> None:
    rows = [[0.9, 0.1], [0.2, 0.8]]
    made = review(Pool(["a", "b"], probabilities=rows, labels=[0, 0], labelled=[True, True]))
    assert made.pool_order.tolist() == ["b", "a"]
    assert made.pool_scores.tolist() == pytest.approx([0.2, 0.9])
    assert [notice.code for notice in made.notices] == ["one_class"]


def test_label_where_the_model_is_sure_of_a_class_that_nothing_is_labelled() -> None:
    # thresholds: (.9 + .85 + .1 + .1) / 4 = .4875 and .8; their mean is .64375
    rows = [
        [0.9, 0.05, 0.05],
        [0.1, 0.8, 0.1],
        [0.85, 0.1, 0.05],
        [0.1, 0.1, 0.8],
        [0.1, 0.28, 0.62],
    ]
    pool = Pool("abcde", probabilities=rows, labels=[0, 1, 0, 0, 0], classes=["1", "2", "3"])
    ranking = review(pool)
    assert ranking.item_ids.tolist() == ["d", "e", "b", "c", "a"]
    assert [(notice.message, notice.item_ids) for notice in ranking.notices[:2]] == [
        (
            "Confident learning estimates 1 wrong label out of 5: check about that many from the "
            "top.",
            ("d",),
        ),
        (
            "Nothing is labelled 3. Where the model predicts that, a label counts as wrong from a "
            "probability of 0.64 on, the mean threshold of the other classes: 1 of 2 labels.",
            (),
        ),
    ]


def test_unknown_score_is_refused() -> None:
    with pytest.raises(InvalidInput, match="score must be one of auto, self_confidence"):
        review(Pool(["a"], probabilities=ROWS[:1], labels=[0]), score="best")  # type: ignore[arg-type]


def test_item_with_nan_or_without_prediction_is_left_out_and_counted() -> None:
    rows = [*ROWS[:2], [np.nan, 0.5], [0.5, 0.5]]
    pool = Pool("abcd", probabilities=rows, labels=[0, 1, 0, 1], missing=[False] * 3 + [True])
    ranking = review(pool)
    assert ranking.pool_order.tolist() == ["b", "a"]
    assert ranking.unscored_ids == ("c", "d")


def test_planted_wrong_classes_come_first(digits: tuple[np.ndarray, np.ndarray]) -> None:
    rows, truth = digits
    labels = truth.copy()
    planted = np.random.default_rng(0).permutation(len(truth))[:20]
    labels[planted] = (labels[planted] + 1) % 10
    pool = Pool(np.arange(len(truth)), probabilities=rows, labels=labels)
    ranking = review(pool, budget=20)
    found = len({*ranking.item_ids.astype(int)} & {*planted})
    assert found >= 15
    (notice,) = ranking.notices
    assert notice.code == "label_issues"
    assert len({*map(int, notice.item_ids)} & {*planted}) >= 18


def test_order_of_the_rows_has_no_influence(digits: tuple[np.ndarray, np.ndarray]) -> None:
    rows, labels = digits
    order = np.random.default_rng(1).permutation(len(labels))
    one, two = (
        review(Pool(np.arange(len(labels))[o], probabilities=rows[o], labels=labels[o]))
        for o in (np.arange(len(labels)), order)
    )
    assert one.pool_order.tolist() == two.pool_order.tolist()
    assert one.pool_scores.tolist() == two.pool_scores.tolist()


def test_items_on_which_people_disagree_come_first(digits: tuple[np.ndarray, np.ndarray]) -> None:
    rows, truth = digits
    votes = np.stack([truth, truth, truth], axis=1)
    disputed = np.random.default_rng(0).permutation(len(truth))[:20]
    votes[disputed, 1] = (truth[disputed] + 1) % 10
    votes[disputed, 2] = (truth[disputed] + 2) % 10
    pool = Pool(np.arange(len(truth)), probabilities=rows, votes=votes, labels=truth)
    ranking = review(pool, budget=20)
    assert ranking.acquisition == "active_lab"
    assert len({*ranking.item_ids.astype(int)} & {*disputed}) >= 18
    assert "several of 3 people labelled 600 of 600 items" in ranking.notices[0].message
    assert pool.labelled.all()


def test_one_vote_each_is_no_disagreement() -> None:
    pool = Pool("ab", probabilities=ROWS[:2], votes=[[0, -1], [-1, 1]], labels=[0, 1])
    assert review(pool).acquisition == "self_confidence"


def boxed() -> tuple[Objects, Objects]:
    """Three sure boxes an image and the same drawn by people, but for three of them."""
    n, rng = 12, np.random.default_rng(0)
    corners = rng.uniform(0.05, 0.2, (n, 3, 2)) + np.arange(3)[None, :, None] * 0.3
    boxes = np.concatenate([corners, corners + 0.15], axis=2)
    drawn = boxes.copy()
    drawn[5, 0] += [0.08, 0.08, 0.08, 0.08]  # badly placed
    classes = np.tile([0, 1, 0], (n, 1))
    said = classes.copy()
    said[7, 1] = 0  # the wrong class
    kept = np.ones((n, 3), dtype=bool)
    kept[2, 2] = False  # overlooked
    predicted = Objects(
        3 * np.arange(n + 1),
        np.full(3 * n, 0.97),
        class_ids=classes.ravel(),
        boxes=boxes.reshape(-1, 4),
    )
    offsets = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    return predicted, Objects(
        offsets, np.ones(offsets[-1]), class_ids=said[kept], boxes=drawn[kept]
    )


def test_planted_wrong_boxes_come_first() -> None:
    predicted, truth = boxed()
    pool = Pool(
        np.arange(12), objects=predicted, truth=truth, labelled=[True] * 12, classes=["x", "y"]
    )
    ranking = review(pool, budget=3)
    assert {*ranking.item_ids} == {"2", "5", "7"}
    assert ranking.acquisition == "object_lab"


def test_boxes_are_compared_with_the_newest_version_that_saw_the_image() -> None:
    predicted, truth = boxed()
    unseen = np.isin(np.arange(12), [2, 5])
    newest = replace(predicted.where(~np.repeat(unseen, 3)), missing=unseen)
    pool = Pool(np.arange(12), objects=(predicted, newest), truth=truth, classes=["x", "y"])
    assert {*review(pool, budget=3).item_ids} == {"2", "5", "7"}


def test_image_without_labelled_boxes_is_reviewed_too() -> None:
    three = boxed()[0].take(np.arange(1))
    offsets = [0, 0, 3, 3]
    truth = Objects(offsets, np.ones(3), class_ids=three.class_ids, boxes=three.boxes)
    predicted = Objects(
        [0, 3, 6, 6],
        np.tile(three.confidences, 2),
        class_ids=np.tile(three.class_ids, 2),
        boxes=np.tile(three.boxes, (2, 1)),
    )
    pool = Pool("abc", objects=predicted, truth=truth, labelled=[True] * 3, classes=["x", "y"])
    ranking = review(pool)
    assert ranking.item_ids.tolist() == ["a", "b", "c"]
    assert ranking.scores[0] < 0.5
    assert ranking.scores[1:] == pytest.approx([1, 1])


def test_boxes_without_classes_are_refused() -> None:
    bare = Objects([0, 1], [0.9], boxes=[[0, 0, 1, 1]])
    pool = Pool("a", objects=bare, truth=bare, labelled=[True])
    with pytest.raises(InvalidInput, match="every object must have a class"):
        review(pool)


def test_labels_without_predictions_are_refused() -> None:
    with pytest.raises(InvalidInput, match="needs labels and predictions of the same kind"):
        review(Pool("a", labels=[0]))


def test_missing_extra_names_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="cleanlab") as caught:
        review(Pool("a", probabilities=ROWS[:1], labels=[0]))
    assert caught.value.hint == how_to_install("labelnext[review]")


SOURCE = {"adapter": "label-studio", "url": "http://localhost", "api_key": "k", "project": 1}


def test_names_of_a_review_are_its_own_unless_they_are_given() -> None:
    plain = load_config({"source": SOURCE, "purpose": "review"}).write
    assert (plain.run, plain.tab) == ("labelnext_review", "Review next")  # type: ignore[attr-defined]
    given = {"source": SOURCE, "purpose": "review", "write": {"run": "mine", "tab": "Mine"}}
    write = load_config(given).write
    assert (write.run, write.tab) == ("mine", "Mine")  # type: ignore[attr-defined]
    assert load_config({"source": SOURCE}).write.run == "labelnext"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    lines = [
        {"item_id": i, "probabilities": row, "label": label, "votes": [label, label]}
        for i, (row, label) in enumerate(zip(ROWS, [0, 1, 1, None], strict=True))
    ]
    (tmp_path / "items.jsonl").write_text("\n".join(map(json.dumps, lines)))
    path = tmp_path / "labelnext.yaml"
    path.write_text("source: {adapter: files, path: items.jsonl}\npurpose: review\n")
    return path


def test_review_of_a_file_is_written_and_taken_back(config: Path) -> None:
    report = labelnext.run(config)
    written = (config.parent / "ranking.csv").read_text().splitlines()
    assert [line.split(",")[0].strip('"') for line in written[1:]] == ["1", "2", "0"]
    assert report.counts["ranked"] == 3
    assert report.next_items[0]["reason"] == "labelled 1 by 2; predicted 0 0.90, 1 0.10"
    page = (config.parent / "labelnext-report.html").read_text()
    assert "Which labels to review next" in page
    assert status(config).runs == []  # doubts in labels are no stopping signal
    undo(config)
    assert not (config.parent / "ranking.csv").exists()


def test_keys_that_a_review_does_not_use_are_said(config: Path) -> None:
    text = config.read_text() + "acquisition: {name: margin}\nselection: {method: top_k}\n"
    config.write_text(text)
    (*_, notice) = labelnext.run(config).notices
    assert notice.code == "idle_options"
    assert "ignores selection.method, acquisition." in notice.message


def test_explain_of_a_review_points_to_its_report(config: Path) -> None:
    with pytest.raises(ConfigError, match="purpose must be label to explain"):
        explain(config, "1")


def test_boxes_of_people_are_read_from_a_file(tmp_path: Path) -> None:
    box = {"class": "x", "box": [0, 0, 0.5, 0.5]}
    lines = [
        {"item_id": "a", "objects": [{**box, "confidence": 0.9}], "truth": [box]},
        {"item_id": "b", "objects": [{**box, "confidence": 0.99}], "truth": []},
        {"item_id": "c", "objects": [{**box, "confidence": 0.9}], "truth": None},
    ]
    (tmp_path / "items.jsonl").write_text("\n".join(map(json.dumps, lines)))
    adapter = labelnext.open_adapter("files", path=tmp_path / "items.jsonl")
    pool = adapter.read()
    assert pool.labelled.tolist() == [True, True, False]
    assert pool.truth is not None
    assert pool.truth.counts.tolist() == [1, 0, 0]
    assert review(pool).item_ids.tolist() == ["b", "a"]


def test_report_of_a_review_counts_objects_of_any_confidence(config: Path) -> None:
    box = {"class": "x", "box": [0, 0, 0.5, 0.5]}
    faint = {**box, "confidence": 0.05}  # below the floor of what auto would rank by
    lines = [{"item_id": i, "objects": [faint, faint], "truth": [box]} for i in ("a", "b")]
    (config.parent / "items.jsonl").write_text("\n".join(map(json.dumps, lines)))
    report = labelnext.run(config)
    assert "below the floor" not in report.counts
    assert report.objects_per_item == {"pool": 2.0, "batch": 2.0}


@pytest.mark.parametrize("budget", [0, -1, 1.5, "3", True])
def test_a_budget_of_a_review_is_at_least_one(budget: Any) -> None:
    pool = Pool(["a", "b"], probabilities=[[0.9, 0.1], [0.2, 0.8]], labels=[0, 0])
    with pytest.raises(InvalidInput, match="budget must be a whole number of at least 1"):
        review(pool, budget=budget)
