from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import labelnext
from labelnext.errors import InvalidInput
from labelnext.pool import Objects, Pool


def test_empty_pool_is_allowed() -> None:
    pool = Pool([])
    assert len(pool) == 0
    assert pool.labelled.shape == pool.missing.shape == (0,)


def test_empty_pool_may_have_every_column() -> None:
    pool = Pool(
        [],
        probabilities=np.empty((0, 2)),
        classes=["a", "b"],
        embeddings=np.empty((0, 4)),
        labels=[],
        objects=Objects([0], [], boxes=np.empty((0, 4))),
    )
    assert pool.n_classes == 2


def test_duplicate_ids_are_named() -> None:
    with pytest.raises(InvalidInput, match="distinct.*got 1 repeated id: a"):
        Pool(["a", "b", "a"])


HIDDEN = np.ma.masked_array([0.25, 0.5], mask=[True, False])
ROWS = np.ma.masked_array([[0.9, 0.1], [0.5, 0.5]], mask=[[0, 0], [1, 1]])


@pytest.mark.parametrize(
    "columns",
    [
        {"probabilities": ROWS},
        {"probabilities": [ROWS.data, ROWS]},
        {"embeddings": ROWS},
        {"embeddings": ROWS.astype(np.float16)},
        {"labels": np.ma.masked_array([0, 0], mask=[0, 1]), "classes": ["x"]},
        {"votes": np.ma.masked_array([[0], [0]], mask=[[0], [1]]), "classes": ["x"]},
        {"costs": HIDDEN},
        {"labelled": np.ma.masked_array([True, True], mask=[0, 1])},
    ],
    ids=["rows", "members", "vectors", "half", "labels", "votes", "costs", "labelled"],
)
def test_masked_values_are_refused(columns: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="without masked values") as caught:
        Pool(["a", "b"], **columns)  # type: ignore[arg-type]
    assert "filled(np.nan)" in str(caught.value.hint)


def test_masked_values_of_objects_are_refused_and_a_mask_of_nothing_is_not() -> None:
    with pytest.raises(InvalidInput, match="confidences must be an array without masked values"):
        Objects([0, 1, 2], HIDDEN)
    nothing = np.ma.masked_array([0.25, 0.5], mask=[False, False])
    assert Objects([0, 1, 2], nothing).confidences.tolist() == [0.25, 0.5]


@pytest.mark.parametrize("ids", [["a", ""], ["a\0", "b"]])
def test_empty_or_nul_ids_are_refused(ids: list[str]) -> None:
    with pytest.raises(InvalidInput, match="empty or contain a NUL"):
        Pool(ids)


@pytest.mark.parametrize("ids", [[1.5], [None], [float("nan")]])
def test_ids_that_are_no_names_are_refused(ids: list[object]) -> None:
    with pytest.raises(InvalidInput, match="strings or whole numbers"):
        Pool(ids)


def test_whole_numbers_become_strings() -> None:
    assert Pool(np.array([3, 1])).item_ids.tolist() == ["3", "1"]


def test_ties_are_ordered_by_value_where_every_id_is_an_integer() -> None:
    pool = Pool(["10", "9", "-2"])
    assert pool.item_ids[pool.tie_order].tolist() == ["-2", "9", "10"]


def test_ties_are_ordered_by_code_point_otherwise() -> None:
    pool = Pool(["é", "b", "10", "9", "B"])
    assert pool.item_ids[pool.tie_order].tolist() == ["10", "9", "B", "b", "é"]


def test_integers_beyond_64_bits_are_ordered_by_value() -> None:
    pool = Pool(["100000000000000000000", "99999999999999999999"])
    assert pool.item_ids[pool.tie_order].tolist()[0] == "99999999999999999999"


def test_nearly_normalised_row_is_divided_and_counted() -> None:
    pool = Pool(["a", "b"], probabilities=[[0.5, 0.4995], [0.5, 0.5]])
    assert pool.probabilities[0].sum() == pytest.approx(1, abs=1e-12)
    assert [(n.code, n.item_ids) for n in pool.notices] == [("renormalised", ("a",))]


def test_unnormalised_row_is_refused_with_its_id() -> None:
    with pytest.raises(InvalidInput, match="sum to 1.*got 0.9 for item b"):
        Pool(["a", "b"], probabilities=[[0.5, 0.5], [0.5, 0.4]])


