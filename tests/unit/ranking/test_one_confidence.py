"""One confidence per item is ranked as what it is: least confident first, over the whole range."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from labelnext.errors import ConfigError, InvalidInput, UnknownName
from labelnext.pool import Objects, Pool
from labelnext.quality.calibrated import saturated
from labelnext.quality.reliability import trust
from labelnext.quality.reviews import review
from labelnext.ranking import rank
from labelnext.ranking.explain import explain_item
from labelnext.ranking.recipe import Recipe
from labelnext.report.findings import summarise
from labelnext.runs.ranked import follow, with_object_scores

SURENESS = [0.99, 0.80, 0.50, 0.30, 0.12, 0.09, 0.06]
IDS = [f"p{c}" for c in SURENESS]
CLASSES = [f"c{i:02d}" for i in range(20)]


def pool(
    confidences: Any = SURENESS, predicted: Any = range(7), ids: Any = IDS, **columns: Any
) -> Pool:
    n = len(confidences)
    ids_of = None if predicted is None else list(predicted)
    objects = Objects(np.arange(n + 1), confidences, class_ids=ids_of, whole_items=True)
    return Pool(ids, objects=objects, **{"classes": CLASSES, **columns})


@pytest.mark.parametrize("predicted", [range(7), None])
@pytest.mark.parametrize("of", [None, "items", "objects"])
@pytest.mark.parametrize("name", ["auto", "least_confidence", "mean_object_confidence"])
def test_the_least_confident_comes_first(name: str, of: Any, predicted: Any) -> None:
    ranking = rank(pool(predicted=predicted), name, of=of)
    assert ranking.item_ids.tolist() == IDS[::-1]
    assert ranking.of == "items"
    assert ranking.unscored_ids == ()


def test_scores_are_one_minus_the_confidence() -> None:
    assert rank(pool()).scores.tolist() == pytest.approx([0.94, 0.91, 0.88, 0.7, 0.5, 0.2, 0.01])


def test_auto_says_why() -> None:
    (notice,) = rank(pool()).notices
    assert notice.message == (
        "auto chose least_confidence of items: the pool has one confidence per item."
    )


@pytest.mark.parametrize("name", ["margin", "entropy", "variance", "vote_entropy", "bald"])
def test_functions_of_whole_distributions_name_what_works(name: str) -> None:
    with pytest.raises(InvalidInput, match="needs the probabilities of all classes") as error:
        rank(pool(), name)
    assert "least_confidence" in str(error.value.hint)


@pytest.mark.parametrize("name", ["distinct_entropy", "committee_certainty"])
def test_functions_of_objects_name_what_works(name: str) -> None:
    with pytest.raises(InvalidInput, match="needs detected objects, but the pool has one") as error:
        rank(pool(), name)
    assert "least_confidence" in str(error.value.hint)


def test_options_of_objects_are_refused() -> None:
    with pytest.raises(InvalidInput, match="floor must be left out when items are scored by their"):
        rank(pool(), "least_confidence", floor=0.1)
    with pytest.raises(InvalidInput, match="per_cost needs costs"):
        rank(pool(), "least_confidence", per_cost=True)
    with pytest.raises(UnknownName, match="iou"):
        rank(pool(), "least_confidence", iou=0.5)


def test_an_item_without_an_answer_stays_missing() -> None:
    objects = Objects([0, 1, 1, 2], [0.9, 0.2], whole_items=True)
    ranking = rank(Pool(["a", "b", "c"], objects=objects))
    assert ranking.item_ids.tolist() == ["c", "a"]
    assert ranking.unscored_ids == ("b",)


def test_versions_that_disagree_come_before_versions_that_agree() -> None:
    first, second = (
        Objects([0, 1, 2, 3], confidences, class_ids=classes, whole_items=True)
        for confidences, classes in (([0.9, 0.9, 0.5], [0, 0, 0]), ([0.7, 0.7, 0.4], [0, 1, 0]))
    )
    ranking = rank(Pool(["agree", "differ", "low"], objects=(first, second)))
    # agree 1 − (0.9 + 0.7)/2, differ 1 − 0.9/2, low 1 − (0.5 + 0.4)/2
    assert dict(zip(ranking.item_ids, ranking.scores.round(3), strict=True)) == {
        "differ": 0.55,
        "low": 0.55,
        "agree": 0.2,
    }
    assert ranking.acquisition == "least_confidence"


def test_reasons_and_the_report_speak_of_the_item() -> None:
    three = pool([0.3, 0.05, 0.9], [0, 1, 2], ids=["a", "b", "c"])
    ranking = rank(three, budget=2)
    parts = summarise(three, ranking)
    assert [row["reason"] for row in parts["next_items"]] == ["c01 0.05", "c00 0.30"]
    assert parts["objects_per_item"] is None
    assert not {"without objects", "below the floor"} & parts["counts"].keys()
    assert [c for c in parts["classes"] if c["batch"]] == [
        {"class": "c00", "pool": 1, "batch": 1},
        {"class": "c01", "pool": 1, "batch": 1},
    ]
    why = explain_item(three, ranking, "b")
    assert why.parts == [{"class": "c01", "confidence": 0.05}]
    assert "object" not in f"{why.rule} {why.reason} {why.changes}"


def test_reasons_without_classes_name_the_confidence() -> None:
    two = pool([0.3, 0.05], None, ids=["a", "b"])
    assert summarise(two, rank(two))["next_items"][0]["reason"] == "confidence 0.05"


def test_reasons_of_versions_name_each() -> None:
    sets = tuple(
        Objects([0, 1], [sure], class_ids=[c], whole_items=True) for sure, c in [(0.9, 0), (0.4, 1)]
    )
    two = Pool(["a"], objects=sets, classes=["cat", "dog"])
    reason = summarise(two, rank(two))["next_items"][0]["reason"]
    assert reason == "cat 0.45; versions: cat 0.90, dog 0.40"
    parts = explain_item(two, rank(two), "a").parts
    assert [p["version"] for p in parts] == ["version 1", "version 2"]


def test_quotas_count_the_predicted_class() -> None:
    ranking = rank(pool(predicted=[0, 0, 0, 0, 1, 1, 1]), budget=4, quota={"c01": 1, "c00": 3})
    assert ranking.item_ids.tolist() == ["p0.06", "p0.3", "p0.5", "p0.8"]


def test_calibration_is_measured_on_labelled_items() -> None:
    ten = pool([0.8] * 10, [0] * 10, ids=range(10), labels=[0] * 6 + [1] * 4)
    (version,) = trust(ten)
    assert (version.of, version.n, version.accuracy) == ("items", 10, 0.6)
    assert version.ece == pytest.approx(0.2)


def test_overconfidence_is_of_confidences() -> None:
    warning = saturated(pool([1.0, 1.0, 0.2], None, ids=range(3)))
    assert warning is not None
    assert "67% of the confidences" in warning.message


def test_a_confident_other_class_makes_a_label_doubtful() -> None:
    pytest.importorskip("cleanlab", reason="an extra of its own")
    four = pool(
        [0.9, 0.9, 0.4, 0.6],
        [0, 1, 0, 1],
        ids=list("abcd"),
        classes=["x", "y"],
        labels=[0, 0, 0, 1],
    )
    # 0.9; 1 − 0.9; 0.4; 0.6
    ranking = review(four)
    assert ranking.item_ids.tolist() == ["b", "c", "d", "a"]
    assert ranking.scores.tolist() == pytest.approx([0.1, 0.4, 0.6, 0.9])


def test_the_first_hundred_hold_the_errors_that_least_confidence_finds() -> None:
    """Top-1 confidences of a weak model of ten digits, most of them far below one half."""
    found, errors = np.mean([first_hundred(seed) for seed in range(20)], axis=0)
    assert found >= 0.75
    assert found > 2 * errors


def first_hundred(seed: int) -> tuple[float, float]:
    """The share of errors among the first hundred items, and among all."""
    images, digits = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(images))
    taught, rest = order[:40], order[40:]
    model = LogisticRegression(C=0.002, max_iter=500).fit(images[taught], digits[taught])
    vectors: NDArray[np.float64] = model.predict_proba(images[rest])
    wrong = model.classes_[vectors.argmax(axis=1)] != digits[rest]
    ranking = rank(
        pool(vectors.max(axis=1), vectors.argmax(axis=1), ids=range(len(rest)), classes=None),
        budget=100,
    )
    exact = np.argsort(vectors.max(axis=1), kind="stable")[:100]
    rows = ranking.item_ids.astype(int)
    assert wrong[rows].sum() == wrong[exact].sum()
    return float(wrong[rows].mean()), float(wrong.mean())


def test_scores_of_objects_cannot_be_written() -> None:
    answers = pool()
    with pytest.raises(ConfigError, match="got least_confidence of items") as error:
        with_object_scores(answers, rank(answers, of="objects"))
    assert error.value.hint is None


def test_calibration_is_skipped_with_the_reason() -> None:
    labelled = pool(labels=[0] * 7, labelled=[False] * 7)
    ranking = follow(Recipe(calibrate="auto"), labelled)
    assert ranking.item_ids.tolist() == IDS[::-1]
    (message,) = [n.message for n in ranking.notices if n.code == "calibration_skipped"]
    assert "needs the probabilities of all classes" in message
