"""Ids that are floats, decimals or times; and scores that are decimals."""

from __future__ import annotations

import datetime
import json
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from labelnext import rank
from labelnext.adapter.registry import open_adapter
from labelnext.errors import InvalidInput
from labelnext.pool import Pool

NAN = float("nan")


def read(folder: Path, name: str, **options: Any) -> Pool:
    return open_adapter("files", directory=folder, path=name, **options).read()  # type: ignore[attr-defined]  # of the files adapter


def records(*ids: Any) -> list[dict[str, Any]]:
    return [{"item_id": i, "probabilities": {"cat": 0.5, "dog": 0.5}} for i in ids]


def lines(path: Path, *ids: Any) -> None:
    path.write_text("".join(json.dumps(one) + "\n" for one in records(*ids)))


def parquet(path: Path, column: Any) -> None:
    half = [0.5] * len(column)
    pa.parquet.write_table(pa.table({"item_id": column, "p_cat": half, "p_dog": half}), path)


def told(pool: Pool) -> str:
    return " ".join(notice.message for notice in pool.notices)


def test_half_a_character_in_one_id_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    lines(tmp_path / "p.jsonl", "\ud800", "b", "c")
    assert read(tmp_path, "p.jsonl").item_ids.tolist() == ['"\\ud800"', "b", "c"]


def test_uuids_are_read_as_text(tmp_path: Path) -> None:
    name = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    parquet(tmp_path / "p.parquet", pa.array([uuid.UUID(name).bytes, bytes(16)], pa.uuid()))
    assert read(tmp_path, "p.parquet").item_ids.tolist() == [name, str(uuid.UUID(int=0))]


@pytest.mark.parametrize("others", [[f"g{n}" for n in range(20)], list(range(20))])
def test_one_float_is_read_whatever_its_neighbours_are(tmp_path: Path, others: list[Any]) -> None:
    lines(tmp_path / "p.jsonl", *others, 33.0)
    pool = read(tmp_path, "p.jsonl")
    assert pool.item_ids.tolist() == [*map(str, others), "33.0"]
    assert "Floats under item_id are ids, and were read as they are written" in told(pool)


def test_a_float_in_another_column_stays(tmp_path: Path) -> None:
    lines_ = [{"frame": "a", "index": 1.0, "p_cat": 0.5, "p_dog": 0.5, "label": 1.0}]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines_))
    pool = read(tmp_path, "p.jsonl", key="frame")
    assert pool.item_ids.tolist() == ["a"]
    assert pool.labels is not None
    assert pool.labels.tolist() == [1]


@pytest.mark.parametrize(
    ("column", "expected", "notice"),
    [
        (pa.array([1.0, 1000.0]), ["1", "1000"], "read as whole numbers, such as 1."),
        (pa.array([Decimal("1.00"), Decimal("20.25")]), ["1.00", "20.25"], "digits, such as 1.00"),
        (pa.array([datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 1, 12, 0, 0, 5000)]),
         ["2024-01-01T00:00:00", "2024-01-01T12:00:00.005000"], "ISO form"),
        (pa.array([datetime.datetime(2024, 1, 1)], pa.timestamp("ns", "UTC")),
         ["2024-01-01T00:00:00Z"], "ISO form"),
    ],
)  # fmt: skip
def test_a_typed_column_is_read_and_said(
    tmp_path: Path, column: Any, expected: list[str], notice: str
) -> None:
    parquet(tmp_path / "p.parquet", column)
    pool = read(tmp_path, "p.parquet")
    assert pool.item_ids.tolist() == expected
    assert told(pool).count(notice) == 1
    parquet(tmp_path / "d.parquet", column.dictionary_encode())
    assert read(tmp_path, "d.parquet").item_ids.tolist() == expected


