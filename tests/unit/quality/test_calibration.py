"""By hand, against a second short implementation, scikit-learn, and a dense grid."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import brier_score_loss, log_loss

from labelnext.config import load_config
from labelnext.errors import InvalidInput
from labelnext.pool import Objects, Pool
from labelnext.quality.calibrated import calibrated_ranking, saturated
from labelnext.quality.calibration import (
    brier_score,
    classwise_calibration_error,
    expected_calibration_error,
    fit_temperature,
    measure,
    negative_log_likelihood,
    reliability,
    scaled,
)
from labelnext.quality.reliability import trust
from labelnext.ranking import rank
from labelnext.report.report import calibration_line
from labelnext.runs.ranked import rank_pool


def overconfident(n: int, temperature: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from the true distribution, and that distribution sharpened."""
    rng = np.random.default_rng(seed)
    true = rng.dirichlet(np.ones(4), n)
    labels = np.array([rng.choice(4, p=row) for row in true])
    return scaled(true, 1 / temperature), labels


ROWS, LABELS = overconfident(3000, 2.0)


def plain_ece(rows: np.ndarray, labels: np.ndarray, n_bins: int) -> float:
    total = 0.0
    for b in range(n_bins):
        inside = [i for i, row in enumerate(rows) if b / n_bins < max(row) <= (b + 1) / n_bins]
        if inside:
            confidence = sum(max(rows[i]) for i in inside) / len(inside)
            accuracy = sum(rows[i].argmax() == labels[i] for i in inside) / len(inside)
            total += len(inside) / len(rows) * abs(confidence - accuracy)
    return total


def test_reliability_of_no_items_is_empty() -> None:
    assert reliability(np.empty((0, 2)), []).counts.sum() == 0
    assert expected_calibration_error(np.empty((0, 2)), []) == 0


def test_reliability_bins_by_the_top_probability() -> None:
    bins = reliability([[0.95, 0.05], [0.91, 0.09], [0.3, 0.7]], [0, 1, 1], n_bins=10)
    assert bins.counts.tolist() == [0] * 6 + [1, 0, 0, 2]
    assert bins.confidences[9] == pytest.approx(0.93)
    assert bins.accuracies[9] == 0.5
    assert bins.accuracies[6] == 1.0


def test_calibration_error_by_hand() -> None:
    # two of confidence .93 (mean) half right: gap .43; one of .7 right: gap .3
    rows = [[0.95, 0.05], [0.91, 0.09], [0.3, 0.7]]
    assert expected_calibration_error(rows, [0, 1, 1], n_bins=10) == pytest.approx(
        (2 * 0.43 + 0.3) / 3
    )


def test_calibration_error_agrees_with_a_plain_loop() -> None:
    assert expected_calibration_error(ROWS, LABELS) == pytest.approx(plain_ece(ROWS, LABELS, 15))


def test_classwise_error_by_hand() -> None:
    # class 0: .8 and .8 with truth 1, 0: gap .3; class 1: .2 and .2 with truth 0, 1: gap .3
    rows = [[0.8, 0.2], [0.8, 0.2]]
    assert classwise_calibration_error(rows, [0, 1], n_bins=5) == pytest.approx(0.3)


def test_likelihood_and_brier_agree_with_scikit_learn() -> None:
    assert negative_log_likelihood(ROWS, LABELS) == pytest.approx(log_loss(LABELS, ROWS))
    one_hot = np.eye(4)[LABELS]
    by_class = [brier_score_loss(one_hot[:, c], ROWS[:, c]) for c in range(4)]
    assert brier_score(ROWS, LABELS) == pytest.approx(sum(by_class))


def test_likelihood_of_a_zero_is_finite() -> None:
    assert negative_log_likelihood([[1.0, 0.0]], [1]) == pytest.approx(-np.log(1e-12))


def test_temperature_one_changes_nothing_and_zero_stays_zero() -> None:
    rows = np.array([[0.7, 0.3, 0.0], [1.0, 0.0, 0.0]])
    assert scaled(rows, 1.0) == pytest.approx(rows)
    assert scaled(rows, 3.0)[:, 2].tolist() == [0.0, 0.0]
    assert scaled(rows, 3.0).sum(axis=1) == pytest.approx([1, 1])


def test_temperature_keeps_nan_rows() -> None:
    assert np.isnan(scaled([[np.nan, 0.5], [0.5, 0.5]], 2.0)[0]).all()


@pytest.mark.parametrize("temperature", [0, -1, float("nan")])
def test_impossible_temperature_is_refused(temperature: float) -> None:
    with pytest.raises(InvalidInput, match="above 0"):
        scaled([[0.5, 0.5]], temperature)


