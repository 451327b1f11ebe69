"""Columns as FiftyOne stores them, to arrays."""

from __future__ import annotations

import tracemalloc
import zlib
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from labelnext_adapters.fiftyone.database.values import (
    corners,
    flat,
    floats,
    offsets,
    positions,
    softmax,
    stack,
    stream,
    vector,
)


class Cursor:
    """A collection that hands out its documents in an order of its own."""

    def __init__(self, documents: dict[str, object]) -> None:
        self.documents = documents

    def values(self, paths: list[str]) -> list[list[object]]:
        assert paths == ["id", "emb"]
        return [[*self.documents], [*self.documents.values()]]


def test_stream_puts_every_vector_into_the_row_of_its_sample() -> None:
    cursor = Cursor({"b": [3.0, 4.0], "x": [9.0, 9.0], "c": None, "a": np.array([1, 2])})
    found = stream(cursor, "emb", ["a", "b", "c"])
    assert found is not None
    np.testing.assert_array_equal(found[0], [[1, 2], [3, 4], [np.nan, np.nan]])
    assert found[1] == []


def test_stream_names_vectors_of_another_length() -> None:
    found = stream(Cursor({"a": [1.0], "b": [1.0, 2.0], "c": "text"}), "emb", ["a", "b", "c"])
    assert found is not None
    np.testing.assert_array_equal(found[0], [[1], [np.nan], [np.nan]])
    assert found[1] == [1, 2]


def test_stream_of_nothing_is_none() -> None:
    assert stream(Cursor({"a": None}), "emb", ["a"]) is None


def test_stack_of_nothing_is_none() -> None:
    assert stack([]) is None
    assert stack([None, None]) is None


def packed(vector: NDArray[np.floating]) -> bytes:
    """A vector as FiftyOne stores it."""
    file = BytesIO()
    np.save(file, vector)
    return zlib.compress(file.getvalue())


def test_stack_takes_many_vectors_of_two_types_in_their_places() -> None:
    kinds = (np.float32, np.float64)
    rows = [np.array([n, -n], dtype=kinds[n % 3 == 0]) for n in range(7_001)]
    found = stack([packed(row) for row in rows])
    assert found is not None
    np.testing.assert_array_equal(found[0], np.stack([np.arange(7_001), -np.arange(7_001)], axis=1))
    assert found[1] == []


def test_softmax_and_stack_hold_each_one_more_array_at_most() -> None:
    vectors = [packed(np.full(500, n, dtype=np.float32)) for n in range(5_000)]
    size = 5_000 * 500 * 4
    tracemalloc.start()
    try:
        found = stack(vectors)
        assert found is not None
        assert tracemalloc.get_traced_memory()[1] < 2.2 * size
        tracemalloc.reset_peak()
        rows = softmax(found[0])
        assert tracemalloc.get_traced_memory()[1] < 2.2 * size
    finally:
        tracemalloc.stop()
    np.testing.assert_allclose(rows, 1 / 500, rtol=1e-6)


def test_stack_leaves_rows_without_a_vector_nan() -> None:
    found = stack([[1.0, 2.0], None, np.array([3, 4])])
    assert found is not None
    matrix, odd = found
    np.testing.assert_array_equal(matrix, [[1, 2], [np.nan, np.nan], [3, 4]])
    assert odd == []


def test_stack_takes_the_most_common_width_and_names_the_others() -> None:
    found = stack([[1.0], [1.0, 2.0], [3.0, 4.0], "text", [[1.0, 2.0]]])
    assert found is not None
    matrix, odd = found
    assert matrix.shape == (5, 2)
    assert odd == [0, 3, 4]
    assert np.isnan(matrix[odd]).all()


def test_bytes_that_hold_no_vector_are_odd() -> None:
    packed = zlib.compress(b"no array")
    found = stack([b"not packed", [1.0, 2.0], packed, b"1", None])
    assert found is not None
    assert found[1] == [0, 2, 3]
    np.testing.assert_array_equal(found[0][1], [1, 2])
    streamed = stream(Cursor({"a": b"not packed", "b": [1.0, 2.0]}), "emb", ["a", "b"])
    assert streamed is not None
    assert streamed[1] == [0]


def test_what_is_no_number_is_nan() -> None:
    np.testing.assert_array_equal(floats([0.5, None, [0.5], {}]), [0.5, *[np.nan] * 3])
    np.testing.assert_array_equal(floats([[0.5], [0.25]]), [np.nan, np.nan])
    assert floats([]).shape == (0,)


def test_stack_of_another_width_than_asked_for_is_all_odd() -> None:
    found = stack([[1.0, 2.0], [3.0, 4.0]], width=3)
    assert found is not None
    assert found[1] == [0, 1]


def test_stack_keeps_single_precision() -> None:
    found = stack([np.zeros(2, dtype=np.float32)])
    assert found is not None
    assert found[0].dtype == np.float32


def test_vector_of_none_is_none() -> None:
    assert vector(None) is None


def test_softmax_of_logarithms_gives_back_the_distribution() -> None:
    rows = np.array([[0.1, 0.2, 0.7]])
    np.testing.assert_allclose(softmax(np.log(rows)), rows, atol=1e-15)


def test_softmax_of_huge_logits_does_not_overflow() -> None:
    assert softmax(np.array([[1000.0, 0.0]])).tolist() == [[1.0, 0.0]]


def test_softmax_of_an_impossible_class_is_zero() -> None:
    assert softmax(np.array([[0.0, -np.inf]])).tolist() == [[1.0, 0.0]]


def test_softmax_of_nan_is_nan_in_that_row_alone() -> None:
    rows = softmax(np.array([[0.0, np.nan], [0.0, 0.0]]))
    assert np.isnan(rows[0]).all()
    assert rows[1].tolist() == [0.5, 0.5]


def test_offsets_count_none_as_empty() -> None:
    assert offsets([]).tolist() == [0]
    assert offsets([[1, 2], None, [], [3]]).tolist() == [0, 2, 2, 2, 3]
    assert flat([[1, 2], None, [], [3]]) == [1, 2, 3]


def test_floats_of_none_are_nan() -> None:
    np.testing.assert_array_equal(floats([1, None]), [1, np.nan])
    assert floats([]).shape == (0,)


def test_positions_of_unknown_labels_are_minus_one() -> None:
    assert positions(["b", None, "", "z", "a"], ["a", "b"]).tolist() == [1, -1, -1, -1, 0]


def test_corners_add_width_and_height() -> None:
    boxes, bad = corners([[0.25, 0.5, 0.25, 0.125]])
    assert bad == []
    assert boxes is not None
    assert boxes.tolist() == [[0.25, 0.5, 0.5, 0.625]]


def test_corners_of_no_boxes_are_an_empty_table() -> None:
    boxes, bad = corners([])
    assert boxes is not None
    assert (boxes.shape, bad) == ((0, 4), [])


def test_corners_past_the_border_by_rounding_are_on_it() -> None:
    boxes, _ = corners([[0.9, 0.0, 0.1 + 1e-12, 1.2]])
    assert boxes is not None
    assert boxes.tolist() == [[0.9, 0.0, 1.0, 1.2]]


def test_corners_name_what_is_no_box() -> None:
    good = [0.0, 0.0, 1.0, 1.0]
    assert corners([good, None, [0.0, 0.0, 1.0], [0, 0, 1, float("nan")]]) == (None, [1, 2, 3])
