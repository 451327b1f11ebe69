"""Doubt by labels and embeddings: by hand, and by scikit-learn's kernel ridge regression."""

from __future__ import annotations

import importlib
import json
from math import exp, log, log1p
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import log_loss

from labelnext import Objects, Pool, rank, run
from labelnext.errors import InvalidInput, LabelnextWarning
from labelnext.selection import uncertainty_herding
from labelnext.selection.second_opinion import second_opinion
from tests.unit.selection.test_uncertainty_herding import brute_force

RNG = np.random.default_rng(0)
ALONG = {"selection": "uncertainty_herding", "doubt": "embeddings"}


def by_ridge(
    points: np.ndarray, given: np.ndarray, labels: np.ndarray, predicted: np.ndarray
) -> tuple[np.ndarray, float]:
    """The same, where the classes are 0 to the largest and all occur, with a fit for each group."""
    first, second = np.random.default_rng(0).integers(0, len(points), (2, 1000))
    squared = ((points[first] - points[second]) ** 2).sum(axis=1).mean() / 4
    n_classes = 1 + max(labels.max(), predicted.max())
    targets = np.eye(n_classes)[labels] - 1 / n_classes
    model = KernelRidge(alpha=0.1, kernel="rbf", gamma=1 / (2 * squared))

    def opinion(known: np.ndarray, asked: np.ndarray) -> np.ndarray:
        return softmax(model.fit(given[known], targets[known]).predict(asked) / 0.15, axis=1)

    every = np.arange(len(given))
    wrong = 1 - opinion(every, points)[np.arange(len(points)), predicted]
    nearest = ((points[:, None] - given) ** 2).sum(axis=2).min(axis=1)
    limit = np.median(nearest[nearest > 0]) / 4
    leads = np.full(len(given), -1)
    for i in every:
        near = ((given - given[i]) ** 2).sum(axis=1) < limit
        if leads[i] < 0:
            leads[near & (leads < 0)] = i
    left_out = np.concatenate([opinion(leads != leads[i], given[[i]]) for i in every])
    loss = log_loss(labels, left_out, labels=range(n_classes))
    return wrong, np.clip(2 * (1 - loss / entropy(np.bincount(labels))), 0, 1)


def labelled_pool(order: np.ndarray | None = None) -> Pool:
    """Two crowds, 60 items of 66 to choose from, and a model that is no good."""
    rng = np.random.default_rng(4)
    classes = rng.integers(0, 2, 66)
    points = rng.normal(size=(66, 3)) + 4 * classes[:, None]
    rows, labels = rng.dirichlet([1, 1, 1], 66), np.where(np.arange(66) < 60, -1, classes)
    order = np.arange(66) if order is None else order
    ids = np.arange(100, 166)[order]
    return Pool(ids, probabilities=rows[order], embeddings=points[order], labels=labels[order])


def test_far_labels_decide_by_hand() -> None:
    # Equal points have w² = 1/8. K of the labels is 1.1 · I, so F differs by 1/1.1 at the first.
    points, given = np.zeros((4, 1)), np.array([[0.0], [10.0], [0.0]])
    labels = np.array([0, 1, -1])  # the third has no class, and so no say
    odds = exp(1 / 1.1 / 0.15)
    wrong, trust = second_opinion(points, given, labels, np.array([0, 1, 0, -1]))
    assert wrong == pytest.approx([1 / (1 + odds), odds / (1 + odds), 1 / (1 + odds), 1])
    assert trust == 0  # a label says nothing about the other
    wrong, _ = second_opinion(points, given, labels, np.array([0, 1, 7, -1]))  # no label is 7
    assert wrong == pytest.approx([2 / (2 + odds), *2 * [1 - 1 / (2 + odds)], 1])


def test_trust_by_hand() -> None:
    # Equal points have w² = 1/8. Labels closer than 0.18, half of 0.36, are alike. Those 0.2 apart
    # predict each other, with a difference of the two F of this:
    apart = exp(-4 * 0.2**2) / 1.1
    points, given = np.full((4, 1), -0.36), np.array([[0.0], [0.2], [10.0], [20.0]])
    labels = np.array([0, 0, 1, 1])  # two are predicted by the label that is near, two by none
    loss = (log1p(exp(-apart / 0.15)) + log(2)) / 2
    assert second_opinion(points, given, labels, labels)[1] == pytest.approx(2 - 2 * loss / log(2))
    given[3] = 10.2  # all have one that is near: more than half of the entropy is explained
    assert second_opinion(points, given, labels, labels)[1] == 1
    labels = np.array([0, 1, 0, 1])  # the near label is always of the other class
    assert second_opinion(points, given, labels, labels)[1] == 0


