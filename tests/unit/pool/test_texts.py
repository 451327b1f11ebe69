"""Ids, groups and class names: what becomes a text, what is refused, and how long one may be."""

from __future__ import annotations

import datetime
import decimal
import tracemalloc
import uuid
from pathlib import Path

import numpy as np
import pytest

from labelnext.errors import InvalidInput
from labelnext.pool import Objects, Pool
from labelnext.pool.checks import among
from labelnext.pool.texts import LONGEST, LONGEST_CLASS, MOST_CLASSES, checked_ids
from labelnext.pool.utf8 import Utf8Texts
from labelnext.quality.stopping import Snapshot, _common
from labelnext.ranking import rank
from labelnext.report.findings import summarise

ONE = uuid.UUID(int=1)


def test_no_ids_are_no_items() -> None:
    assert checked_ids([]).tolist() == []


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("a", "a"),
        (b"a", "a"),
        ("é".encode(), "é"),
        (np.bytes_(b"a"), "a"),
        (np.str_("a"), "a"),
        (7, "7"),
        (np.int64(7), "7"),
        (np.uint8(7), "7"),
        (10**30, "1" + 30 * "0"),
        (7.0, "7.0"),
        (ONE, "00000000-0000-0000-0000-000000000001"),
        (Path("a/b.jpg"), "a/b.jpg"),
        (LONGEST * "x", LONGEST * "x"),
    ],
)
def test_what_has_one_text_is_an_id(given: object, text: str) -> None:
    assert checked_ids([given]).tolist() == [text]
    assert checked_ids(np.array([given])).tolist() == [text]


@pytest.mark.parametrize(
    "given",
    [
        None,
        True,
        np.bool_(True),
        0.5,
        float("nan"),
        float("inf"),
        decimal.Decimal(1),
        datetime.date(2026, 1, 2),
        np.datetime64("2026-01-02"),
        np.datetime64(1, "ns"),
        ("a", "b"),
        ["a"],
        {"a": 1},
        1j,
        b"\xff",
        "\ud800",
        pytest.param(10**5000, id="5001 digits"),
    ],
)
def test_what_has_no_text_or_several_is_refused(given: object) -> None:
    with pytest.raises(InvalidInput, match="item_ids must be .* row 1"):
        checked_ids(["a", given])
    alone = np.empty(1, dtype=object)
    alone[0] = given
    with pytest.raises(InvalidInput, match="item_ids must be .* row 0"):
        checked_ids(alone)


@pytest.mark.parametrize("kind", ["datetime64[ns]", "datetime64[D]", "timedelta64[s]", "?", "V4"])
def test_arrays_of_other_kinds_are_refused(kind: str) -> None:
    with pytest.raises(InvalidInput, match="item_ids must be strings or whole numbers"):
        checked_ids(np.zeros(2, dtype=kind))


def test_an_array_of_bytes_is_read_as_utf_8() -> None:
    assert checked_ids(np.array(["é".encode(), b"b"])).tolist() == ["é", "b"]


def test_number_and_text_of_the_same_look_are_told_apart() -> None:
    with pytest.raises(InvalidInput, match="got 1 and '1', which are the same text"):
        checked_ids([1, "2", "1"])
    with pytest.raises(InvalidInput, match="got b'a' and 'a', which are the same text"):
        checked_ids(np.array([b"a", "a"], dtype=object))
    with pytest.raises(InvalidInput, match="1 repeated id: 1"):
        checked_ids([1, np.int64(1)])


@pytest.mark.parametrize("text", ["", "a\0b"])
def test_empty_texts_and_nul_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="item_ids must not .* row 1"):
        checked_ids(["a", text])


def utf8(texts: list[str]) -> Utf8Texts:
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)])
    lengths = np.array([*map(len, texts)], dtype=np.int32)
    return Utf8Texts(memoryview(b"".join(encoded)), offsets, lengths)


@pytest.mark.parametrize(
    "ids",
    [
        [],
        ["a"],
        ["é", "e\u0301", "日本/0.jpg", "😀", " a", "a ", "\ta\n", "\ufeff", "\uffff", "\x01"],
        [*map(str, range(100_000)), "x" * 30, "ü" * 31],
        [f"{n:05d}" for n in range(60_000)],
    ],
    ids=len,
)
def test_ids_in_utf_8_are_the_ids_of_the_list(ids: list[str]) -> None:
    texts = utf8(ids)
    assert list(texts) == ids
    assert list(texts[1:3]) == ids[1:3]
    for given in (texts, ids):
        checked = checked_ids(given)
        assert checked.tolist() == ids
        assert checked.dtype == np.array(ids, dtype=np.str_).dtype


