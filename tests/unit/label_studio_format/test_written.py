"""Predictions that are written as regions are read back as they were."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from labelnext.errors import InvalidInput
from labelnext.pool import Objects, Pool
from labelnext_adapters.label_studio_format.columns import Columns
from labelnext_adapters.label_studio_format.predictions import make_pool
from labelnext_adapters.label_studio_format.regions import Setup
from labelnext_adapters.label_studio_format.written import Written, written

CHOICES = Setup("kind", "Choices", {"good": 0, "bad": 1, "odd": 2})
SEVERAL = Setup("kind", "Choices", {"good": 0, "bad": 1, "odd": 2}, multiple=True)
BOXES = Setup("box", "RectangleLabels", {"car": 0, "bus": 1})


def made_of(pool: Pool, setup: Setup) -> Written:
    return written(pool, np.flatnonzero(~pool.missing), setup, "image")


def read_back(made: Written, setup: Setup, n_items: int) -> Pool:
    """What our reader makes of the results, as stored on tasks 1, 2, …"""
    columns = Columns(setup)
    for row, result, score in zip(made.rows, made.results, made.scores, strict=True):
        columns.take(row + 1, row + 101, score, result.encode(), version="v8")
    tasks = range(1, n_items + 1)
    names = [f"i{row}" for row in range(n_items)]
    return make_pool({"v8": columns}, tasks, names, [False] * n_items, [])


def test_no_rows_make_nothing() -> None:
    pool = Pool(["a"], probabilities=[[0.5, 0.25, 0.25]])
    assert written(pool, np.empty(0, dtype=np.intp), CHOICES, "image") == Written()


def test_choice_has_the_likeliest_class_and_all_probabilities() -> None:
    made = made_of(Pool(["a"], probabilities=[[0.25, 0.75, 0.0]]), CHOICES)
    assert json.loads(made.results[0]) == [
        {
            "id": "labelnext-0",
            "from_name": "kind",
            "to_name": "image",
            "type": "choices",
            "value": {"choices": ["bad"], "probs": {"good": 0.25, "bad": 0.75}},
        }
    ]
    assert made.scores == [0.75]


def test_distributions_are_read_back_to_the_last_digit() -> None:
    rows = np.random.default_rng(0).dirichlet([1.0, 0.5, 0.2], 50)
    rows[7] = [1.0, 0.0, 0.0]
    pool = Pool([f"i{row}" for row in range(50)], probabilities=rows)
    back = read_back(made_of(pool, CHOICES), CHOICES, 50)
    assert pool.probabilities is not None
    np.testing.assert_array_equal(back.probabilities, pool.probabilities)
    assert back.versions == ("v8",)


def test_classes_of_the_file_are_matched_by_name() -> None:
    pool = Pool(["i0"], probabilities=[[0.75, 0.25]], classes=["odd", "good"])
    back = read_back(made_of(pool, CHOICES), CHOICES, 1)
    assert back.probabilities is not None
    assert back.probabilities.tolist() == [[0.25, 0.0, 0.75]]


def test_independent_classes_are_read_back_and_likely_ones_are_chosen() -> None:
    pool = Pool(["i0", "i1"], probabilities=[[0.5, 0.75, 0.0], [0.1, 0.3, 0.2]], multilabel=True)
    made = made_of(pool, SEVERAL)
    chosen = [json.loads(result)[0]["value"]["choices"] for result in made.results]
    assert chosen == [["good", "bad"], ["bad"]]
    back = read_back(made, SEVERAL, 2)
    assert back.multilabel
    assert back.probabilities is not None
    assert back.probabilities.tolist() == [[0.5, 0.75, 0.0], [0.1, 0.3, 0.2]]


def test_numbers_of_single_precision_are_not_made_longer() -> None:
    rows = np.array([[0.1, 0.2, 0.7]], dtype=np.float32)
    made = made_of(Pool(["i0"], probabilities=rows), CHOICES)
    probs = json.loads(made.results[0])[0]["value"]["probs"]
    assert all(len(str(p)) <= 11 for p in probs.values())
    back = read_back(made, CHOICES, 1)
    np.testing.assert_allclose(back.probabilities, rows, atol=1e-7)


def test_one_confidence_stays_one_confidence() -> None:
    answers = Objects([0, 1, 2, 3], [0.5, 0.75, 0.25], class_ids=[1, 2, -1], whole_items=True)
    made = made_of(Pool(["i0", "i1", "i2"], objects=answers), CHOICES)
    assert made.left_out == ["1 prediction without a class: i2."]
    back = read_back(made, CHOICES, 3)
    assert back.answer is not None
    assert back.answer.confidences.tolist() == [0.5, 0.75]
    assert back.answer.class_ids is not None
    assert back.answer.class_ids.tolist() == [1, 2]
    assert back.missing.tolist() == [False, False, True]


def test_boxes_are_read_back_with_vectors_and_an_item_without_objects() -> None:
    boxes = [[0.1, 0.2, 0.3, 0.7], [0.0, 0.0, 1.0, 1.0]]
    vectors = [[0.75, 0.25], [0.125, 0.5]]
    objects = Objects([0, 2, 2], [0.75, 0.5], class_ids=[0, 1], boxes=boxes, probabilities=vectors)
    made = made_of(Pool(["i0", "i1"], objects=objects), BOXES)
    assert made.scores == [0.625, None]
    assert made.results[1] == "[]"
    (back,) = read_back(made, BOXES, 2).object_sets
    assert back.offsets.tolist() == [0, 2, 2]
    assert back.confidences.tolist() == [0.75, 0.5]
    assert back.class_ids is not None
    assert back.class_ids.tolist() == [0, 1]
    np.testing.assert_allclose(back.boxes, boxes, atol=1e-12)
    assert back.probabilities is not None
    assert back.probabilities.tolist() == vectors


def test_objects_without_box_class_or_confidence_are_counted() -> None:
    nan = [np.nan] * 4
    objects = Objects(
        [0, 3, 4],
        [0.5, 0.5, np.nan, 0.5],
        class_ids=[0, -1, 0, 1],
        boxes=[nan, [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0.5, 0.5]],
    )
    made = made_of(Pool(["i0", "i1"], objects=objects), BOXES)
    assert made.left_out == ["3 objects without a class, box or confidence: i0."]
    assert made.rows == [1]  # nothing is left of the first, which isn't an image without objects
    assert [len(json.loads(result)) for result in made.results] == [1]


@pytest.mark.parametrize(
    ("tag", "classes", "value"),
    [
        ("Rating", ["1", "2", "3"], {"rating": 3}),
        ("Pairwise", ["left", "right"], {"selected": "right"}),
        ("Taxonomy", ["a / x", "a / y"], {"taxonomy": [["a", "y"]]}),
    ],
)
def test_other_tags_of_whole_items_are_read_back(
    tag: str, classes: list[str], value: dict[str, Any]
) -> None:
    setup = Setup("kind", tag, {name: i for i, name in enumerate(classes)})
    row = [0.25, 0.75] if len(classes) == 2 else [0.25, 0.25, 0.5]
    made = made_of(Pool(["i0"], probabilities=[row], classes=classes), setup)
    said = json.loads(made.results[0])[0]["value"]
    assert {name: said[name] for name in value} == value
    back = read_back(made, setup, 1)
    assert back.probabilities is not None
    assert back.probabilities.tolist() == [row]


def refused(pool: Pool, setup: Setup) -> str:
    with pytest.raises(InvalidInput) as caught:
        made_of(pool, setup)
    return caught.value.message


def test_what_the_tag_cannot_hold_is_refused() -> None:
    two, three = [[0.5, 0.5]], [[0.5, 0.25, 0.25]]
    assert refused(Pool(["a"], probabilities=two), CHOICES) == (
        "the predictions must have the 3 classes of control tag 'kind'; got 2."
    )
    assert refused(Pool(["a"], probabilities=two, classes=["good", "new"]), CHOICES) == (
        "classes of the predictions must be among those of control tag 'kind': good, bad, odd; "
        "got new."
    )
    assert refused(Pool(["a"], probabilities=three), BOXES) == (
        "control tag 'box' must be Choices, Taxonomy, Pairwise, Rating for predictions of whole "
        "items; got RectangleLabels."
    )
    one = Objects([0, 1], [0.5], class_ids=[0], boxes=[[0, 0, 1, 1]])
    assert refused(Pool(["a"], objects=one), CHOICES) == (
        "control tag 'kind' must be RectangleLabels for predicted boxes; got Choices."
    )
    assert refused(Pool(["a"], probabilities=three, multilabel=True), CHOICES) == (
        "control tag 'kind' must allow several choices for classes that are independent; it "
        "allows one."
    )
    together = Setup("box", "RectangleLabels", {"car": 0}, others={"poly": "PolygonLabels"})
    assert "must be one control tag" in refused(Pool(["a"], objects=one), together)


@pytest.mark.parametrize(
    ("setup", "said"),
    [
        (Setup("age", "Number", {}), [{"number": 2.568}, {"number": 7.0}]),
        (Setup("age", "Rating", {"1": 0, "2": 1, "3": 2}), [{"rating": 3}, {"rating": 3}]),
    ],
)
def test_predicted_numbers_are_numbers_or_whole_stars(setup: Setup, said: list[Any]) -> None:
    sure = Objects([0, 1, 2], [0.9, 0.5], whole_items=True)
    made = made_of(Pool("ab", objects=sure, estimates=[2.56789, 7.0]), setup)
    assert [json.loads(result)[0]["value"] for result in made.results] == said
    assert made.scores == [0.9, 0.5]
    with pytest.raises(InvalidInput, match="must be Number, Rating for predicted numbers"):
        made_of(Pool("ab", objects=sure, estimates=[1, 2]), CHOICES)