def test_labels_say_nothing_of_their_like() -> None:
    points, labels = np.full((4, 1), -0.36), np.array([0, 0, 1, 1])
    for step in (0.0, 0.17):  # half of 0.36 is 0.18
        given = np.array([[0.0], [step], [10.0], [10 + step]])
        assert second_opinion(points, given, labels, labels)[1] == pytest.approx(0, abs=1e-9)

    # The first takes the second; the third is like the second, but not like the first.
    given, labels = np.array([[0.0], [0.1], [0.2], [10.0], [20.0], [30.0]]), np.repeat([0, 1], 3)
    _, trust = second_opinion(points, given, labels, labels[:4])
    assert 0.9 < trust < 1  # half of the labels are predicted


@pytest.mark.parametrize("copies", [2, 5])
@pytest.mark.parametrize("moved", [0.0, 0.01])
def test_copies_of_labels_raise_no_trust(copies: int, moved: float) -> None:
    rng, labels = np.random.default_rng(1), np.arange(40) % 4
    points, given = rng.normal(size=(99, 8)), rng.normal(size=(40, 8))
    assert second_opinion(points, given, labels, np.zeros(99, int))[1] == 0  # of pure noise
    again = np.repeat(given, copies, axis=0) + moved * rng.normal(size=(40 * copies, 8))
    assert second_opinion(points, again, np.repeat(labels, copies), np.zeros(99, int))[1] == 0


@pytest.mark.parametrize("spread", [0.02, 0.3])
def test_labels_of_a_tight_crowd_predict_one_another(spread: float) -> None:
    rng, classes = np.random.default_rng(2), np.arange(300) % 10
    points = rng.normal(size=(10, 16))[classes] + spread * rng.normal(size=(300, 16))
    for kind in (np.float32, np.float64):
        given = points[:30].astype(kind)
        wrong, trust = second_opinion(points[30:].astype(kind), given, classes[:30], classes[30:])
        assert trust == 1
        assert wrong.max() < 0.5


@pytest.mark.parametrize(("n", "apart"), [(5, 1.5), (700, 1.6)])
@pytest.mark.parametrize(("kind", "close"), [(np.float64, 1e-9), (np.float32, 2e-4)])
def test_as_refits_of_a_kernel_ridge_say(n: int, apart: float, kind: Any, close: float) -> None:
    rng, labels = np.random.default_rng(n), np.arange(36) % 3
    points, given = rng.normal(size=(n, 3)), rng.normal(size=(36, 3)) + apart * np.eye(3)[labels]
    predicted = rng.integers(0, 4, n)
    predicted[0] = 3
    wrong, trust = second_opinion(points.astype(kind), given.astype(kind), labels, predicted)
    expected, share = by_ridge(points, given, labels, predicted)
    assert wrong == pytest.approx(expected, abs=close)
    assert trust == pytest.approx(share, abs=close)
    assert 0 < trust < 1


def test_names_of_classes_have_no_influence() -> None:
    points, given = RNG.normal(size=(5, 2)), RNG.normal(size=(8, 2))
    labels, predicted = np.arange(8) % 3, np.array([2, 1, 0, 0, 1])
    given += 4 * labels[:, None]
    other = np.array([5, 900, 3])
    wrong, trust = second_opinion(points, given, labels, predicted)
    named, share = second_opinion(points, given, other[labels], other[predicted])
    assert (named, share) == (pytest.approx(wrong), pytest.approx(trust))
    assert trust > 0


def test_of_very_many_labels_random_ones_count(monkeypatch: pytest.MonkeyPatch) -> None:
    points, labels = RNG.normal(size=(5, 2)), RNG.integers(0, 2, 50)
    given, predicted = RNG.normal(size=(50, 2)) + labels[:, None], np.array([0, 1, 0, 1, 1])
    monkeypatch.setattr("labelnext.selection.second_opinion._MOST", 20)
    some = np.random.default_rng(0).permutation(50)[:20]
    wrong, trust = second_opinion(points, given, labels, predicted)
    expected, share = by_ridge(points, given[some], labels[some], predicted)
    assert (wrong, trust) == (pytest.approx(expected), pytest.approx(share))
    assert second_opinion(points, given, labels, predicted, seed=1)[0] != pytest.approx(wrong)


