"""Ids that occur again: copies, several answers of an item, classes and objects by row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from labelnext import rank
from labelnext.adapter.registry import open_adapter
from labelnext.errors import InvalidInput
from labelnext.pool import Pool
from tests.unit.files.reading import notice, order

ANSWERS = [(f"i{n}", name, sure) for n, (name, sure) in enumerate(zip("abcdefghijkl", (
    0.03, 0.06, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99), strict=True))]  # fmt: skip
LEAST_SURE_FIRST = [f"i{n}" for n in range(12)]


def read(folder: Path, name: str, content: str, **options: Any) -> Pool:
    (folder / name).write_text(content)
    return open_adapter("files", directory=folder, path=name, **options).read()  # type: ignore[attr-defined]  # of the files adapter


def csv_of(rows: list[tuple[Any, ...]], header: str = "item_id,prediction,confidence") -> str:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def pools(folder: Path, rows: list[tuple[Any, ...]]) -> list[Pool]:
    """The same rows as CSV, with pandas' index, as JSONL and as a data frame."""
    names = ("item_id", "prediction", "confidence")
    records = [dict(zip(names, row, strict=True)) for row in rows]
    indexed = csv_of([(n, *row) for n, row in enumerate(rows)], f",{','.join(names)}")
    return [
        read(folder, "p.csv", csv_of(rows)),
        read(folder, "i.csv", indexed),
        read(folder, "p.jsonl", "".join(json.dumps(one) + "\n" for one in records)),
        Pool.from_pandas(pd.DataFrame(records)),
    ]


def test_a_copy_of_a_row_is_left_out_and_changes_nothing_else(tmp_path: Path) -> None:
    for pool in pools(tmp_path, [*ANSWERS, ANSWERS[11], ANSWERS[11]]):
        assert rank(pool, "auto").item_ids.tolist() == LEAST_SURE_FIRST
        assert ("i11",) in [notice.item_ids for notice in pool.notices]
        told = " ".join(notice.message for notice in pool.notices)
        assert "Left out 2 rows that repeat another exactly: i11." in told


def test_a_file_written_twice_is_read_once(tmp_path: Path) -> None:
    for pool in pools(tmp_path, [*ANSWERS, *ANSWERS]):
        assert rank(pool, "auto").item_ids.tolist() == LEAST_SURE_FIRST


def test_an_item_with_two_answers_is_left_out_with_both(tmp_path: Path) -> None:
    for pool in pools(tmp_path, [*ANSWERS, ("i11", "a", 0.005)]):
        assert rank(pool, "auto").item_ids.tolist() == LEAST_SURE_FIRST[:11]
        told = " ".join(notice.message for notice in pool.notices)
        assert "Left out 1 of 12 items: item i11: it has 2 rows: " in told


def test_class_scores_given_twice_follow_the_same_rule(tmp_path: Path) -> None:
    rows = [(f"i{n}", round(0.5 + n / 100, 2), round(0.5 - n / 100, 2)) for n in range(12)]
    same = read(tmp_path, "s.csv", csv_of([*rows, rows[0]], "id,cat,dog"))
    assert rank(same, "margin").item_ids.tolist() == LEAST_SURE_FIRST
    other = read(tmp_path, "o.csv", csv_of([*rows, ("i0", 0.9, 0.1)], "id,cat,dog"))
    assert rank(other, "margin").item_ids.tolist() == LEAST_SURE_FIRST[1:]
    with pytest.raises(InvalidInput, match="must be distinct.*repeated ids: i0") as caught:
        read(tmp_path, "m.csv", csv_of([*rows[:4], ("i0", 0.9, 0.1)], "id,cat,dog"))
    assert "keep one row of each item" in (caught.value.hint or "")


def test_classes_by_row_stay_class_scores(tmp_path: Path) -> None:
    rows = [("a", "cat", 0.6), ("a", "dog", 0.4), ("b", "cat", 0.9), ("b", "dog", 0.1)]
    for content in (rows, [*rows, rows[0]]):  # a copy isn't a second cat
        pool = read(tmp_path, "p.csv", csv_of(content))
        assert pool.mean_probabilities.tolist() == [[0.6, 0.4], [0.9, 0.1]]


def test_boxes_stay_objects_and_equal_ones_are_several(tmp_path: Path) -> None:
    header = "image,class,confidence,x1,y1,x2,y2"
    rows = [(f"i{n}", "cat", 0.5, 0.1, 0.1, 0.5, 0.5) for n in range(12)]
    pool = read(tmp_path, "p.csv", csv_of([*rows, rows[0], ("i1", "dog", 0.6, 0, 0, 1, 1)], header))
    assert pool.objects.counts.tolist() == [2, 2, *[1] * 10]


def test_detections_without_boxes_keep_equal_ones(tmp_path: Path) -> None:
    rows = [("a", "cat", 0.9), ("a", "cat", 0.9), ("a", "cat", 0.8), ("b", "dog", 0.3)]
    pool = read(tmp_path, "p.csv", csv_of(rows))
    assert pool.objects.counts.tolist() == [3, 1]


