"""What people are shown of a batch follows from what its pool predicts."""

from __future__ import annotations

import math
from typing import Any

import pytest

from labelnext.adapter.batch import Batch, Item, Mark, Origin
from labelnext.adapter.marks import with_predictions
from labelnext.pool.objects import Objects
from labelnext.pool.pool import Pool

NAN = math.nan


def shown(pool: Pool, *item_ids: str, classes: tuple[str, ...] = ()) -> Batch:
    items = tuple(Item(item, f"{item}.png") for item in item_ids)
    origin = Origin("files", "pool", "1")
    return with_predictions(Batch(origin, "r", "items", classes, "r", items), pool)


def marks(batch: Batch) -> list[Any]:
    return [item.marks for item in batch.items]


def test_an_empty_batch_knows_the_classes_and_what_is_labelled() -> None:
    pool = Pool([], objects=Objects([0], []), classes=["cat"])
    found = shown(pool)
    assert (found.unit, found.classes, found.items) == ("objects", ("cat",), ())


def test_one_class_of_each_item_is_the_likeliest_with_its_probability() -> None:
    nan = [NAN, NAN]
    pool = Pool(list("abc"), probabilities=[[0.25, 0.75], nan, [0.5, 0.5]], classes=["x", "y"])
    found = shown(pool, "c", "a", "b")
    assert (found.kind, found.classes) == ("items", ("x", "y"))
    assert marks(found) == [(Mark("x", None, 0.5),), (Mark("y", None, 0.75),), None]


def test_independent_classes_are_several_and_only_the_likely_ones_are_shown() -> None:
    pool = Pool(
        ["a", "b"], probabilities=[[0.75, 0.5], [0.25, 0]], multilabel=True, classes=["x", "y"]
    )
    found = shown(pool, "a", "b")
    assert found.kind == "classes"
    assert marks(found) == [(Mark("x", None, 0.75), Mark("y", None, 0.5)), ()]


def test_numbers_are_labelled_as_a_number_without_classes() -> None:
    sure = Objects([0, 1, 1], [0.5], whole_items=True)
    pool = Pool(["a", "b"], objects=sure, estimates=[3.5, NAN])
    found = shown(pool, "a", "b")
    assert (found.kind, found.classes) == ("number", ())
    assert marks(found) == [(Mark("", number=3.5),), None]


def test_a_box_is_of_the_newest_version_and_those_without_one_are_counted() -> None:
    boxes = [[0, 0, 0.5, 1], [NAN] * 4, [0, 0, 1, 1]]
    pool = Pool(
        ["a", "b"], objects=Objects([0, 2, 3], [0.5, 0.75, 1], boxes=boxes, class_ids=[0, 0, -1]),
        classes=["x"],
    )  # fmt: skip
    found = shown(pool, "a", "b")
    assert found.kind == "box"
    assert marks(found) == [(Mark("x", (0, 0, 0.5, 1), 0.5),), ()]
    (notice,) = found.notices
    assert notice.message.startswith("1 object of the batch without a box in fractions")
    assert notice.message.endswith("set source.image_size.")


def test_what_lacks_a_box_is_said_of_the_predictions_that_are_shown_alone() -> None:
    classes, sure = {"classes": ["x"]}, {"confidences": [0.5], "class_ids": [0]}
    bare = Pool(["a"], objects=Objects([0, 1], **sure), **classes)
    boxed = Pool(["a"], objects=Objects([0, 1], boxes=[[0, 0, 1, 1]], **sure), **classes)
    first = shown(bare, "a")
    assert [len(with_predictions(first, pool).notices) for pool in (bare, boxed)] == [1, 0]


def test_items_with_class_probabilities_and_boxes_go_by_what_was_scored() -> None:
    pool = Pool(
        ["a"],
        probabilities=[[0.25, 0.75]],
        objects=Objects([0, 1], [0.5], boxes=[[0, 0, 1, 1]], class_ids=[0]),
        classes=["x", "y"],
    )
    assert marks(shown(pool, "a")) == [(Mark("y", None, 0.75),)]


@pytest.mark.parametrize(("declared", "classes"), [(("x", "y", "z"), "xyz"), (("z",), "xy")])
def test_declared_classes_stay_where_they_include_those_of_the_pool(
    declared: tuple[str, ...], classes: str
) -> None:
    pool = Pool(["a"], probabilities=[[0.25, 0.75]], classes=["x", "y"])
    assert shown(pool, "a", classes=declared).classes == tuple(classes)


def test_labels_alone_give_the_classes_and_no_predictions() -> None:
    found = shown(Pool(["a", "b"], labels=[0, -1], classes=["x"]), "b")
    assert (found.classes, marks(found)) == (("x",), [None])


def test_items_of_other_ids_keep_what_they_have_and_that_is_said() -> None:
    pool = Pool(["a"], probabilities=[[0.25, 0.75]], classes=["x", "y"])
    found = shown(pool, "other", classes=("q",))
    assert (found.classes, marks(found)) == (("q",), [None])
    assert [notice.code for notice in found.notices] == ["not_sent"]