def test_no_items_have_no_doubt() -> None:
    none, given = np.empty((0, 2)), np.zeros((2, 2))
    wrong, trust = second_opinion(none, given, np.array([0, 1]), np.empty(0, int))
    assert (wrong.shape, trust) == ((0,), 0)


@pytest.mark.parametrize("acquisition", ["margin", None])
def test_rank_herds_by_the_second_opinion(acquisition: str | None) -> None:
    pool = labelled_pool()
    points, given = pool.embeddings[:60], pool.embeddings[60:]
    predicted = pool.probabilities[:60].argmax(axis=1)
    wrong, trust = by_ridge(points, given, pool.labels[60:], predicted)
    top = np.sort(pool.probabilities[:60], axis=1)
    utility = 1 if acquisition is None else 1 - (top[:, -1] - top[:, -2])
    doubt = trust * wrong + (1 - trust) * utility
    assert 0.1 < trust < 0.9
    ranking = rank(pool, acquisition, budget=9, width=0.8, **ALONG)
    expected = brute_force(points, given, doubt, 9, "gaussian", 0.8)
    assert ranking.item_ids.tolist() == [str(100 + i) for i in expected]
    by_margin = rank(pool, "margin", selection="uncertainty_herding", budget=9, width=0.8)
    assert ranking.item_ids.tolist() != by_margin.item_ids.tolist()


def mixed_pool(order: np.ndarray | None = None) -> Pool:
    """Embeddings that explain nothing: each place with labels has labels of both classes."""
    pool, order = labelled_pool(), np.arange(66) if order is None else order
    alike = np.arange(6)[:, None] % 3 * [1.0, 1.0, 1.0]
    embeddings = np.concatenate([np.random.default_rng(0).normal(size=(60, 3)), alike])
    labels = np.where(np.arange(66) < 60, -1, np.arange(66) % 2)
    rows, ids = pool.probabilities, pool.item_ids
    assert rows is not None
    return Pool(
        ids[order], probabilities=rows[order], embeddings=embeddings[order], labels=labels[order]
    )


@pytest.mark.parametrize("options", [ALONG, {"selection": "auto"}])
@pytest.mark.parametrize(
    ("limits", "method"),
    [
        ({"budget": 9}, "cluster_margin"),
        ({"budget": 9, "quota": "uniform"}, "cluster_margin"),
        ({"budget": 13}, "top_k"),  # five times as many are more than there are
        ({"budget": None}, "top_k"),
    ],
)
def test_embeddings_that_explain_nothing_do_not_choose(
    limits: dict[str, Any], method: str, options: dict[str, Any]
) -> None:
    expected = rank(mixed_pool(), "margin", selection=method, **limits).item_ids.tolist()
    order = np.random.default_rng(1).permutation(66)
    for pool in (mixed_pool(), mixed_pool(order)):
        by_both = rank(pool, "margin", **limits, **options)
        assert by_both.item_ids.tolist() == expected
        assert (
            "The batch comes from the best scores alone, because labels that are left out are "
            "hardly predicted by the others and the embeddings."
        ) in [notice.message for notice in by_both.notices]


def test_without_scores_embeddings_that_explain_nothing_still_cover() -> None:
    by_both = rank(mixed_pool(), None, budget=9, **ALONG)
    herding = rank(mixed_pool(), None, budget=9, selection="uncertainty_herding")
    assert by_both.item_ids.tolist() == herding.item_ids.tolist()
    assert [notice.message for notice in by_both.notices] == [
        "About 0% of the doubt comes from labels and embeddings, by how well they predict labels "
        "that are left out."
    ]