def test_the_hint_names_what_works_as_it_works(tmp_path: Path) -> None:
    pool = read(tmp_path, "p.csv", csv_of([("a", "cat", 0.9, 0, 0, 1, 1)],
                                          "image,class,confidence,x1,y1,x2,y2"))  # fmt: skip
    with pytest.raises(InvalidInput) as caught:
        rank(pool, "least_confidence", of="items")
    assert (caught.value.hint or "").startswith(
        "these work on this pool: least_confidence with of: objects,"
    )


@pytest.mark.parametrize("name", ["p.jsonl", "p.json"])
@pytest.mark.parametrize("at", [0, 20])
def test_a_record_with_two_ids_is_left_out(tmp_path: Path, name: str, at: int) -> None:
    scores = {"cat": 0.5, "dog": 0.5}
    lines = [json.dumps({"item_id": f"g{n}", "probabilities": scores}) for n in range(20)]
    lines.insert(
        at, '{"item_id": "dd", "item_id": "ee", "probabilities": {"cat": 0.5, "dog": 0.5}}'
    )
    text = "\n".join(lines) if name == "p.jsonl" else f"[{','.join(lines)}]"
    pool = read(tmp_path, name, text)
    assert pool.item_ids.tolist() == [f"g{n}" for n in range(20)]
    told = " ".join(notice.message for notice in pool.notices)
    assert "Left out 1 of 21 records" in told
    assert "a record must have each key once" in told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id,cat,dog\na,0.9,0.1\nb,0.6,0.4\nid,cat,dog\nc,0.7,0.3\n", ["b", "c", "a"]),
        ("id,0,1\na,0.9,0.1\nb,0.6,0.4\nid,0,1\nc,0.7,0.3\n", ["b", "c", "a"]),
        ("id; cat; dog\na; 0,9; 0,1\nb; 0,6; 0,4\nid; cat; dog\nc; 0,7; 0,3\n", ["b", "c", "a"]),
        ("id,worker,label\na,x,cat\na,y,cat\nid,worker,label\nb,x,cat\nb,y,dog\n", ["b", "a"]),
        (
            '"id","cat","dog"\n"a",0.9,0.1\nb,0.6,0.4\n"id","cat","dog"\nc,0.7,0.3\n',
            ["b", "c", "a"],
        ),
    ],
)
def test_the_header_again_is_no_item(tmp_path: Path, text: str, expected: list[str]) -> None:
    pool = read(tmp_path, "p.csv", text)
    assert order(pool) == expected
    message = notice(pool, "left_out").message
    assert message == "Left out 1 line with the names of the columns again: line 4."
    assert len(pool) == len(expected)


def test_places_are_told_behind_the_header_again(tmp_path: Path) -> None:
    rows = [f"i{n},0.{n:03},0.{1000 - n:03}" for n in range(1, 41)]
    again = [*rows[:20], "id,cat,dog", *rows[20:], "z,x,0.5"]
    pool = read(tmp_path, "p.csv", "\n".join(["id,cat,dog", *again]) + "\n")
    (told,) = [one.message for one in pool.notices if "number columns" in one.message]
    assert told == (
        "Left out 1 of 41 values of number columns, but not the items: line 43: cat must be a "
        "number; got 'x'."
    )


@pytest.mark.parametrize(("odd", "decimal"), [("x", "."), ("?", ",")])
def test_a_number_of_a_label_that_is_none_still_labels(
    tmp_path: Path, odd: str, decimal: str
) -> None:
    values = [odd, *(f"{n}{decimal}5" for n in range(20)), ""]
    rows = [f"i{n};{value};2{decimal}5" for n, value in enumerate(values)]
    pool = read(tmp_path, "p.csv", "\n".join(["id;label_number;e_0", *rows]) + "\n")
    assert pool.labelled.tolist() == [True] * 21 + [False]
    assert pool.numbers[1:21].tolist() == [n + 0.5 for n in range(20)]
    told = [one.message for one in pool.notices if one.code == "left_out"]
    assert told == [
        "Left out 1 of 21 values of label_number, but not the items: line 2 (item i0): "
        f"label_number must be a number, or empty for none; got '{odd}'."
    ]


def test_a_cost_that_is_no_number_is_told_once(tmp_path: Path) -> None:
    rows = [f"i{n},0.{n:02},0.{100 - n:02},{'x' if n == 5 else '1.5'}" for n in range(10, 40)]
    text = "\n".join(["id,cat,dog,cost", *rows, "z,0.5,0.5,x"]) + "\n"
    pool = read(tmp_path, "p.csv", text)
    assert "z" not in pool.item_ids.tolist()
    told = [one.message for one in pool.notices if one.code == "left_out"]
    assert told == [
        "Left out 1 of 31 items: line 32 (item z): cost must be a number above 0; got 'x'."
    ]