@pytest.mark.parametrize("true", [0.5, 1.0, 2.0, 4.0])
def test_temperature_of_a_dense_grid_is_found(true: float) -> None:
    rows, labels = overconfident(2000, true, seed=3)
    grid = np.exp(np.linspace(np.log(0.2), np.log(8), 2000))
    losses = [negative_log_likelihood(scaled(rows, t), labels) for t in grid]
    assert fit_temperature(rows, labels) == pytest.approx(grid[np.argmin(losses)], rel=3e-3)
    assert fit_temperature(rows, labels) == pytest.approx(true, rel=0.1)


class _Stored(ClassifierMixin, BaseEstimator):
    """Logits as they come in."""

    def fit(self, rows: np.ndarray, labels: np.ndarray) -> _Stored:
        self.classes_ = np.unique(labels)
        self.n_features_in_ = rows.shape[1]
        return self

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self.classes_[rows.argmax(axis=1)]

    def decision_function(self, rows: np.ndarray) -> np.ndarray:
        return np.log(rows)


def test_temperature_agrees_with_scikit_learn() -> None:
    model = FrozenEstimator(_Stored().fit(ROWS, LABELS))
    theirs = CalibratedClassifierCV(model, method="temperature").fit(ROWS, LABELS)
    ours = scaled(ROWS, fit_temperature(ROWS, LABELS))
    assert ours == pytest.approx(theirs.predict_proba(ROWS), abs=1e-3)


def test_measure_finds_overconfidence_and_mends_it() -> None:
    found = measure(ROWS, LABELS)
    assert found.helps
    assert found.temperature == pytest.approx(2.0, rel=0.1)
    assert found.ece[0] > 0.1
    assert found.ece[1] < 0.04
    assert found.nll[1] < found.nll[0]
    assert found.n_items == 3000