@pytest.mark.parametrize("trust", [0.0, 0.049, 0.05, 0.2])
def test_the_least_trust_that_counts(trust: float, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("labelnext.selection.uncertainty_herding")
    wrong = np.array([0.9, 0.1, 0.5, 0.5])
    monkeypatch.setattr(module, "second_opinion", lambda *_, **__: (wrong, trust))
    points, none = np.array([[0.0], [0.1], [0.2], [9.0]]), np.empty((0, 1))
    classes = np.array([], dtype=int), np.zeros(4, dtype=int)
    utilities, options = np.array([0.1, 0.2, 0.3, 0.9]), {"width": 1.0, "doubt": "embeddings"}
    with pytest.warns(LabelnextWarning):
        picks = uncertainty_herding(points, none, utilities, 2, *classes, **options).tolist()
    by_hand = brute_force(points, none, trust * wrong + (1 - trust) * utilities, 2, "gaussian", 1.0)
    assert picks == ([3, 2] if trust < 0.05 else by_hand)
    assert by_hand != [3, 2]


@pytest.mark.parametrize("options", [ALONG, {"selection": "auto"}])
def test_order_of_rows_has_no_influence(options: dict[str, Any]) -> None:
    order = np.random.default_rng(1).permutation(66)
    first, second = (
        rank(pool, "margin", budget=20, **options)
        for pool in (labelled_pool(), labelled_pool(order))
    )
    assert first.recipe.selection_options == {"doubt": "embeddings"}
    assert first.item_ids.tolist() == second.item_ids.tolist()


def test_picks_of_a_quota_count_as_labelled_without_a_class() -> None:
    pool = labelled_pool()
    batch = rank(pool, budget=12, quota="uniform", dedupe=0.999, **ALONG).item_ids
    assert np.bincount(pool.predicted_classes[batch.astype(int) - 100]).tolist() == [4, 4, 4]


def test_one_answer_an_item_is_enough() -> None:
    pool = labelled_pool()
    classes, confidences = pool.probabilities.argmax(axis=1), pool.probabilities.max(axis=1)
    answers = Objects(np.arange(67), confidences, class_ids=classes, whole_items=True)
    single = Pool(pool.item_ids, objects=answers, embeddings=pool.embeddings, labels=pool.labels)
    batches = [rank(p, None, budget=9, **ALONG).item_ids.tolist() for p in (single, pool)]
    assert batches[0] == batches[1]


def test_a_run_goes_by_the_option(tmp_path: Path) -> None:
    pool = labelled_pool()
    columns = (pool.item_ids, pool.probabilities, pool.embeddings, pool.labels)
    lines = [
        {"id": i, "probabilities": p, "embedding": e, **({"label": y} if y >= 0 else {})}
        for i, p, e, y in zip(*(column.tolist() for column in columns), strict=True)
    ]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (tmp_path / "c.yaml").write_text(
        "source: {adapter: files, path: p.jsonl}\nreport: {path: null}\n"
        "selection: {method: uncertainty_herding, budget: 9, options: {doubt: embeddings}}\n"
    )
    chosen = run(tmp_path / "c.yaml", dry_run=True).ranking.item_ids.tolist()
    assert chosen == rank(pool, budget=9, **ALONG).item_ids.tolist()


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"labels": None}, {}, "without classes of the labels; got 'embeddings'"),
        ({"labels": [0, 0, -1]}, {}, "two classes are labelled; .* with labels of 1 class"),
        ({"labels": [-1, -1, -1]}, {}, "two classes are labelled; .* with labels of 0 classes"),
        ({"probabilities": None}, {}, "without predicted classes; got 'embeddings'"),
        ({"embeddings": None}, {}, "where class probabilities stand for embeddings"),
        ({}, {"space": "probabilities"}, "where class probabilities stand for embeddings"),
        ({}, {"similar_to": ["b"]}, "with similar_to"),
        ({"groups": ["g", "g", "h"]}, {"groups_as_items": True}, "with groups_as_items"),
        ({"multilabel": True, "labels": None}, {}, "for classes that are independent"),
        (
            {"probabilities": None, "objects": Objects([0, 1, 2, 2], [0.5, 0.6], class_ids=[0, 1])},
            {},
            "for a pool of objects",
        ),
    ],
)
def test_what_is_lacking_is_named_with_its_cure(
    changes: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    columns: dict[str, Any] = {
        "probabilities": [[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]],
        "embeddings": [[0.0], [1.0], [2.0]],
        "labels": [0, 1, -1],
        "classes": "xy",
        **changes,
    }
    with pytest.raises(InvalidInput, match=f"doubt must be utility .*{message}") as caught:
        rank(Pool("abc", **columns), None, **ALONG, **options)
    assert str(caught.value.hint).endswith("leave out doubt.")


def test_a_wrong_value_is_refused() -> None:
    with pytest.raises(InvalidInput, match="doubt must be one of utility, embeddings; got 'model'"):
        uncertainty_herding(np.zeros((2, 1)), np.zeros((1, 1)), doubt="model")
