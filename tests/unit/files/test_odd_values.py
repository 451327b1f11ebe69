"""One value that breaks the rule of its column is left out, and its item stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from labelnext import Pool, rank
from labelnext.errors import InvalidInput
from labelnext_adapters.files.tables.vectors import from_logits
from tests.unit.files.reading import lines, notice, read

N, ODD = 40, 7


def records(**columns: Any) -> list[dict[str, Any]]:
    """Items i0, i1, … with scores and one more column, a function of the item's number."""
    return [
        {"item_id": f"i{n}", "probabilities": {"cat": 0.5 + n / 100, "dog": 0.5 - n / 100}}
        | {name: of(n) for name, of in columns.items()}
        for n in range(N)
    ]


def read_records(folder: Path, rows: list[dict[str, Any]]) -> Pool:
    return read(folder, "p.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))


def but(odd: Any, usual: Callable[[int], Any]) -> Callable[[int], Any]:
    return lambda n: odd if n == ODD else usual(n)


def left_out(pool: Pool) -> str:
    (notice,) = [one for one in pool.notices if one.code == "left_out"]
    assert notice.item_ids == (f"i{ODD}",)
    return notice.message


@pytest.mark.parametrize(
    ("column", "odd", "usual", "why"),
    [
        ("label", "Cat", lambda n: "cat", "of cat, dog; got 'Cat' (did you mean 'cat'?)."),
        ("label", "dgo", lambda n: "cat", "of cat, dog; got 'dgo' (did you mean 'dog'?)."),
        ("label", "bird", lambda n: "cat", "label must be one of cat, dog; got 'bird'."),
        ("label", 7, lambda n: n % 2, "label must be one of cat, dog; got 7."),
        ("label", ["cat"], lambda n: "cat", "must be text or a whole number; got ['cat']."),
        ("group", {"a": 1}, lambda n: f"v{n % 3}", "text or a whole number; got {'a': 1}."),
        ("group", 1.5, lambda n: f"v{n % 3}", "group must be text or a whole number; got 1.5."),
        ("votes", ["cat", "bird"], lambda n: ["cat", "dog"], "of cat, dog; got 'bird'."),
        ("votes", ["cat"], lambda n: ["cat", "dog"], "the same 2 people as elsewhere."),
        ("votes", ["cat"] * 3, lambda n: ["cat", "dog"], "the same 2 people as elsewhere."),
        ("labelled", 7, lambda n: n % 2, "labelled must be true or false; got '7'."),
        ("embedding", [1e300, 1.0], lambda n: [n, 1.0], "up to 1e+15 in size; got 1e+300."),
        ("embedding", [1.0], lambda n: [n, 1.0], "must be 2 numbers, as elsewhere; got 1."),
    ],
)
def test_a_value_that_breaks_its_rule_is_left_out_alone(
    tmp_path: Path, column: str, odd: Any, usual: Callable[[int], Any], why: str
) -> None:
    pool = read_records(tmp_path, records(**{column: but(odd, usual)}))
    assert len(pool) == N
    assert "but not the items" in left_out(pool)
    assert left_out(pool).endswith(why)


@pytest.mark.parametrize(
    ("column", "odd", "usual"),
    [
        ("label", "bird", lambda n: "cat" if n % 2 else None),
        ("votes", ["bird", "bird"], lambda n: ["cat", "dog"] if n % 2 else [None, None]),
    ],
)
def test_an_item_whose_label_is_left_out_is_labelled(
    tmp_path: Path, column: str, odd: Any, usual: Callable[[int], Any]
) -> None:
    rows = records(**{column: but(odd, usual)})
    pool = read_records(tmp_path, rows)
    assert "but not the items" in left_out(pool)
    assert pool.labelled.tolist() == [n % 2 == 1 for n in range(N)]
    stated = read_records(tmp_path, [{**row, "labelled": False} for row in rows])
    assert not stated.labelled.any()


@pytest.mark.parametrize("odd", [-1, 0, None, float("inf")])
def test_an_item_without_a_cost_above_0_is_left_out(tmp_path: Path, odd: Any) -> None:
    pool = read_records(tmp_path, records(cost=but(odd, float_of)))
    assert len(pool) == N - 1
    assert f"line {ODD + 1} (item i{ODD}): cost must be a number above 0" in left_out(pool)


def float_of(n: int) -> float:
    return n + 1.5


def test_more_than_a_tenth_of_labels_that_are_no_class_stop(tmp_path: Path) -> None:
    rows = records(label=lambda n: "Cat" if n < 6 else "cat")
    with pytest.raises(InvalidInput) as caught:
        read_records(tmp_path, rows)
    told = str(caught.value)
    assert "can't use 6 of 40 values of label: line 1 (item i0): label must be one of" in told
    assert "line 5 (item i4)" in told
    assert "line 6" not in told
    assert caught.value.hint == "write them as the classes are called."


def test_one_label_that_is_no_position_is_left_out_of_nameless_classes(tmp_path: Path) -> None:
    label = but("?", lambda n: n % 2)
    rows = [f"i{n};[0.{n + 50}, 0.{50 - n}];{label(n)}" for n in range(N)]
    pool = read(tmp_path, "p.csv", "\n".join(["item_id;probabilities;label", *rows]))
    assert pool.labels is not None
    assert pool.labels.tolist() == [-1 if n == ODD else n % 2 for n in range(N)]
    assert f"line {ODD + 2} (item i{ODD}): label must be one of 0, 1; got '?'" in left_out(pool)


def test_a_frame_keeps_an_item_whose_label_or_embedding_is_odd() -> None:
    rows = [
        {**row, **row.pop("probabilities")} for row in records(embedding=but([1e300], vector_of))
    ]
    frame = pd.DataFrame(rows).assign(label=["?" if n == ODD else "cat" for n in range(N)])
    pool = Pool.from_pandas(frame)
    assert len(pool) == N
    assert pool.embeddings is not None
    assert np.flatnonzero(np.isnan(pool.embeddings).any(axis=1)).tolist() == [ODD]
    assert pool.labelled.sum() == N  # somebody labelled it


def vector_of(n: int) -> list[float]:
    return [float(n)]


def test_an_item_with_a_huge_embedding_is_left_out_of_a_ranking_by_embeddings() -> None:
    vectors = np.arange(2.0 * N).reshape(N, 2)
    vectors[ODD] = 1e300
    names = [f"i{n}" for n in range(N)]
    shares = np.full((N, 2), 0.5)
    ranking = rank(Pool(names, probabilities=shares, embeddings=vectors), selection="k_center")
    assert f"i{ODD}" not in ranking.item_ids[:5]
    huge = Pool(names, probabilities=shares, embeddings=np.full((N, 2), 1e20))
    with pytest.raises(InvalidInput, match="between 1e-15 and 1e15"):
        rank(huge, selection="k_center")


def test_an_item_whose_scores_are_left_out_is_told_of_once(tmp_path: Path) -> None:
    rows = records()
    rows[ODD]["probabilities"] = {"cat": 5, "dog": -4}
    pool = read_records(tmp_path, rows)
    assert len(pool) == N
    (told,) = [one.message for one in pool.notices if f"i{ODD}" in one.item_ids]
    assert told.startswith(f"Left out 1 of {N} values of probabilities, but not the items: ")


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_huge_logits_are_read_without_a_warning(kind: Any) -> None:
    rows = from_logits(np.array([[1e308, -1e308], [0.0, 0.0]]), kind)
    assert rows.tolist() == [[1.0, 0.0], [0.5, 0.5]]


def test_boxes_whose_numbers_have_no_names_say_what_to_write(tmp_path: Path) -> None:
    boxes = [[0.1, 0.2, 0.3, 0.4], [0.5, 0.5, 0.75, 1.0]]
    lists = {"boxes": [boxes], "scores": [[0.9, 0.8]], "labels": [["cat", "dog"]]}
    pa.parquet.write_table(pa.table({"item_id": ["a"], **lists}), tmp_path / "p.parquet")
    pool = read(tmp_path, "p.parquet")
    (told,) = [one.message for one in pool.notices if one.code == "no_boxes"]
    assert "in pixels or as fractions" in told
    assert "a column objects of records with confidence, class and box" in told
    as_told = [
        {"confidence": sure, "class": name, "box": box}
        for sure, name, box in zip([0.9, 0.8], ["cat", "dog"], boxes, strict=True)
    ]
    cured = read(tmp_path, "p.json", json.dumps([{"item_id": "a", "objects": as_told}]))
    assert cured.newest_objects is not None
    assert cured.newest_objects.boxes is not None
    assert cured.newest_objects.boxes.tolist() == boxes


@pytest.mark.parametrize("odd", [["cat"], {"a": 1}, 1.5, True])
@pytest.mark.parametrize(("key", "column"), [("item_id", "label"), ("id", "gold")])
def test_a_label_of_another_type_still_labels_its_item(
    tmp_path: Path, odd: Any, key: str, column: str
) -> None:
    scores = {"cat": 0.75, "dog": 0.25}
    labels = ["cat"] * 15 + [None] * 15
    records: list[dict[str, Any]] = [
        {key: f"i{k}", "probabilities": scores, column: label} for k, label in enumerate(labels)
    ]
    records[3][column] = odd
    pool = read(tmp_path, "p.jsonl", lines(records), columns={"label": column})
    assert pool.labelled.tolist() == [True] * 15 + [False] * 15
    assert notice(pool, "left_out").item_ids == ("i3",)