def test_measure_of_random_labels_on_certain_rows_is_not_flattered() -> None:
    rng = np.random.default_rng(0)
    rows = np.tile([0.9, 0.1], (50, 1))
    found = measure(rows, rng.integers(0, 2, 50))
    assert found.ece[1] < found.ece[0]
    assert found.temperature > 3


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        ([[0.5, 0.5]], [2], "from 0 to 1"),
        ([[0.5, 0.5]], [0, 1], r"shape \(1,\)"),
        ([[np.nan, 0.5]], [0], "must not contain NaN"),
    ],
)
def test_wrong_labels_are_refused(rows: object, labels: list[int], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        expected_calibration_error(rows, labels)


def test_too_few_items_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at least 5 labelled items; got 2"):
        measure([[0.5, 0.5]] * 2, [0, 1])


def settings(calibrate: str, name: str = "least_confidence"):
    return load_config(
        {
            "source": {"adapter": "files", "path": "unused"},
            "acquisition": {"name": name, "calibrate": calibrate},
            "selection": {"budget": 50},
        }
    )


def half_labelled(rows: np.ndarray, labels: np.ndarray) -> Pool:
    known = np.where(np.arange(len(rows)) < len(rows) // 2, labels, -1)
    return Pool(np.arange(len(rows)), probabilities=rows, labels=known)


def test_auto_scales_the_scores_and_says_what_changed() -> None:
    pool = half_labelled(ROWS, LABELS)
    raw, new = (rank_pool(settings(c), pool) for c in ("off", "auto"))
    assert new.scores.mean() > raw.scores.mean()  # less confident
    (notice,) = new.notices
    assert notice.code == "calibrated"
    assert "on 1500 labelled items" in notice.message
    assert "of 50 items in the batch" in notice.message


def test_auto_does_not_depend_on_the_order_of_the_rows() -> None:
    pool = half_labelled(ROWS[:400], LABELS[:400])
    order = np.random.default_rng(0).permutation(400)
    shuffled = Pool(
        pool.item_ids[order], probabilities=pool.probabilities[order], labels=pool.labels[order]
    )
    first, second = (rank_pool(settings("auto"), p) for p in (pool, shuffled))
    assert first.notices == second.notices
    assert first.pool_order.tolist() == second.pool_order.tolist()


def test_auto_leaves_calibrated_probabilities_or_too_few_labels_alone() -> None:
    few = Pool(["a", "b"], probabilities=[[0.9, 0.1], [0.5, 0.5]], labels=[0, -1])
    (notice,) = rank_pool(settings("auto"), few).notices
    assert "needs 50 labelled items with predictions; got 1" in notice.message
    none = Pool(["a", "b"], probabilities=[[0.9, 0.1], [0.5, 0.5]])
    (notice,) = rank_pool(settings("auto"), none).notices
    assert notice.code == "calibration_skipped"
    rows, labels = overconfident(120, 1.0, seed=1)
    (notice,) = rank_pool(settings("auto"), half_labelled(rows, labels)).notices
    assert "Calibration doesn't help" in notice.message


def test_auto_gives_each_version_of_a_committee_its_own_temperature() -> None:
    honest = scaled(ROWS, 2.0)
    pool = half_labelled(ROWS, LABELS)
    both = Pool(
        pool.item_ids,
        probabilities=np.stack([ROWS, honest]),
        labels=pool.labels,
        versions=["hasty", "honest"],
    )
    ranking = rank_pool(settings("auto", "consensus_entropy"), both)
    (notice,) = ranking.notices
    first, second = re.search(r"temperature (\S+), (\S+) \(", notice.message).groups()
    assert float(first) == pytest.approx(2.0, rel=0.1)
    assert float(second) == pytest.approx(1.0, rel=0.1)
    assert "version hasty: ECE" in notice.message
    members = np.stack([scaled(ROWS, float(first)), scaled(honest, float(second))])
    expected = Pool(pool.item_ids, probabilities=members, labels=pool.labels)
    order = ranking.pool_order[:200]
    places = {
        item: place for place, item in enumerate(rank(expected, "consensus_entropy").pool_order)
    }
    # Two digits of the temperature are printed: near-ties may change places.
    assert np.abs([places[item] - place for place, item in enumerate(order)]).max() < 10


def test_auto_leaves_labels_that_exclude_nothing_alone() -> None:
    rows = np.full((60, 2), 0.9)
    pool = Pool(range(60), probabilities=rows, multilabel=True, labels=[0] * 55 + [-1] * 5)
    (notice,) = rank_pool(settings("auto"), pool).notices
    assert notice.message.startswith("calibrate: auto needs one class per item")


def test_saturated_probabilities_are_warned_of() -> None:
    rows = np.tile([1.0, 0.0], (10, 1))
    rows[:4] = 0.5
    (notice,) = rank_pool(settings("off"), Pool(np.arange(10), probabilities=rows)).notices
    assert "60% of the top probabilities" in notice.message
    assert not rank_pool(settings("off"), Pool(np.arange(4), probabilities=rows[:4])).notices


def votes(*versions: list[int]) -> Pool:
    """Sixty items; each version's answers with probability 1, over and over; label 0."""
    rows = np.stack([np.eye(2)[np.resize(answers, 60)] for answers in versions])
    return Pool(range(60), probabilities=rows, labels=[0] * 50 + [-1] * 10, classes=["a", "b"])


def test_votes_of_several_judges_state_no_confidence_and_none_is_measured() -> None:
    pool = votes([0], [0], [0, 0, 0, 1])
    assert saturated(pool) is None
    ranking = calibrated_ranking(pool, lambda items: rank(items, acquisition="vote_entropy"))
    (notice,) = [n for n in ranking.notices if n.code == "calibration_skipped"]
    assert notice.message == (
        "calibrate: auto needs probabilities; version 1 names one class for each item, with "
        "probability 1. Probabilities stay unchanged."
    )
    said = [calibration_line(each.to_dict()) for each in trust(pool)]
    assert said == [
        *(f"accuracy of version {n} on 50 labelled items: 1.000; no confidence is stated"
          for n in "12"),
        "accuracy of version 3 on 50 labelled items: 0.760; no confidence is stated",
    ]  # fmt: skip


def test_one_answer_for_each_item_without_confidence_is_no_overconfident_model() -> None:
    (notice,) = rank_pool(settings("off"), votes([0, 1])).notices
    assert notice.message.startswith("all top probabilities are 1: the predictions state no")


def test_a_version_that_predicts_nothing_states_no_other_confidence() -> None:
    nothing = Objects([0, 0, 0], [], class_ids=[])
    sure = Objects([0, 1, 2], [1, 1], class_ids=[0, 0])
    silent = np.stack([np.eye(2), np.full((2, 2), np.nan)])
    for pool in (Pool("ab", probabilities=silent), Pool("ab", objects=(sure, nothing))):
        assert saturated(pool) is None


def test_a_judge_with_probabilities_beside_votes_is_measured() -> None:
    rows = np.stack([np.tile([1.0, 0.0], (60, 1)), np.tile([0.75, 0.25], (60, 1))])
    first, second = trust(Pool(range(60), probabilities=rows, labels=[0] * 60))
    assert "no confidence is stated" in calibration_line(first.to_dict())
    assert "mean confidence 0.750" in calibration_line(second.to_dict())
