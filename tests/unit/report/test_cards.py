"""What a card says: classes, boxes, and the reason in plain words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from labelnext.pool import Objects, Pool
from labelnext.ranking import rank
from labelnext.ranking.reasons import reason, why
from labelnext.report.cards import cards_of
from labelnext.runs.ranked import with_why

CLASSES = ["cat", "dog"]


def cards(pool: Pool, name: str, **options: Any) -> list[Any]:
    ranking = rank(pool, name, **options)
    rows = [{**row, "reason": ""} for row in ranking.to_rows()]
    places = [pool.item_ids.tolist().index(row["item_id"]) for row in rows]
    return cards_of(pool, ranking, rows, np.array(places, dtype=np.intp))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ([0.51, 0.49], "The model can hardly tell cat (51%) from dog (49%)."),
        ([0.3, 0.7], "The model leans to dog (70%), but it may be cat (30%)."),
        ([0.95, 0.05], "The model says cat (95%)."),
        ([np.nan, np.nan], "Its prediction is incomplete."),
    ],
)
def test_probabilities_in_words(row: list[float], words: str) -> None:
    assert why(Pool(["a"], probabilities=[row], classes=CLASSES), 0, "items") == words


def test_versions_that_disagree_in_words() -> None:
    members = [[[0.9, 0.1]], [[0.2, 0.8]], [[0.4, 0.6]]]
    pool = Pool(["a"], probabilities=members, classes=CLASSES)
    assert why(pool, 0, "items") == "The 3 model versions disagree: 2 for dog, 1 for cat."


def test_independent_classes_in_words() -> None:
    pool = Pool(["a"], probabilities=[[0.9, 0.45]], classes=CLASSES, multilabel=True)
    assert why(pool, 0, "items") == "The model is least sure about dog (45%)."


def test_one_confidence_in_words() -> None:
    answers = Objects([0, 1, 2], [0.55, 0.9], class_ids=[1, 0], whole_items=True)
    pool = Pool(["a", "b"], objects=answers, classes=CLASSES)
    assert why(pool, 0, "items") == "The model is only 55% sure of dog."
    assert why(pool, 1, "items") == "The model is 90% sure of cat."


@pytest.mark.parametrize(
    ("confidences", "words"),
    [
        ([], "The model found nothing here."),
        ([0.9], "The model found 1 object: cat (90%)."),
        ([0.9, 0.8], "The model found 2 objects; none with a confidence near one half."),
        ([0.3], "The only object is doubtful: cat (30%)."),
        ([0.3, 0.4], "Both objects are doubtful: dog (40%), cat (30%)."),
        ([0.9, 0.3], "1 of 2 objects is doubtful: dog (30%)."),
        ([0.7, 0.45, 0.9], "2 of 3 objects are doubtful: dog (45%), cat (70%)."),
        ([0.5, 0.6, 0.3, 0.75], "All 4 objects are doubtful: cat (50%), dog (60%), cat (30%) …"),
    ],
)
def test_objects_in_words(confidences: list[float], words: str) -> None:
    n = len(confidences)
    objects = Objects([0, n], confidences, class_ids=[i % 2 for i in range(n)])
    assert why(Pool(["a"], objects=objects, classes=CLASSES), 0, "objects") == words


def test_objects_below_the_floor_are_none_in_words() -> None:
    objects = Objects([0, 3, 4], [0.9, 0.45, 0.2, 0.1], class_ids=[0, 1, 1, 1])
    pool = Pool(["a", "b"], objects=objects, classes=CLASSES)
    told = [why(pool, row, "objects", 0.5) for row in (0, 1)]
    assert told == [
        "The model found 1 object: cat (90%).",
        "The model found nothing here of which it is at least 50% sure.",
    ]
    ranking = with_why(pool, rank(pool, "entropy", of="objects", floor=0.5))
    assert ranking.why == {"a": told[0], "b": told[1]}
    assert {card.item_id: card.why for card in cards(pool, "entropy", of="objects", floor=0.5)} == {
        "a": told[0],
        "b": told[1],
    }


def test_spans_are_no_objects_in_words() -> None:
    spans = Objects([0, 2], [0.9, 0.4], class_ids=[0, 1], spans=True)
    pool = Pool(["a"], objects=spans, classes=CLASSES)
    assert why(pool, 0, "objects") == "1 of 2 spans is doubtful: dog (40%)."
    assert reason(pool, 0, "objects") == "2 spans: cat 0.90, dog 0.40"


@pytest.mark.parametrize(
    ("sure", "words"),
    [(0.994, "99%"), (0.995, "over 99%"), (1.0, "100%"), (0.004, "under 1%")],
)
def test_what_is_nearly_certain_is_not_called_certain(sure: float, words: str) -> None:
    answers = Objects([0, 1], [sure], class_ids=[1], whole_items=True)
    pool = Pool(["a"], objects=answers, classes=CLASSES)
    assert why(pool, 0, "items") == f"The model is {words} sure of dog."
    if sure > 0.5:
        rows = Pool(["a"], probabilities=[[1 - sure, sure]], classes=CLASSES)
        assert why(rows, 0, "items") == f"The model says dog ({words})."


def test_missing_prediction_in_words() -> None:
    pool = Pool(["a"], probabilities=[[np.nan] * 2], classes=CLASSES, missing=[True])
    assert why(pool, 0, "items") == "The model has not seen it yet."


def test_doubtful_boxes_are_told_apart_and_lie_on_top() -> None:
    boxes = [[0, 0, 0.5, 0.5], [0.1, 0.1, 0.2, 0.2], [0.5, 0.5, 1, 1], [np.nan] * 4]
    objects = Objects([0, 4], [0.25, 0.9, 0.2, 0.5], class_ids=[0, 1, -1, 0], boxes=boxes)
    (card,) = cards(Pool(["a"], objects=objects, classes=CLASSES), "least_confidence", of="objects")
    shown = [(box.label, box.confidence, box.doubtful) for box in card.boxes]
    assert shown == [("", 0.2, False), ("dog", 0.9, False), ("cat", 0.25, True)]
    assert card.n_boxes == 3
    assert card.classes == ("cat", "dog")
    assert card.boxes[2].corners == (0, 0, 0.5, 0.5)


def test_many_boxes_are_bounded_and_the_doubtful_ones_stay() -> None:
    n = 50
    objects = Objects([0, n], [0.5] + [0.9] * (n - 1), boxes=[[0, 0, 1, 1]] * n)
    (card,) = cards(Pool(["a"], objects=objects), "least_confidence", of="objects")
    assert (len(card.boxes), card.n_boxes) == (30, 50)
    assert [box.doubtful for box in card.boxes] == [False] * 29 + [True]


def test_card_of_probabilities_has_the_likeliest_class() -> None:
    pool = Pool(["a", "b"], probabilities=[[0.4, 0.6], [0.8, 0.2]], classes=CLASSES)
    shown = cards(pool, "margin")
    assert [(card.item_id, card.rank, card.classes) for card in shown] == [
        ("a", 1, ("dog",)),
        ("b", 2, ("cat",)),
    ]
