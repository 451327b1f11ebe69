"""Predictions of Label Studio, collected as columns."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest

from labelnext.errors import InvalidInput
from labelnext.pool import Notice
from labelnext_adapters.label_studio_format.predictions import Columns, Content
from labelnext_adapters.label_studio_format.regions import Setup

BOXES = Setup("box", "RectangleLabels", {"car": 0, "bus": 1})


def box(score: float | None, label: str = "car", x: int = 10, **value: Any) -> dict[str, Any]:
    place = {"x": x, "y": 20, "width": 30, "height": 40}
    region = {"from_name": "box", "value": {**place, "rectanglelabels": [label], **value}}
    return region if score is None else {**region, "score": score}


def take(columns: Columns, task: int, number: int, *regions: dict[str, Any]) -> None:
    columns.take(task, number, None, msgspec.Raw(json.dumps(regions).encode()))


def content(columns: Columns, *tasks: int) -> tuple[Content, list[Notice]]:
    notices: list[Notice] = []
    return columns.content(tasks, {t: f"item {t}" for t in tasks}, notices), notices


def confidences(columns: Columns, *tasks: int) -> list[list[float]]:
    objects: Any = content(columns, *tasks)[0].objects
    parts = np.split(objects.confidences, objects.offsets[1:-1])
    return [part.tolist() for part in parts]


def test_no_prediction_is_no_content() -> None:
    got, notices = content(Columns(BOXES), 1, 2)
    assert got.probabilities is None
    assert got.objects is None
    assert got.present.tolist() == [False, False]
    assert notices == []


def test_objects_stand_in_the_order_of_the_tasks_whatever_the_order_of_the_predictions() -> None:
    columns = Columns(BOXES)
    take(columns, 3, 1, box(0.25), box(0.5))
    take(columns, 1, 2, box(0.75, x=50))
    take(columns, 2, 3)
    assert confidences(columns, 1, 2, 3) == [[0.75], [], [0.25, 0.5]]
    objects: Any = content(columns, 1, 2, 3)[0].objects
    np.testing.assert_allclose(objects.boxes[0], [0.5, 0.2, 0.8, 0.6])


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_the_prediction_with_the_larger_number_counts(order: tuple[int, int]) -> None:
    columns = Columns(BOXES)
    for number in order:
        take(columns, 5, number, box(number / 4))
    assert confidences(columns, 5) == [[0.5]]
    assert [n.code for n in content(columns, 5)[1]] == ["repeated_predictions"]


def test_a_newer_prediction_takes_the_place_of_a_broken_one() -> None:
    columns = Columns(BOXES)
    take(columns, 5, 1, box(0.5, x="ten"))  # type: ignore[arg-type]
    take(columns, 6, 2, box(7.5))
    take(columns, 7, 3, box(0.5, "tram"))
    take(columns, 5, 4, box(0.5))
    take(columns, 6, 5, box(0.5))
    take(columns, 7, 6, box(0.5))
    assert confidences(columns, 5, 6, 7) == [[0.5], [0.5], [0.5]]


def test_a_prediction_that_comes_twice_counts_once() -> None:
    columns = Columns(BOXES)
    take(columns, 5, 1, box(0.5))
    take(columns, 5, 1, box(0.5))
    assert confidences(columns, 5) == [[0.5]]
    assert content(columns, 5)[1] == []


def test_what_is_wrong_with_tasks_that_are_not_read_is_nobodys_matter() -> None:
    columns = Columns(BOXES)
    take(columns, 1, 1, box(0.5))
    take(columns, 2, 2, box(7.5))
    take(columns, 3, 3, box(0.5, "tram"))
    take(columns, 4, 4, box(None))
    assert content(columns, 1)[1] == []
    with pytest.raises(InvalidInput, match="got 7.5 for item item 2"):
        content(columns, 1, 2)
    with pytest.raises(InvalidInput, match="got 'tram' for item item 3"):
        content(columns, 3)
    assert [n.item_ids for n in content(columns, 1, 3)[1]] == [("item 3",)]
    assert [n.item_ids for n in content(columns, 1, 4)[1]] == [("item 4",)]


def test_vectors_of_objects_stand_beside_their_objects() -> None:
    columns = Columns(BOXES)
    take(columns, 2, 1, box(0.5, probs=[0.5, 0.5]), box(0.75, probs=[0.75, 0.25]))
    take(columns, 1, 2, box(1.0, probs=[1.0, 0.0]))
    objects: Any = content(columns, 1, 2)[0].objects
    assert objects.probabilities.tolist() == [[1, 0], [0.5, 0.5], [0.75, 0.25]]
    take(columns, 3, 3, box(0.25))
    got, notices = content(columns, 1, 2, 3)
    assert got.objects is not None
    assert got.objects.probabilities is None
    assert [(n.code, n.item_ids) for n in notices] == [("partial_vectors", ("item 3",))]