def test_negative_probability_is_refused_with_its_id() -> None:
    with pytest.raises(InvalidInput, match=r"in \[0, 1\]; got -0.1 for item b"):
        Pool(["a", "b"], probabilities=[[0.5, 0.5], [1.1, -0.1]])


def test_rounding_noise_below_zero_becomes_positive_zero() -> None:
    pool = Pool(["a"], probabilities=[[1.0, -1e-10]])
    assert pool.probabilities.tolist() == [[1.0, 0.0]]
    assert not np.signbit(pool.probabilities).any()


def test_nan_row_is_kept_and_counted() -> None:
    pool = Pool(["a", "b"], probabilities=[[np.nan, 1.0], [0.5, 0.5]])
    assert [(n.code, n.item_ids) for n in pool.notices] == [("nan", ("a",))]


def test_what_was_found_is_not_said_again_of_a_pool_made_of_another() -> None:
    gap = float("nan")
    alone = Pool(["a", "b"], probabilities=[[0.5, 0.5], [gap, gap]])
    several = Pool(["a", "b"], probabilities=[[[0.5, 0.5], [gap, gap]], [[0.5, 0.5], [0, 1]]])
    boxes = Pool(["a"], objects=Objects([0, 1], [gap]))
    for pool in (alone, several, boxes):
        assert len(pool.notices) == 1
        assert replace(pool, embeddings=np.eye(len(pool))).notices == pool.notices


def test_rows_of_missing_items_are_not_looked_at() -> None:
    pool = Pool(["a", "b"], probabilities=[[7.0, -7.0], [0.5, 0.5]], missing=[True, False])
    assert not pool.notices
    assert np.isnan(pool.probabilities[0]).all()


def test_multilabel_rows_need_not_sum_to_one() -> None:
    assert not Pool(["a"], probabilities=[[0.9, 0.8]], multilabel=True).notices


