from __future__ import annotations

import numpy as np
import pytest

from labelnext.errors import InvalidInput, LabelnextWarning
from labelnext.pool import Objects, Pool
from labelnext.ranking import Ranking, rank
from labelnext.selection.auto import auto

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(60, 3))
ROWS = RNG.dirichlet(np.ones(2), 60)


def pool(n_labels: int, **columns: object) -> Pool:
    return Pool(range(60), labelled=np.arange(60) < n_labels, **columns)


def said(ranking: Ranking) -> str:
    (notice,) = ranking.notices
    return notice.message


@pytest.mark.parametrize(
    ("n_labels", "acquisition", "columns", "method", "why"),
    [
        (
            0,
            "margin",
            {"probabilities": ROWS},
            "top_k",
            "the pool has scores but no embeddings",
        ),
        (
            3,
            "margin",
            {"probabilities": ROWS, "embeddings": POINTS},
            "typiclust",
            "the pool has embeddings, but only 3 labelled items have one, fewer than 4",
        ),
        (
            4,
            "margin",
            {"probabilities": ROWS, "embeddings": POINTS},
            "uncertainty_herding",
            "the pool has scores, embeddings and at least 4 labels",
        ),
        (
            4,
            None,
            {"probabilities": ROWS, "embeddings": POINTS},
            "badge",
            "the pool has probabilities and embeddings, but no scores",
        ),
        (
            0,
            None,
            {"embeddings": POINTS},
            "typiclust",
            "the pool has embeddings, but no labelled item has one yet",
        ),
        (
            19,
            None,
            {"embeddings": POINTS},
            "typiclust",
            "the pool has embeddings, but only 19 labelled items have one, fewer than 20",
        ),
        (
            20,
            None,
            {"embeddings": POINTS},
            "typiclust",
            "the pool has embeddings but no scores",
        ),
        (
            0,
            "mean_object_confidence",
            {"objects": Objects(np.arange(61), RNG.random(60))},
            "top_k",
            "the pool has scores but no embeddings",
        ),
        (
            0,
            "mean_object_confidence",
            {"objects": Objects(np.arange(61), RNG.random(60), class_ids=np.arange(60) % 2)},
            "top_k",
            "the pool has scores but no embeddings",
        ),
    ],
)
def test_auto_is_the_method_that_it_names_and_says_why(
    n_labels: int, acquisition: str | None, columns: dict[str, object], method: str, why: str
) -> None:
    items = pool(n_labels, **columns)
    ranking = rank(items, acquisition, selection="auto", budget=8, seed=2)
    wide = method == "uncertainty_herding" and "embeddings" in columns
    options = {"width": "pool"} if wide else {}
    expected = rank(items, acquisition, selection=method, budget=8, seed=2, **options)
    assert ranking.item_ids.tolist() == expected.item_ids.tolist()
    assert said(ranking) == f"auto chose {method}: {why}."


@pytest.mark.parametrize(("n_labels", "n_seen", "few"), [(19, 3, 20), (21, 11, 22)])
def test_classes_that_nobody_gave_count_only_below_20_labels(
    n_labels: int, n_seen: int, few: int
) -> None:
    def ranked(n: int) -> Ranking:
        labels = np.where(np.arange(60) < n, np.arange(60) % n_seen, -1)
        rows = np.full((60, 30), 1 / 30)
        items = Pool(range(60), probabilities=rows, embeddings=POINTS, labels=labels)
        return rank(items, "margin", selection="auto", budget=8, seed=2)

    why = f"auto chose typiclust: the pool has embeddings, but only {n_labels} labelled items"
    assert said(ranked(n_labels)) == f"{why} have one, fewer than {few}."
    assert ranked(few).selection == "uncertainty_herding"


CLASSES = np.where(np.arange(60) < 8, np.arange(60) % 2, -1)


def test_labels_of_two_classes_give_a_second_opinion() -> None:
    items = Pool(range(60), probabilities=ROWS, embeddings=POINTS, labels=CLASSES)
    ranking = rank(items, "margin", selection="auto", budget=8, seed=2)
    named = {"selection": "uncertainty_herding", "doubt": "embeddings"}
    expected = rank(items, "margin", budget=8, seed=2, **named)
    assert ranking.item_ids.tolist() == expected.item_ids.tolist()
    assert [notice.message for notice in ranking.notices] == [
        "auto chose uncertainty_herding: the pool has scores, embeddings and at least 4 labels, "
        "whose classes give a second opinion (doubt: embeddings).",
        expected.notices[0].message,
    ]


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({"labels": np.where(CLASSES == 1, 0, CLASSES)}, {}),
        ({"labels": None, "labelled": CLASSES >= 0}, {}),
        ({"embeddings": np.where(CLASSES[:, None] == 1, np.nan, POINTS)}, {}),
        ({"multilabel": True, "labels": None, "labelled": CLASSES >= 0}, {}),
        ({}, {"similar_to": ["30"]}),
        ({"groups": [f"g{i // 2}" for i in range(60)]}, {"groups_as_items": True}),
    ],
    ids=["one class", "no classes", "one class embedded", "multilabel", "similar_to", "groups"],
)
def test_auto_does_without_a_second_opinion_that_it_cannot_get(
    changes: dict[str, object], options: dict[str, object]
) -> None:
    columns = {"probabilities": ROWS, "embeddings": POINTS, "labels": CLASSES} | changes
    items = Pool(range(60), **columns)
    ranking = rank(items, "least_confidence", selection="auto", budget=8, **options)
    named = {"selection": "uncertainty_herding", "width": "pool", **options}
    expected = rank(items, "least_confidence", budget=8, **named)
    assert ranking.selection == "uncertainty_herding"
    assert ranking.item_ids.tolist() == expected.item_ids.tolist()


