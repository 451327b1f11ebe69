"""Members of the kinds of fault: ids, labels, one certainty an item, one odd record, causes."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from labelnext import rank
from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput
from labelnext.pool import Pool

Content = str | bytes | list[Any] | dict[str, Any] | pa.Table | Callable[[Path], Any]


def read(folder: Path, name: str, content: Content, **options: Any) -> Pool:
    path = folder / name
    if isinstance(content, pa.Table):
        pa.parquet.write_table(content, path)
    elif callable(content):
        content(path)
    elif isinstance(content, list | dict):
        path.write_text(json.dumps(content), "utf-8")
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    adapter: Any = open_adapter("files", directory=folder, path=name, **options)
    pool: Pool = adapter.read()
    return pool


def order(pool: Pool, function: str | None = None) -> list[str]:
    ids: list[str] = rank(pool, *([] if function is None else [function])).item_ids.tolist()
    return ids


def lines(records: Sequence[Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def pair(first: Any, second: Any) -> list[dict[str, Any]]:
    """Two items, of which the second is less certain."""
    return [{"id": first, "probs": [0.9, 0.1]}, {"id": second, "probs": [0.6, 0.4]}]


def table(*ids: Any, kind: pa.DataType | None = None) -> pa.Table:
    return pa.table({"id": pa.array(ids, kind), "cat": [0.9, 0.6], "dog": [0.1, 0.4]})


def arrays(ids: Any) -> Callable[[Path], None]:
    scores = np.array([[0.9, 0.1], [0.6, 0.4]])
    return lambda path: np.savez(path, item_ids=ids, probabilities=scores)


LONG = 12345678901234567890
WIDE = "id,cat,dog\n{},.9,.1\n{},.6,.4\n"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("hex.csv", WIDE.format("0x1F", "0x10"), ["0x10", "0x1F"]),
        ("exponent.csv", WIDE.format("1e5", "1E5"), ["1E5", "1e5"]),
        ("nothing.csv", WIDE.format("NaN", "null"), ["null", "NaN"]),
        ("spaces.csv", WIDE.format(" a ", "a"), ["a", " a "]),
        ("zeros.jsonl", lines(pair("007", "7")), ["7", "007"]),
        ("mixed.json", pair(1, "2"), ["2", "1"]),
        ("long.json", pair(2**53 + 1, 2**53 + 3), [str(2**53 + 3), str(2**53 + 1)]),
        ("longer.jsonl", lines(pair(2**63 + 1, 10**30)), [str(10**30), str(2**63 + 1)]),
        ("bytes.parquet", table(b"a", "ä".encode()), ["ä", "a"]),
        ("decimals.parquet", table(Decimal(1), Decimal(LONG)), [str(LONG), "1"]),
        ("unsigned.parquet", table(2**64 - 1, 5, kind=pa.uint64()), ["5", str(2**64 - 1)]),
        ("dates.parquet", table(datetime.date(2024, 1, 1), datetime.date(2024, 1, 2)),
         ["2024-01-02", "2024-01-01"]),
        ("bytes.npz", arrays(np.array([b"a", b"b"])), ["b", "a"]),
        ("floats.npz", arrays(np.array([1.0, 2.0])), ["2", "1"]),
        ("dates.npz", arrays(np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[D]")),
         ["2024-01-02", "2024-01-01"]),
        ("paths.jsonl", lines([{"image": {"path": f"{r['id']}.jpg"}, "probs": r["probs"]}
                               for r in pair("a", "b")]), ["b.jpg", "a.jpg"]),
    ],
)  # fmt: skip
def test_an_id_is_text(tmp_path: Path, name: str, content: Content, expected: list[str]) -> None:
    assert order(read(tmp_path, name, content)) == expected


def test_an_id_inside_a_record_has_a_key_with_a_dot(tmp_path: Path) -> None:
    records = [{"data": {"image": r["id"]}, "probs": r["probs"]} for r in pair("a", "b")]
    assert order(read(tmp_path, "t.jsonl", lines(records), key="data.image")) == ["b", "a"]


@pytest.mark.parametrize("ids", [(True, False), ([1], [2])])
def test_what_is_no_id_is_said(tmp_path: Path, ids: Any) -> None:
    with pytest.raises(InvalidInput, match="must be (text or (a )?whole number|set)"):
        read(tmp_path, "t.json", pair(*ids))


def test_decimals_are_scores_too(tmp_path: Path) -> None:
    numbers = [[Decimal("0.90"), Decimal("0.60")], [Decimal("0.10"), Decimal("0.40")]]
    frame = pa.table({"id": ["a", "b"], "cat": numbers[0], "dog": numbers[1]})
    assert order(read(tmp_path, "t.parquet", frame)) == ["b", "a"]


@pytest.mark.parametrize(
    ("classes", "label", "expected"),
    [("xy", "0.0", 0), ("xy", "1.0", 1), ("12", "1.0", 0), ("12", "2", 1)],
)
def test_a_column_of_whole_numbers_with_gaps_has_labels(
    tmp_path: Path, classes: str, label: str, expected: int
) -> None:
    head = f"id,p_{classes[0]},p_{classes[1]},label"
    pool = read(tmp_path, "t.csv", f"{head}\na,.9,.1,{label}\nb,.6,.4,\n")
    assert pool.labels is not None
    assert pool.labels.tolist() == [expected, -1]


@pytest.mark.parametrize(
    ("classes", "label", "expected"),
    [(["1", "2"], "1", 0), (["2", "1"], "1", 1), (["0", "1"], "1", 1),
     (["false", "true"], "true", 1), (["true", "false"], "true", 0)],
)  # fmt: skip
def test_a_cell_that_is_a_class_s_name_is_that_class(
    tmp_path: Path, classes: list[str], label: str, expected: int
) -> None:
    table = f"item_id,{','.join(classes)},label\na,.9,.1,{label}\nb,.6,.4,\n"
    pool = read(tmp_path, "t.csv", table)
    assert pool.labels is not None
    assert pool.labels.tolist() == [expected, -1]
    scores = dict(zip(classes, (0.9, 0.1), strict=True))
    value = json.loads(label)
    record = {"item_id": "a", "probabilities": scores, "label": value}
    if classes == ["1", "2"]:  # by position it would be the second
        with pytest.raises(InvalidInput, match="class's name or its position"):
            read(tmp_path, "t.json", [record])
        return
    told = read(tmp_path, "t.json", [record]).labels
    assert told is not None
    assert told.tolist() == [expected]


def test_predictions_that_are_true_or_false_are_classes(tmp_path: Path) -> None:
    records = [{"id": "a", "prediction": True, "confidence": 0.9},
               {"id": "b", "prediction": False, "confidence": 0.6}]  # fmt: skip
    pool = read(tmp_path, "t.jsonl", lines(records))
    assert order(pool) == ["b", "a"]
    assert pool.classes == ("false", "true")


SURE = [0.06 + 0.93 * n / 19 for n in range(20)]
IDS = [f"i{n:02}" for n in range(20)]
TOP1 = list(zip(IDS, (f"c{n}" for n in range(20)), SURE, strict=True))
NAMED = [(name, "only", sure) for name, _, sure in TOP1]
WRITERS: dict[str, Callable[[Sequence[tuple[str, str, float]]], Content]] = {
    "csv.csv": lambda rows: "id,prediction,confidence\n" + "".join(f"{i},{k},{s}\n"
                                                                  for i, k, s in rows),
    "lists.jsonl": lambda rows: lines([{"id": i, "predictions": [{"class": k, "prob": s}]}
                                       for i, k, s in rows]),
    "parallel.jsonl": lambda rows: lines([{"id": i, "labels": [k], "confidences": [s]}
                                          for i, k, s in rows]),
    "pipeline.json": lambda rows: [{"file": i, "output": [{"label": k, "score": s}]}
                                   for i, k, s in rows],
    "azure.json": lambda rows: {i: {"iteration": "x", "predictions": [
        {"tagName": k, "probability": s}]} for i, k, s in rows},
    "vertex.jsonl": lambda rows: lines([{"instance": {"content": i}, "prediction": {
        "displayNames": [k], "confidences": [s]}} for i, k, s in rows]),
    "paddle.json": lambda rows: [{"file_name": i, "class_ids": [n], "label_names": [k],
                                  "scores": [s]} for n, (i, k, s) in enumerate(rows)],
    "table.parquet": lambda rows: pa.table({
        "id": [i for i, _, _ in rows],
        "pred": pa.array([k for _, k, _ in rows]).dictionary_encode(),
        "score": pa.array([s for _, _, s in rows], pa.float32())}),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("rows", [TOP1, NAMED], ids=["20 classes", "one class"])
def test_a_class_with_its_confidence_comes_in_order(
    tmp_path: Path, name: str, rows: list[tuple[str, str, float]]
) -> None:
    assert order(read(tmp_path, name, WRITERS[name](rows))) == IDS


GOOD = [{"id": f"i{n:02}", "probs": [0.5 + n / 50, 0.5 - n / 50]} for n in range(20)]
ODD: dict[str, Any] = {
    "short": [0.5], "long": [0.2, 0.3, 0.5], "empty": [], "texts": ["a", "b"], "nulls": [None] * 2,
    "nested": [[0.5], [0.5]], "mapping": {"a": 1}, "text": "x", "negative": [-1, 2],
    "sum": [0.9] * 2,
}  # fmt: skip


@pytest.mark.parametrize("ours", [True, False], ids=["our names", "their names"])
@pytest.mark.parametrize("kind", ODD)
def test_one_odd_vector_is_left_out(tmp_path: Path, kind: str, ours: bool) -> None:
    records = [*GOOD, {"id": "odd", "probs": ODD[kind]}]
    if ours:
        records = [{"item_id": r["id"], "probabilities": r["probs"]} for r in records]
    pool = read(tmp_path, "t.jsonl", lines(records))
    assert order(pool) == IDS
    told = [one for one in pool.notices if one.code in ("left_out", "nan")]
    assert told or kind == "nulls"
    if len(pool) == 20:
        assert "line 21" in told[0].message


def test_vectors_of_many_lengths_are_refused(tmp_path: Path) -> None:
    records = [{"id": f"o{n}", "probs": [0.5] * n} for n in range(3, 6)]
    with pytest.raises(InvalidInput, match="probabilities must have the same length for all items"):
        read(tmp_path, "t.jsonl", lines([*GOOD, *records]))


def objects(*values: Any) -> list[dict[str, Any]]:
    good = [[{"confidence": 0.3 + n / 50, "class": "cat"}] for n in range(20)]
    named = zip([*IDS, "odd"], [*good, *values], strict=True)
    return [{"item_id": name, "objects": found} for name, found in named]


@pytest.mark.parametrize("confidence", [7, -1])
def test_one_odd_object_is_left_out(tmp_path: Path, confidence: float) -> None:
    odd = [{"confidence": confidence, "class": "cat"}]
    pool = read(tmp_path, "t.jsonl", lines(objects(odd)))
    assert order(pool, "mean_object_confidence") == IDS
    (notice,) = [one for one in pool.notices if one.code == "left_out"]
    assert notice.message == (
        f"Left out 1 of 21 objects: item odd: confidence must be in [0, 1]; got {confidence}."
    )


def test_a_box_that_cannot_be_used_refuses_nothing(tmp_path: Path) -> None:
    odd = [{"confidence": 1, "class": "cat", "box": [5, 5, 1, 1]}]
    pool = read(tmp_path, "t.jsonl", lines(objects(odd)))
    assert order(pool, "mean_object_confidence") == [*IDS, "odd"]
    (notice,) = [one for one in pool.notices if one.code == "bad_boxes"]
    assert "Left out 1 box" in notice.message
    assert notice.item_ids == ("odd",)


def test_percentages_of_objects_name_the_cure(tmp_path: Path) -> None:
    rows = [{"item_id": "a", "objects": [{"confidence": 90}, {"confidence": 60}]}]
    with pytest.raises(InvalidInput) as error:
        read(tmp_path, "t.jsonl", lines(rows))
    assert "set source.scale: percent" in str(error.value)
    pool = read(tmp_path, "t.jsonl", lines(rows), scale="percent")
    assert pool.objects.confidences.tolist() == [0.9, 0.6]
    content = "image,name,confidence,x1,y1,x2,y2\na,x,90,0,0,1,1\na,x,60,0,0,1,1\n"
    with pytest.raises(InvalidInput) as error:
        read(tmp_path, "t.csv", content)
    assert "set source.scale: percent" in str(error.value)
    pool = read(tmp_path, "t.csv", content, scale="percent")
    assert pool.objects.confidences.tolist() == [0.9, 0.6]


def test_votes_of_other_people_are_left_out(tmp_path: Path) -> None:
    records = [{**one, "votes": [0, 1]} for one in GOOD] + [{**GOOD[0], "id": "odd", "votes": [0]}]
    pool = read(tmp_path, "t.jsonl", lines(records))
    assert pool.votes is not None
    assert pool.votes[[0, 20]].tolist() == [[0, 1], [-1, -1]]
    (notice,) = [one for one in pool.notices if one.code == "left_out"]
    assert notice.item_ids == ("odd",)


def test_a_decimal_comma_in_quotes_is_read(tmp_path: Path) -> None:
    content = 'id,cat,dog\na,"0,9","0,1"\nb,"0,6","0,4"\n'
    assert order(read(tmp_path, "t.csv", content)) == ["b", "a"]


def test_a_row_with_two_odd_cells_counts_once(tmp_path: Path) -> None:
    content = "id,cat,dog\n" + "".join(f"i{n},.5,.5\n" for n in range(19)) + "odd,x,y\n"
    pool = read(tmp_path, "t.csv", content)
    (notice,) = [one for one in pool.notices if one.code == "left_out"]
    assert notice.message.startswith("Left out 1 of 20 values of number columns, but not")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["t.csv", "t.json"])
def test_utf_16_without_a_mark_is_named(tmp_path: Path, encoding: str, name: str) -> None:
    text = WIDE.format("a", "b") if name == "t.csv" else json.dumps(pair("a", "b"))
    with pytest.raises(InvalidInput, match="UTF-16 without a byte order mark") as error:
        read(tmp_path, name, text.encode(encoding), format=name[2:])
    assert f"source.encoding: {encoding}" in str(error.value)
    if name == "t.csv":
        pool = read(tmp_path, name, text.encode(encoding), encoding=encoding)
        assert order(pool) == ["b", "a"]


@pytest.mark.parametrize("classes", [None, ["cat", "dog"]])
@pytest.mark.parametrize("suffix", ["json", "parquet", "npz"])
def test_positions_that_count_from_1_are_refused(
    tmp_path: Path, suffix: str, classes: list[str] | None
) -> None:
    rows = {"item_id": ["a", "b", "c"], "probabilities": [[0.9, 0.1], [0.5, 0.5], [0.6, 0.4]]}
    labels = [2, 1, -1]
    content: Content = [
        {"item_id": i, "probabilities": p, "label": k}
        for i, p, k in zip(*rows.values(), labels, strict=True)
    ]
    if suffix == "parquet":
        content = pa.table({**rows, "label": labels})
    if suffix == "npz":
        content = partial(np.savez, **rows, labels=labels)
    with pytest.raises(InvalidInput, match="got (-1 to )?2") as caught:
        read(tmp_path, f"p.{suffix}", content, classes=classes)
    assert "subtract 1 if these count from 1" in str(caught.value.hint)