def test_pool_does_not_change_the_callers_array() -> None:
    rows = np.array([[0.5, 0.4995], [1.0, -1e-12]])
    before = rows.copy()
    Pool(["a", "b"], probabilities=rows)
    assert (rows == before).all()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"probabilities": [[0.5, 0.5]]}, r"shape \(2, n_classes\)"),
        ({"probabilities": np.empty((2, 0))}, "at least one class"),
        ({"probabilities": [[0.5, 0.5], [1.0]]}, "rows of equal length"),
        ({"probabilities": [["a", "b"]] * 2}, "must be numbers"),
        ({"probabilities": [[0.5, 0.5]] * 2, "classes": ["x"]}, "one name for each of the 2"),
        ({"classes": []}, "at least one class"),
        ({"classes": ["x", "x"]}, "distinct"),
        ({"embeddings": [[1.0]]}, r"embeddings must be of shape \(2, width\)"),
        ({"labels": [0, 5], "classes": ["x", "y"]}, "from 0 to 1, or -1 for none; got 5"),
        ({"labels": [0, -2]}, "or -1 for none"),
        ({"labels": [0.5, 0]}, "whole numbers"),
        ({"labels": ["cat", "dog"]}, "where classes have no names.*name the classes"),
        ({"labelled": [True]}, r"labelled must be of shape \(2,\)"),
        ({"costs": [1, 0]}, "costs must be above 0; got 0.0 for item b"),
        ({"objects": Objects([0, 0], [])}, "one entry for each of the 2 items; got 1"),
        ({"objects": ()}, "at least one set"),
        ({"objects": [0.5]}, "must be Objects"),
    ],
)
def test_wrong_column_is_refused(columns: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Pool(["a", "b"], **columns)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0], [0.5]), "end at the number of objects, 1"),
        (([1, 1], [0.5]), "start at 0"),
        (([0, 2, 1], [0.5]), "non-decreasing"),
        (([0, 1], [[0.5]]), r"\(n_objects,\)"),
        (([0, 1], [1.5]), r"confidences must be in \[0, 1\]; got 1.5 for row 0"),
        (([0, 1], [-0.5]), r"confidences must be in \[0, 1\]"),
    ],
)
def test_wrong_objects_are_refused(arguments: tuple[object, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Objects(*arguments)


def test_box_that_sticks_out_is_clipped_and_counted() -> None:
    objects = Objects([0, 1], [0.5], boxes=[[-0.01, 0.2, 0.5, 1.02]])
    pool = Pool(["a"], objects=objects)
    assert pool.objects.boxes.tolist() == [[0, 0.2, 0.5, 1]]
    assert [(n.code, n.item_ids) for n in pool.notices] == [("clipped_boxes", ("a",))]


def test_box_in_pixels_is_refused_with_a_remedy() -> None:
    with pytest.raises(InvalidInput, match="overlap the image.*for item a") as caught:
        Pool(["a"], objects=Objects([0, 1], [0.5], boxes=[[10, 20, 30, 40]]))
    assert "divide pixel coordinates" in caught.value.hint


@pytest.mark.parametrize("box", [[0.5, 0.1, 0.4, 0.2], [0.1, 0.1, np.nan, 0.2]])
def test_turned_box_is_refused(box: list[float]) -> None:
    with pytest.raises(InvalidInput, match="x1 <= x2"):
        Pool(["a"], objects=Objects([0, 1], [0.5], boxes=[box]))


def test_nan_confidence_is_counted() -> None:
    pool = Pool(["a", "b"], objects=Objects([0, 1, 1], [np.nan]))
    assert [(n.code, n.item_ids) for n in pool.notices] == [("nan", ("a",))]
    assert pool.notices[0].message == "No score for 1 item with an object without a confidence: a."
    pool = Pool(["a", "b"], objects=Objects([0, 1, 2], [np.nan, np.nan], whole_items=True))
    assert pool.notices[0].message == "No score for 2 items without a confidence: a, b."


def test_nan_in_the_probabilities_of_an_object_is_named() -> None:
    rows = [[0.5, 0.5], [np.nan, 1.0], [0.5, 0.5], [np.nan, np.nan]]
    objects = Objects([0, 2, 3, 4], [0.5, 0.5, np.nan, np.nan], probabilities=rows)
    pool = Pool(["a", "b", "c"], objects=objects)
    assert [n.message for n in pool.notices] == [
        "No score for 1 item with an object without a confidence: c.",
        "No score for 1 item with an object without all probabilities: a.",
        "Only the class probabilities count for 1 item with an object without a confidence: b.",
    ]
    assert labelnext.rank(pool, "margin").item_ids.tolist() == ["b"]


def test_pool_without_predictions_is_missing_everything() -> None:
    assert Pool(["a"]).missing.all()
    assert not Pool(["a"], objects=Objects([0, 0], [])).missing.any()


def test_versions_are_numbered_until_they_have_names() -> None:
    rows = np.full((2, 1, 2), 0.5)
    assert Pool(["a"]).version_names == ()
    assert Pool(["a"], versions=["unused"]).version_names == ()
    assert Pool(["a"], probabilities=rows[0]).version_names == ("1",)
    assert Pool(["a"], probabilities=rows).version_names == ("1", "2")
    found = Objects([0, 0], [])
    assert Pool(["a"], objects=(found, found), versions=["v7", 8]).version_names == ("v7", "8")
    named = Pool(["a"], probabilities=rows, versions=["v7", "v8"])
    assert named.fingerprint() == Pool(["a"], probabilities=rows).fingerprint()
    with pytest.raises(InvalidInput, match="versions must be 2 names; got v7"):
        Pool(["a"], probabilities=rows, versions=["v7"])


def test_fingerprint_changes_with_a_value_and_not_with_the_order() -> None:
    rows = np.array([[0.9, 0.1], [0.6, 0.4]])
    first = Pool(["a", "b"], probabilities=rows).fingerprint()
    assert Pool(["b", "a"], probabilities=rows[::-1]).fingerprint() == first
    assert Pool(["b", "a"], probabilities=rows).fingerprint() != first


def test_objects_taken_in_another_order_keep_their_columns() -> None:
    objects = Objects([0, 2, 2, 3], [0.1, 0.2, 0.3], class_ids=[1, 2, 3])
    taken = objects.take(np.array([2, 1, 0]))
    assert taken.offsets.tolist() == [0, 1, 1, 3]
    assert taken.class_ids.tolist() == [3, 1, 2]


@pytest.mark.parametrize("short", [0.9995, 0.99999])
def test_row_is_divided_by_the_same_sum_whatever_stands_beside_it(short: float) -> None:
    # A part of a pool must get the digits of the whole; 0.99999 is where dividing begins.
    rows = np.random.default_rng(0).dirichlet(np.ones(4), 401) * short
    together = Pool(range(401), probabilities=rows).probabilities
    apart = [Pool(["a"], probabilities=row[None]).probabilities for row in rows]
    assert together is not None
    assert np.array_equal(together, np.concatenate([r for r in apart if r is not None]))
