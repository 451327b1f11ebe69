"""Vectors over the classes are found under the names that people give them, and named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput
from tests.integration.test_fiftyone_read import add, box, boxes

pytest_plugins = ("tests.integration.mongod",)

ROWS = ([0.75, 0.25], [0.5, 0.5])


def read(dataset: Any, **source: Any) -> Any:
    return open_adapter("fiftyone", dataset=dataset.name, pred_field="pred", **source).read()


def said(pool: Any) -> list[str]:
    return [notice.message for notice in pool.notices if notice.code == "vectors"]


def classes(dataset: Any, attribute: str, rows: Any) -> None:
    import fiftyone as fo

    preds = [{"pred": fo.Classification(label="a", **{attribute: row})} for row in rows]
    add(dataset, *preds, {"pred": None}, classes=["a", "b"])


@pytest.mark.parametrize("attribute", ["probs", "softmax", "scores"])
@pytest.mark.parametrize("stored", [list, np.array])
def test_probabilities_are_found_by_usual_names(dataset: Any, attribute: str, stored: Any) -> None:
    classes(dataset, attribute, map(stored, ROWS))
    pool = read(dataset)
    np.testing.assert_allclose(pool.probabilities[:2], ROWS)
    assert said(pool) == [f"pred.{attribute} is read as the probabilities of the classes."]
    adapter = open_adapter("fiftyone", dataset=dataset.name, pred_field="pred")
    assert f"pred holds {attribute}." in [finding.message for finding in adapter.check()]


def test_scores_that_are_no_probabilities_are_logits(dataset: Any) -> None:
    classes(dataset, "scores", [[np.log(3.0), 0.0], [-1.0, -1.0]])
    pool = read(dataset)
    np.testing.assert_allclose(pool.probabilities[:2], ROWS)
    assert said(pool) == ["pred.scores is read as the logits of the classes."]


def test_an_attribute_of_any_name_is_read_when_named(dataset: Any) -> None:
    classes(dataset, "mine", ROWS)
    assert read(dataset).probabilities is None or np.isnan(read(dataset).probabilities).all()
    np.testing.assert_allclose(read(dataset, vectors="mine").probabilities[:2], ROWS)
    adapter = open_adapter("fiftyone", dataset=dataset.name, pred_field="pred", vectors="mine")
    assert "pred holds mine." in [finding.message for finding in adapter.check()]
    with pytest.raises(InvalidInput, match="holds a number for each class; got 'other'"):
        read(dataset, vectors="other")


def test_numbers_in_the_unit_range_that_do_not_sum_to_one_are_not_taken(dataset: Any) -> None:
    import fiftyone as fo

    preds = [fo.Classification(label="a", confidence=c, scores=[c, 0.5, 0.5]) for c in (0.9, 0.6)]
    add(dataset, *({"pred": p} for p in preds), classes=["a", "b", "c"])
    pool = read(dataset)
    assert pool.probabilities is None
    assert "pred.scores is not read" in said(pool)[0]
    with pytest.raises(InvalidInput, match="must sum to 1 or be logits"):
        read(dataset, vectors="scores")


BY_NAME = ({"a": 0.75, "b": 0.25}, {"b": 0.5, "a": 0.5})


@pytest.mark.parametrize("attribute", ["probs", "scores", "mine"])
def test_numbers_by_class_are_read(dataset: Any, attribute: str) -> None:
    classes(dataset, attribute, BY_NAME)
    vectors = attribute if attribute == "mine" else None
    pool = read(dataset, vectors=vectors)
    np.testing.assert_allclose(pool.probabilities[:2], ROWS)
    assert pool.classes == ("a", "b")
    assert said(pool) == [f"pred.{attribute} is read as the probabilities of the classes."]
    adapter = open_adapter("fiftyone", dataset=dataset.name, pred_field="pred", vectors=vectors)
    assert f"pred holds {attribute}." in [finding.message for finding in adapter.check()]


def test_numbers_by_class_name_the_classes_where_none_are_declared(dataset: Any) -> None:
    classes(dataset, "scores", [{"z": np.log(3.0), "y": 0.0}, {"y": 1.0, "z": 1.0}])
    dataset.default_classes = []
    pool = read(dataset)
    assert pool.classes == ("y", "z")
    np.testing.assert_allclose(pool.probabilities[:2], [[0.25, 0.75], [0.5, 0.5]])
    dataset.default_classes = ["z", "y"]
    np.testing.assert_allclose(read(dataset).probabilities[:2], ROWS)


def test_numbers_by_class_of_boxes_are_read(dataset: Any) -> None:
    named = [box(label="a", scores=row) for row in BY_NAME]
    add(dataset, {"pred": boxes(*named)}, {"pred": boxes()}, {"pred": None}, classes=["a", "b"])
    (objects,) = read(dataset).object_sets
    np.testing.assert_allclose(objects.probabilities, ROWS)


def test_numbers_of_some_classes_give_no_score_and_are_counted(dataset: Any) -> None:
    classes(dataset, "scores", [{"a": 0.75, "b": 0.25}, {"a": 1.0}])
    pool = read(dataset)
    np.testing.assert_allclose(pool.probabilities[0], ROWS[0])
    assert np.isnan(pool.probabilities[1]).all()
    assert [len(notice.item_ids) for notice in pool.notices if notice.code == "ragged"] == [1]


@pytest.mark.parametrize("stored", [{"a": 0.9}, "0.75, 0.25", [{"label": "a", "score": 0.75}], {}])
@pytest.mark.parametrize("boxed", [False, True])
def test_what_is_no_vector_is_named(dataset: Any, stored: Any, boxed: bool) -> None:
    import fiftyone as fo

    one = box("a", 0.9, scores=stored)
    label = fo.Classification(label="a", confidence=0.9, scores=stored)
    pred = boxes(one) if boxed else label
    add(dataset, {"pred": pred}, {"pred": pred.copy()}, classes=["a", "b", "c"])
    (text,) = said(read(dataset))
    path = "pred.detections.scores" if boxed else "pred.scores"
    wanted = "it must hold a number for each of its 3 classes, in their order or by name."
    assert text == f"{path} is not read: {wanted}"
    with pytest.raises(InvalidInput, match="a number for each of its 3 classes"):
        read(dataset, vectors="scores")


def test_usual_names_come_first(dataset: Any) -> None:
    import fiftyone as fo

    pred = fo.Classification(label="a", logits=np.log([3.0, 1.0]), probs=[0.5, 0.5])
    add(dataset, {"pred": pred}, classes=["a", "b"])
    np.testing.assert_allclose(read(dataset).probabilities, [[0.75, 0.25]])
    np.testing.assert_allclose(read(dataset, vectors="probs").probabilities, [[0.5, 0.5]])


def test_vectors_of_boxes_and_of_several_labels_are_found(dataset: Any) -> None:
    import fiftyone as fo

    inner = [fo.Classification(label="a", confidence=0.9)]
    add(
        dataset,
        {
            "pred": boxes(box(probs=[0.75, 0.25]), box(probs=[0.5, 0.5])),
            "many": fo.Classifications(classifications=inner, scores=[0.9, 0.7]),
        },
        {"pred": boxes(), "many": fo.Classifications(classifications=inner, scores=[0.2, 0.1])},
        classes=["a", "b"],
    )
    (objects,) = read(dataset).object_sets
    np.testing.assert_allclose(objects.probabilities, ROWS)
    pool = open_adapter("fiftyone", dataset=dataset.name, pred_field="many").read()
    assert pool.multilabel
    np.testing.assert_allclose(pool.probabilities, [[0.9, 0.7], [0.2, 0.1]])