@pytest.mark.parametrize(
    "ids",
    [
        ["a", ""],
        ["a", "b\0"],
        ["a", "\0"],
        ["b", "a", "b"],
        ["a", "é" * (LONGEST + 1)],
        [*map(str, range(200_000)), LONGEST * "é"],
    ],
    ids=["empty", "end", "NUL", "repeated", "long", "wide"],
)
def test_ids_in_utf_8_are_refused_as_those_of_the_list(ids: list[str]) -> None:
    with pytest.raises(InvalidInput) as of_list:
        checked_ids(ids)
    with pytest.raises(InvalidInput) as of_utf8:
        checked_ids(utf8(ids))
    assert of_utf8.value.message == of_list.value.message


def test_ids_of_the_same_sum_are_distinct(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labelnext.pool.texts._may_repeat", lambda ids: True)
    assert checked_ids(["a", "b"]).tolist() == ["a", "b"]


def test_a_long_id_is_named_by_its_beginning_and_row() -> None:
    ids = ["a", "long" + LONGEST * "x"]
    with pytest.raises(
        InvalidInput, match="at most 10,000 characters; got 10,004 in row 1, .* 'longxxx"
    ):
        Pool(ids)


def test_one_long_id_among_many_short_ones_is_refused_before_it_takes_memory() -> None:
    ids = [*map(str, range(200_000)), "y" + (LONGEST - 1) * "x"]  # 8 GB
    with pytest.raises(InvalidInput, match="at most 671 characters where there are 200,001"):
        Pool(ids)
    groups = [""] * 200_000 + [LONGEST * "x"]
    with pytest.raises(InvalidInput, match="groups must have at most 671 characters"):
        Pool(range(200_001), groups=groups)


def test_groups_are_texts_and_nothing_is_no_group() -> None:
    groups = ["v", None, float("nan"), 3, b"w", ""]
    pool = Pool(range(6), groups=groups)  # type: ignore[arg-type]  # a list of anything
    assert pool.groups is not None
    assert pool.groups.tolist() == ["v", "", "", "3", "w", ""]
    days = Pool(range(1), groups=np.array(["2026-01-02"], dtype="datetime64[D]")).groups
    assert days is not None
    assert days.tolist() == ["2026-01-02"]


@pytest.mark.parametrize("groups", [["a"], b"ab", [["a"], ["b"]][:1], 3, ["a\0", "b"]])
def test_groups_of_another_shape_are_refused(groups: object) -> None:
    with pytest.raises(InvalidInput, match="groups must"):
        Pool(range(2), groups=groups)  # type: ignore[arg-type]


def test_metadata_are_texts_and_nothing_is_empty() -> None:
    values = ["v", None, float("nan"), 3, 2.0, 2.5, True, ["a", 1], b"w", ""]
    pool = Pool(range(10), metadata={"any": values, "day": np.array(["NaT"] * 10, "M8[D]")})  # type: ignore[dict-item]  # anything
    assert pool.metadata is not None
    assert pool.metadata["any"].tolist() == [
        "v", "", "", "3", "2", "2.5", "true", '["a", 1]', "w", "",
    ]  # fmt: skip
    assert set(pool.metadata["day"]) == {""}
    turned = Pool(range(9, -1, -1), metadata={n: c[::-1] for n, c in pool.metadata.items()})
    assert turned.fingerprint() == pool.fingerprint()
    assert Pool(range(10), metadata={"any": values}).fingerprint() != pool.fingerprint()


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (["city"], "metadata must be a mapping of columns"),
        ({"class": ["a", "b"]}, "metadata must have names other than class, group; got 'class'"),
        ({"": ["a", "b"]}, "metadata must have names"),
        ({"city": ["a"]}, r"metadata city must be of shape \(2,\); got shape \(1,\)"),
        ({"city": ["a\0", "b"]}, "metadata city must not contain a NUL"),
    ],
)
def test_metadata_of_another_shape_are_refused(metadata: object, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Pool(range(2), metadata=metadata)  # type: ignore[arg-type]


def test_class_names_have_limits() -> None:
    Pool(["a"], classes=[LONGEST_CLASS * "x"])
    with pytest.raises(InvalidInput, match="classes must have at most 1,000 characters"):
        Pool(["a"], classes=["x" * (LONGEST_CLASS + 1)])
    with pytest.raises(InvalidInput, match="classes must be at most 100,000; got more"):
        Pool(["a"], classes=range(10**12))
    with pytest.raises(InvalidInput, match="classes must be distinct; got a more than once"):
        Pool(["a"], classes=["a", "b", b"a"])
    with pytest.raises(InvalidInput, match="classes must be UTF-8"):
        Pool(["a"], classes=[b"\xff"])


@pytest.mark.parametrize(
    "labels", [[True, False], [0.5, 1], ["0", "1"], [2**64 - 1, 0], [1e300, 1]]
)
def test_labels_are_whole_numbers(labels: list[object]) -> None:
    for column in (labels, np.array(labels), np.array(labels, dtype=object)):
        with pytest.raises(InvalidInput, match="labels must be"):
            Pool(["a", "b"], labels=column)  # type: ignore[arg-type]
        with pytest.raises(InvalidInput, match="votes must be"):
            Pool(["a"], votes=np.array([column]))
        with pytest.raises(InvalidInput, match="class_ids must be"):
            Objects([0, 2], [0.5, 0.5], class_ids=column)  # type: ignore[arg-type]


def test_whole_floats_are_labels() -> None:
    labels = Pool(["a", "b"], labels=[1.0, -1.0]).labels
    assert labels is not None
    assert labels.tolist() == [1, -1]


def test_the_class_of_an_object_is_no_gap() -> None:
    with pytest.raises(InvalidInput, match="class_ids must be whole numbers; got nan"):
        Objects([0, 2], [0.5, 0.5], class_ids=[float("nan"), 1])


@pytest.mark.parametrize("position", [MOST_CLASSES, 2**62, -2])
def test_class_positions_are_not_of_any_size(position: int) -> None:
    with pytest.raises(InvalidInput, match="labels must be class positions from 0 to 99999"):
        Pool(["a"], labels=[position])
    with pytest.raises(InvalidInput, match="class_ids must be class positions from 0 to 99999"):
        Objects([0, 1], [0.5], class_ids=[position])


@pytest.mark.parametrize("column", ["probabilities", "embeddings", "costs", "labels", "votes"])
@pytest.mark.parametrize("value", [1j, "x", None, [1, 2], {}, 10**400], ids=repr)
def test_what_is_no_number_is_named_with_its_column(column: str, value: object) -> None:
    if column != "costs" and value is None:
        return  # a gap, as NaN
    rows = (
        [[0, value], [1, 0]] if column in ("probabilities", "embeddings", "votes") else [1, value]
    )
    for given in (rows, np.array(rows, dtype=object)):
        with pytest.raises(InvalidInput, match=f"{column} must"):
            Pool(["a", "b"], **{column: given})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [None, 3, 1.5, True, b"ab"])
