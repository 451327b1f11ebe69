"""JSON as people and tools lay it out: values one after the other, wrapped, turned, or none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from labelnext.errors import InvalidInput
from labelnext.ranking import rank
from tests.unit.files.reading import order, read

ROWS = [{"id": "007", "cat": 0.9, "dog": 0.1}, {"id": "b", "cat": 0.5, "dog": 0.5}]
SPARK = {"type": 1, "size": None, "indices": None}


def spark(name: str, *values: float, **more: Any) -> dict[str, Any]:
    return {"id": name, "probability": {**SPARK, "values": list(values), **more}, "prediction": 0.0}


#: Two items with .9 and .5 of two classes; the second comes first.
SHAPES: dict[str, Any] = {
    "one after the other": "".join(map(json.dumps, ROWS)),
    "over several lines": "\n".join(json.dumps(row, indent=2) for row in ROWS),
    "inside two objects": {"data": {"items": ROWS}},
    "beside the model's name": {
        "model": "m", "version": 3,
        "results": {row["id"]: {"cat": row["cat"], "dog": row["dog"]} for row in ROWS},
    },
    "decoded by Keras": {
        row["id"]: [["n1", "cat", row["cat"]], ["n2", "dog", row["dog"]]] for row in ROWS
    },
    "vectors of Spark": [
        spark("007", 0.9, 0.1), spark("b", 0.5, 0.5),
        spark("c", 1.0, type=0, size=2, indices=[1]),
    ],
    "entities by document": {
        row["id"]: [{"entity_type": "PERSON", "start": 0, "end": 4, "score": row["cat"]}]
        for row in ROWS
    },
}  # fmt: skip


LINES = [name for name, content in SHAPES.items() if not isinstance(content, dict)]


@pytest.mark.parametrize(
    ("shape", "ending"), [(one, "json") for one in SHAPES] + [(one, "jsonl") for one in LINES]
)
def test_whatever_is_around_them_rows_are_read(tmp_path: Path, shape: str, ending: str) -> None:
    content = SHAPES[shape]
    if ending == "jsonl" and not isinstance(content, str):
        content = "".join(json.dumps(row) + "\n" for row in content)
    assert order(read(tmp_path, f"p.{ending}", content))[:2] == ["b", "007"]


def test_sparse_vectors_of_spark_have_zeros(tmp_path: Path) -> None:
    pool = read(tmp_path, "p.json", SHAPES["vectors of Spark"])
    assert pool.mean_probabilities.tolist() == [[0.9, 0.1], [0.5, 0.5], [0.0, 1.0]]


def test_values_one_after_the_other_are_named_by_their_lines(tmp_path: Path) -> None:
    rows = [{"id": f"i{n}", "cat": 0.5, "dog": 0.5} for n in range(19)] + [{"id": True, "cat": 1}]
    text = "\n".join(json.dumps(row, indent=1) for row in rows)
    (notice,) = [n for n in read(tmp_path, "p.json", text).notices if n.code == "left_out"]
    assert "id must be text or a whole number; got True" in notice.message


@pytest.mark.parametrize(
    ("content", "why", "cure"),
    [
        (str(ROWS), "enclosed in double quotes", "write it with json.dump"),
        (
            {"a.jpg": {"cat": 24.1, "dog": 19.2}, "b.jpg": {"cat": 22.1, "dog": 22.0}},
            r"class scores by item or by class that sum to 1.*got 'a\.jpg': \{'cat': 24\.1",
            "with item_id and probabilities, logits or objects",
        ),
        ({"a.png": [[[1, 1], "word", 0.9]]}, r"got 'a\.png'", "a list of objects"),
        (json.dumps(ROWS)[:-9], "ends in the middle of a value", "may be cut off"),
        (json.dumps(ROWS[0]) + json.dumps(ROWS[1])[:-9], "extra data", None),
    ],
)
def test_what_is_none_of_these_is_said(tmp_path: Path, content: Any, why: str, cure: Any) -> None:
    with pytest.raises(InvalidInput, match=why) as caught:
        read(tmp_path, "p.json", content)
    assert cure is None or cure in str(caught.value.hint)


FRAME = pd.DataFrame(
    {"image": ["a", "b", "c"], "prediction": ["cat", "dog", "cat"], "confidence": [0.9, 0.5, 0.7]}
)


@pytest.mark.parametrize("orient", ["split", "records", "index", "columns", "table", "tight"])
@pytest.mark.parametrize("ids", ["a column", "the index", "an index without a name", "two levels"])
def test_what_pandas_writes_is_read_in_every_orientation(
    tmp_path: Path, orient: Any, ids: str
) -> None:
    frame = FRAME if ids == "a column" else FRAME.set_index("image")
    if ids == "an index without a name":
        frame = frame.rename_axis(None)
    if ids == "two levels":
        if orient in ("records", "index", "columns"):
            return  # pandas loses the index, or writes it as one text
        frame = FRAME.set_index(["image", pd.Index([1, 2, 3], name="n")])
    if orient == "records" and ids != "a column":
        return
    tight = orient == "tight"
    text = json.dumps(frame.to_dict(orient="tight")) if tight else frame.to_json(orient=orient)
    assert order(read(tmp_path, "p.json", text)) == ["b", "c", "a"]


@pytest.mark.parametrize("vector", ["probs", "probabilities", "softmax"])
@pytest.mark.parametrize("answer", ["prediction", "class"])
def test_the_scores_of_all_classes_count_beside_the_likeliest(
    tmp_path: Path, vector: str, answer: str
) -> None:
    # By the margin a, of 0.125, comes before b; by the confidence b comes first.
    shares = {"a": [0.5, 0.375, 0.125], "b": [0.4375, 0.28125, 0.28125]}
    value = {i: {answer: "x", "score": max(s), vector: s} for i, s in shares.items()}
    pool = read(tmp_path, "p.json", value)
    assert pool.probabilities is not None
    assert pool.probabilities.tolist() == [*shares.values()]
    assert rank(pool, "margin").item_ids.tolist() == ["a", "b"]