def test_a_folder_says_it_once_for_each_column(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for number in range(2):
        parquet(tmp_path / "parts" / f"{number}.parquet", pa.array([float(number), number + 10.0]))
    pool = read(tmp_path, "parts")
    assert pool.item_ids.tolist() == ["0", "10", "1", "11"]
    assert told(pool).count("read as whole numbers") == 1


def test_fractions_are_refused_in_every_typed_column(tmp_path: Path) -> None:
    parquet(tmp_path / "p.parquet", pa.array([1.5, 2.0]))
    with pytest.raises(InvalidInput, match="must be text or whole numbers; got double") as caught:
        read(tmp_path, "p.parquet")
    assert "write ids as texts" in (caught.value.hint or "")


def test_the_index_and_columns_of_pandas_follow_the_same_rule() -> None:
    scores = {"p_cat": [0.5, 0.5], "p_dog": [0.5, 0.5]}
    for frame in (
        pd.DataFrame(scores, index=[1.0, 2.0]),
        pd.DataFrame({"item_id": [1.0, 2.0], **scores}),
    ):
        pool = Pool.from_pandas(frame)
        assert pool.item_ids.tolist() == ["1", "2"]
        assert "read as whole numbers" in told(pool)
    with pytest.raises(InvalidInput, match="must be text or whole numbers"):
        Pool.from_pandas(pd.DataFrame(scores, index=[1.5, 2.0]))
    days = pd.DataFrame(scores, index=pd.to_datetime(["2024-01-01", "2024-01-02"]))
    assert Pool.from_pandas(days).item_ids.tolist() == [
        "2024-01-01T00:00:00",
        "2024-01-02T00:00:00",
    ]


def test_floats_of_numpy_are_said(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", item_ids=np.array([7.0]), probabilities=[[0.5, 0.5]])
    pool = read(tmp_path, "p.npz")
    assert pool.item_ids.tolist() == ["7"]
    assert "read as whole numbers" in told(pool)


def test_ids_of_numpy_that_are_objects_are_to_be_saved_as_texts(tmp_path: Path) -> None:
    ids = np.array(["a"], dtype=object)
    np.savez(tmp_path / "p.npz", item_ids=ids, probabilities=[[0.5, 0.5]])
    with pytest.raises(InvalidInput, match="it is an array of Python objects") as caught:
        read(tmp_path, "p.npz")
    assert caught.value.hint == "save it as text: item_ids.astype(str)."


@pytest.mark.parametrize("kind", [pa.decimal128(3, 2), pa.decimal128(2, 2), pa.decimal256(3, 2)])
def test_decimals_are_scores_in_every_form(tmp_path: Path, kind: pa.DataType) -> None:
    def of(*values: str) -> pa.Array:
        return pa.array(list(map(Decimal, values)), kind)

    wide = {"cat": of("0.60", "0.90"), "dog": of("0.40", "0.10")}
    lists = pa.FixedSizeListArray.from_arrays(of("0.60", "0.40", "0.90", "0.10"), 2)
    mapped = pa.StructArray.from_arrays(list(wide.values()), list(wide))
    for name, columns, score in (
        ("wide", wide, "margin"),
        ("lists", {"softmax": lists}, "margin"),
        ("mapped", {"probs": mapped}, "margin"),
        ("ours", {"probabilities": mapped}, "margin"),
        ("answers", {"prediction": ["x", "y"], "confidence": of("0.40", "0.90")}, "auto"),
        ("usual", {"pred": ["x", "y"], "score": of("0.40", "0.90")}, "auto"),
    ):
        path = tmp_path / f"{name}.parquet"
        pa.parquet.write_table(pa.table({"id": ["a", "b"], **columns}), path)
        pool = read(tmp_path, path.name, key="id")
        assert rank(pool, score).item_ids.tolist() == ["a", "b"], name


@pytest.mark.parametrize(
    ("odd", "rule"),
    [
        ("x" * 10_001, "have at most 10,000 characters"),
        ("", "be set"),
        ("a\0b", "not hold a NUL character"),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_one_id_that_is_of_no_use_costs_its_row_alone(
    tmp_path: Path, odd: str, rule: str, ending: str
) -> None:
    ids = [*(f"i{n}" for n in range(20)), "ä" * 10_000, odd]
    rows = [{"item_id": i, "p_cat": 0.5, "p_dog": 0.5} for i in ids]
    cells = [",".join(map(str, row.values())) for row in rows]
    text = "\n".join([",".join(rows[0]), *cells] if ending == "csv" else map(json.dumps, rows))
    (tmp_path / f"p.{ending}").write_text(text + "\n", "utf-8")
    pool: Any = open_adapter("files", directory=tmp_path, path=f"p.{ending}").read()  # type: ignore[attr-defined]  # of the files adapter
    assert pool.item_ids.tolist() == ids[:-1]
    (told,) = [one.message for one in pool.notices if one.code == "left_out"]
    line = 23 if ending == "csv" else 22
    assert told == f"Left out 1 of 22 rows: line {line}: item_id must {rule}."


WHOLE = ["b", "c", "a"]
KINDS: dict[str, Any] = {
    "runs": pa.RunEndEncodedArray.from_arrays([1, 2, 3], ["a", "b", "c"]),
    "bytes of one length": pa.array([b"a", b"b", b"c"], pa.binary(1)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_ids_that_are_stored_otherwise_are_the_same_texts(kind: str) -> None:
    table = pa.table({"item_id": KINDS[kind], "p_x": [0.9, 0.6, 0.2], "p_y": [0.1, 0.4, 0.8]})
    assert rank(Pool.from_arrow(table), "margin").item_ids.tolist() == WHOLE


@pytest.mark.parametrize("view", [pa.list_view, pa.large_list_view])
def test_views_of_lists_are_lists(view: Any) -> None:
    rows = pa.array([[0.9, 0.1], None, [0.6, 0.4]], view(pa.float64()))
    pool = Pool.from_arrow(pa.table({"item_id": ["a", "n", "b"], "probabilities": rows}))
    assert rank(pool, "margin").item_ids.tolist() == ["b", "a"]


def test_bytes_that_are_no_text_are_named_with_their_row() -> None:
    ids = pa.array([b"a", b"\xff", b"c"])
    table = pa.table({"item_id": ids, "p_x": [0.9, 0.6, 0.2], "p_y": [0.1, 0.4, 0.8]})
    with pytest.raises(InvalidInput, match=r"row 2 holds b'\\xff'"):
        Pool.from_arrow(table)