def test_columns_of_texts_are_lists(value: object) -> None:
    with pytest.raises(InvalidInput, match="item_ids must be a list of strings"):
        Pool(value)  # type: ignore[arg-type]
    if value is not None:
        with pytest.raises(InvalidInput, match="classes must be a list of strings"):
            Pool(["a"], classes=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("unordered", [{"a", "b"}, frozenset("ab"), {"a": 1, "b": 2}.items() - {0}])
def test_a_set_has_no_order_and_is_no_column(unordered: object) -> None:
    for given in (
        {"item_ids": unordered},
        {"classes": unordered},
        {"groups": unordered},
        {"metadata": {"city": unordered}},
    ):
        with pytest.raises(InvalidInput, match="must have an order"):
            Pool(**({"item_ids": ["a", "b"]} | given))  # type: ignore[arg-type]


def test_keys_of_a_mapping_have_an_order() -> None:
    assert Pool({"b": 1, "a": 2}.keys()).item_ids.tolist() == ["b", "a"]
    assert Pool({"b": 1, "a": 2}).item_ids.tolist() == ["b", "a"]


def test_numbers_of_any_width_and_byte_order_are_read_alike() -> None:
    rows = np.array([[0.25, 0.75], [0.5, 0.5]])
    for kind in (">f8", "<f8", np.longdouble, ">f4", np.float16):
        read = Pool(["a", "b"], probabilities=rows.astype(kind)).probabilities
        assert read is not None
        assert read.dtype in (np.dtype("f4"), np.dtype("f8"))
        assert read.dtype.isnative
        assert read.tolist() == rows.tolist()


def test_one_long_id_is_not_copied_for_all_rows_again() -> None:
    ids = ["x" * 4000, *(f"item{n}" for n in range(3000))]
    pool = Pool(ids, probabilities=np.tile([[0.25, 0.75]], (3001, 1)))
    ranking = rank(pool, "entropy", budget=5)
    assert pool.item_ids.nbytes == 3001 * 4000 * 4
    tracemalloc.start()
    try:
        summarise(pool, ranking)
        among(pool.item_ids, ids[:2])
        again = Snapshot("a", "", 1, 0, 1, pool.item_ids, pool.predicted_classes, pool.missing)
        assert _common(again, again)[0].tolist() == [1] * 3001
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < pool.item_ids.nbytes / 4


def test_the_fingerprint_of_texts_stays_the_same() -> None:
    pool = Pool(["b", "é", "a"], probabilities=[[0.25, 0.75]] * 3, groups=["g", "h", ""])
    assert pool.fingerprint() == "dd81dab797f20541d27663866b37e37160450a65cc3dc490a0660e80af6a37f0"