def test_nothing_to_go_by_is_refused() -> None:
    with pytest.raises(InvalidInput, match="auto needs embeddings or an acquisition function"):
        rank(pool(0), None, selection="auto")


def test_a_space_that_is_named_is_taken() -> None:
    items = pool(3, probabilities=ROWS, embeddings=POINTS)
    named, method = {"space": "probabilities", "budget": 5}, "weighted"
    ranking = rank(items, "margin", selection="auto", **named)
    expected = rank(items, "margin", selection=method, **named)
    assert ranking.item_ids.tolist() == expected.item_ids.tolist()
    without = rank(pool(3, probabilities=ROWS), "margin", selection="auto", space="embeddings")
    assert without.selection == "top_k"


SEVERAL = RNG.dirichlet(np.ones(3), 60)


@pytest.mark.parametrize("n_labels", [0, 9])
def test_without_embeddings_several_classes_are_spread(n_labels: int) -> None:
    items = pool(n_labels, probabilities=SEVERAL)
    ranking = rank(items, "margin", selection="auto", budget=8)
    expected = rank(items, "margin", selection="weighted", space="probabilities", budget=8)
    assert ranking.item_ids.tolist() == expected.item_ids.tolist()
    assert ranking.item_ids.tolist() != rank(items, "margin", budget=8).item_ids.tolist()
    why = "auto chose weighted: items are compared by their class probabilities."
    assert why in [notice.message for notice in ranking.notices]


def test_several_labels_an_item_are_not_spread_unasked() -> None:
    items = pool(9, probabilities=SEVERAL, multilabel=True)
    assert rank(items, "entropy", selection="auto", budget=8).selection == "top_k"


def test_the_function_alone_chooses_as_rank_does() -> None:
    doubt = 1 - np.abs(ROWS[:, 0] - ROWS[:, 1]) - 1
    for n_labels in (3, 4):
        items = pool(n_labels, probabilities=ROWS, embeddings=POINTS)
        with pytest.warns(LabelnextWarning, match="auto chose"):
            picks = auto(doubt[n_labels:], POINTS[n_labels:], POINTS[:n_labels], ROWS, 6)
        expected = rank(items, "margin", selection="auto", budget=6).item_ids.astype(int)
        assert (picks + n_labels).tolist() == expected.tolist()
    items = Pool(range(60), probabilities=ROWS, embeddings=POINTS, labels=CLASSES)
    given = doubt[8:], POINTS[8:], POINTS[:8], ROWS[8:], 6, CLASSES[:8], ROWS[8:].argmax(axis=1)
    with (
        pytest.warns(LabelnextWarning, match="auto chose"),
        pytest.warns(LabelnextWarning, match="left out"),
    ):
        picks = auto(*given)
    expected = rank(items, "margin", selection="auto", budget=6).item_ids.astype(int)
    assert (picks + 8).tolist() == expected.tolist()


EVEN = np.full((60, 2), 0.5)


@pytest.mark.parametrize("n_labels", [0, 4])
@pytest.mark.parametrize(
    "columns",
    [
        {"probabilities": ROWS, "embeddings": np.zeros((60, 3))},
        {"probabilities": ROWS, "embeddings": np.ones((60, 3))},
        {"probabilities": EVEN, "embeddings": POINTS},
        {"probabilities": EVEN},
        {"probabilities": np.tile([1.0, 0.0], (60, 1))},
    ],
    ids=["zeros", "one point", "no doubt apart", "one row of probabilities", "no doubt at all"],
)
def test_pools_without_differences_still_give_a_batch(
    n_labels: int, columns: dict[str, object]
) -> None:
    items = pool(n_labels, **columns)
    for budget, size in ((7, 7), (100, 60 - n_labels), (None, 60 - n_labels)):
        batch = rank(items, "margin", selection="auto", budget=budget).item_ids
        assert len(set(batch.tolist())) == len(batch) == size


@pytest.mark.parametrize("column", ["embeddings", "probabilities"])
def test_items_with_nan_are_left_out_by_name(column: str) -> None:
    columns = {"probabilities": ROWS.copy(), "embeddings": POINTS.copy()}
    columns[column][[7, 30]] = np.nan
    missing = np.isnan(columns["probabilities"]).any(axis=1)
    if column == "probabilities":
        del columns["embeddings"]
    items = pool(4, missing=missing, **columns)
    ranking = rank(items, "margin", selection="auto", budget=99)
    herded = "embeddings" in columns
    assert ranking.selection == ("uncertainty_herding" if herded else "top_k")
    assert set(ranking.unscored_ids) == {"7", "30"}
    assert len(ranking) == 54
