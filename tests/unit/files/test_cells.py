"""Lists and mappings in the cells of CSV files; and what is read by content whatever its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from labelnext import rank
from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput
from labelnext.pool import Pool
from tests.unit.files.reading import order
from tests.unit.files.reading import read as read_table

#: As NumPy 2 prints rows of arrays.
CELLS = {
    "json": ('"[0.9, 0.1]"', '"[0.55, 0.45]"'),
    "numpy": ("[0.9 0.1]", "[0.55 0.45]"),
    "wrapped": ('"[9.0e-01\n 1.0e-01]"', '"[0.55\n 0.45]"'),
    "whole": ("[1. 0.]", "[0.55 0.45]"),
    "scalars": ('"[np.float64(0.9), np.float64(0.1)]"', '"[np.float64(0.55), np.float64(0.45)]"'),
    "array": ('"array([0.9, 0.1], dtype=float32)"', '"array([0.55, 0.45], dtype=float32)"'),
    "mapping": ("\"{'cat': 0.9, 'dog': 0.1}\"", "\"{'cat': 0.55, 'dog': 0.45}\""),
    "database": ('"{cat=0.9, dog=0.1}"', '"{cat=0.55, dog=0.45}"'),
    "spark": ('"{cat -> 0.9, dog -> 0.1}"', '"{cat -> 0.55, dog -> 0.45}"'),
    "pairs": ("\"[('cat', 0.9), ('dog', 0.1)]\"", "\"[('cat', 0.55), ('dog', 0.45)]\""),
}


def read(folder: Path, name: str, content: str | bytes = b"", **options: Any) -> Pool:
    if content:
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(data)
    return open_adapter("files", directory=folder, path=name, **options).read()  # type: ignore[attr-defined,no-any-return]  # of the files adapter


@pytest.mark.parametrize("name", CELLS)
def test_cells_hold_class_scores(tmp_path: Path, name: str) -> None:
    a, b = CELLS[name]
    pool = read(tmp_path, "p.csv", f"id,probs\n007,{a}\n1e5,{b}\n")
    assert rank(pool).item_ids.tolist() == ["1e5", "007"]
    assert pool.mean_probabilities[1].tolist() == [0.55, 0.45]


def test_cells_hold_what_a_pipeline_says(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["a", "b"]})
    frame["pred"] = [[{"label": "cat", "score": 0.9}], [{"label": "dog", "score": 0.4}]]
    frame.to_csv(tmp_path / "p.csv", index=False)
    assert rank(read(tmp_path, "p.csv")).item_ids.tolist() == ["b", "a"]


@pytest.mark.parametrize(
    "form",
    [
        "[{{'label': cat, 'score': {}}}, {{'label': big dog, 'score': 0.05}}]",
        "{{cat={}, dog=NULL}}",
    ],
)
def test_databases_print_words_without_quotes(tmp_path: Path, form: str) -> None:
    rows = [f'{item},"{form.format(p)}"' for item, p in (("a", 0.9), ("b", 0.6), ("c", 0.75))]
    pool = read(tmp_path, "p.csv", "\n".join(["id,probs", *rows]))
    assert rank(pool, "least_confidence").item_ids.tolist() == ["b", "c", "a"]


def test_an_odd_cell_is_left_out_and_named(tmp_path: Path) -> None:
    rows = "".join(f"i{n},[0.{n} 0.{100 - n}]\n" for n in range(60, 80))
    pool = read(tmp_path, "p.csv", f"id,probs\n{rows}x,oops\n")
    assert len(pool) == 20
    assert "line 22" in next(one.message for one in pool.notices if one.code == "left_out")


def test_numbers_that_numpy_left_out_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="must hold all numbers; numpy left some out"):
        read(tmp_path, "p.csv", "id,probs\na,[0.9 0.1 ... 0.0]\n")


def test_ids_in_brackets_stay_text(tmp_path: Path) -> None:
    pool = read(tmp_path, "p.csv", "id,prediction,confidence\n[1],a,0.9\n[2],b,0.4\n")
    assert rank(pool).item_ids.tolist() == ["[2]", "[1]"]


@pytest.mark.parametrize("odd", ["{}", '[["t", true], [1]]', '{"x": {"y": [1, "z"]}}'])
@pytest.mark.parametrize("many", [True, False])
def test_a_value_that_nobody_reads_takes_no_record_with_it(
    tmp_path: Path, odd: str, many: bool
) -> None:
    lines = [
        f'{{"id": "i{n}", "probs": [0.{n}, 0.{100 - n}], "meta": '
        f"{odd if many or n == 60 else json.dumps({'x': n})}}}\n"
        for n in range(60, 80)
    ]
    pool = read(tmp_path, "p.jsonl", "".join(lines))
    assert rank(pool).item_ids.tolist() == [f"i{n}" for n in range(60, 80)]


RECORDS = [{"id": "a", "cat": 0.9, "dog": 0.1}, {"id": "b", "cat": 0.55, "dog": 0.45}]


def lines(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


FRAME = pd.DataFrame({"cat": [0.9, 0.55], "dog": [0.1, 0.45]}, index=["a", "b"])
#: By name, what is in the file.
CONTENTS: dict[str, str] = {
    "lines.json": lines(RECORDS),
    "list.jsonl": json.dumps(RECORDS),
    "table.json": str(pd.DataFrame(RECORDS).to_json(orient="table")),
    "split.json": str(FRAME.to_json(orient="split")),
    "pairs.json": json.dumps(
        {"a": [["cat", 0.9], ["dog", 0.1]], "b": [["cat", 0.5], ["dog", 0.5]]}
    ),
    "pair.json": json.dumps({"a": ["cat", 0.9], "b": ["dog", 0.5]}),
    "pairs.jsonl": lines(
        [
            {"id": "a", "text": "x", "prediction": [["cat", 0.9], ["dog", 0.1]]},
            {"id": "b", "text": "y", "prediction": [["cat", 0.5], ["dog", 0.5]]},
        ]
    ),
    "timm.csv": "filename,label,prob\na,\"['cat', 'dog']\",\"[0.9, 0.1]\"\n"
    "b,\"['cat', 'dog']\",\"[0.55, 0.45]\"\n",
    "beside.csv": "id,width,height,lat,cat,dog\na,640,480,48.1,0.9,0.1\nb,640,480,48.2,0.55,0.45\n",
    "a,b.csv": "id,cat,dog\na,0.9,0.1\nb,0.55,0.45\n",
}


@pytest.mark.parametrize("name", CONTENTS)
def test_text_is_read_by_what_it_holds(tmp_path: Path, name: str) -> None:
    assert rank(read(tmp_path, name, CONTENTS[name])).item_ids.tolist() == ["b", "a"]


def maps(path: Path) -> None:
    kind = pa.map_(pa.string(), pa.float64())
    scores = [[("cat", 0.9), ("dog", 0.1)], [("cat", 0.55), ("dog", 0.45)]]
    table = pa.table({"id": ["a", "b"], "scores": pa.array(scores, kind)})
    pyarrow.parquet.write_table(table, path)


def named_as_ours(path: Path) -> None:
    records = [
        [{"label": "cat", "score": 0.9}, {"label": "dog", "score": 0.1}],
        [{"label": "dog", "score": 0.45}, {"label": "cat", "score": 0.55}],
    ]
    pyarrow.feather.write_feather(pa.table({"id": ["a", "b"], "probabilities": records}), path)


def mapped_as_ours(path: Path) -> None:
    maps(path)
    table = pyarrow.parquet.read_table(path).rename_columns(["id", "probabilities"])
    pyarrow.parquet.write_table(table, path)


def uuids(path: Path) -> None:
    numbers = pa.array([bytes(16), bytes([9] * 16)], pa.uuid())
    table = pa.table({"uuid": numbers, "id": ["a", "b"], "cat": [0.9, 0.55], "dog": [0.1, 0.45]})
    pyarrow.parquet.write_table(table, path)


def texts_of_json(path: Path) -> None:
    """JSON as DuckDB writes it to Parquet."""
    scores = pa.array(['{"cat": 0.9, "dog": 0.1}', '{"cat": 0.55, "dog": 0.45}'], pa.json_())
    table = pa.table({"id": ["a", "b"], "probabilities": scores})
    pyarrow.parquet.write_table(table, path)


def views(path: Path) -> None:
    """Categories as polars writes an Enum."""
    names = pa.array(["x", "y"], pa.string_view())
    kinds = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.uint8()), names)
    table = pa.table({"id": ["a", "b"], "prediction": kinds, "confidence": [0.9, 0.2]})
    pyarrow.feather.write_feather(table, path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("maps.parquet", maps),
        ("mapped_as_ours.parquet", mapped_as_ours),
        ("named_as_ours.feather", named_as_ours),
        ("texts_of_json.parquet", texts_of_json),
        ("uuids.parquet", uuids),
        ("views.feather", views),
        ("index.parquet", FRAME.to_parquet),
    ],
)
def test_arrow_is_read_with_maps_views_and_an_unnamed_index(
    tmp_path: Path, name: str, write: Callable[[Path], None]
) -> None:
    write(tmp_path / name)
    assert rank(read(tmp_path, name)).item_ids.tolist() == ["b", "a"]


def test_a_table_without_names_is_said_to_lack_them(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="first line must name the columns.*put names above"):
        read(tmp_path, "p.csv", "a,0.9,0.1\nb,0.55,0.45\n")


def test_one_number_column_can_be_two_things(tmp_path: Path) -> None:
    text = "id,probability\na,0.95\nb,0.48\nc,0.2\n"
    told = " ".join(one.message for one in read(tmp_path, "p.csv", text).notices)
    assert "{confidence: probability}" in told
    assert "{probabilities: [probability]}" in told
    sure = read(tmp_path, "p.csv", columns={"confidence": "probability"})
    assert rank(sure).item_ids.tolist() == ["c", "b", "a"]
    columns = {"probabilities": ["probability"]}
    one_class = read(tmp_path, "p.csv", columns=columns, multilabel=True)
    assert rank(one_class).item_ids.tolist() == ["b", "c", "a"]


def test_one_logit_is_of_one_class(tmp_path: Path) -> None:
    pool = read(tmp_path, "p.csv", "id,logit\na,3\nb,-5\nc,0\n", logits="sigmoid")
    np.testing.assert_allclose(pool.mean_probabilities[2], [0.5])
    assert rank(pool).item_ids.tolist() == ["c", "a", "b"]


def test_labels_of_nameless_classes_are_positions_or_nothing(tmp_path: Path) -> None:
    text = '{"id": "a", "probs": [0.9, 0.1], "label": %s}\n{"id": "b", "probs": [0.4, 0.6]}\n'
    for value, place in (('"1"', 1), ('"-1"', -1), ('""', -1), ("1", 1)):
        pool = read(tmp_path, "p.jsonl", text % value)
        assert pool.labels is not None
        assert pool.labels.tolist() == [place, -1]
    with pytest.raises(InvalidInput, match=r"must be one of 0, 1; got 'dog'.*source.classes"):
        read(tmp_path, "p.jsonl", text % '"dog"')


def test_a_column_that_may_hold_labels_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    text = "id,y_true,prob_cat,prob_dog\na,cat,0.9,0.1\nb,,0.55,0.45\n"
    told = " ".join(one.message for one in read(tmp_path, "p.csv", text).notices)
    assert "'y_true' was not read" in told
    named = read(tmp_path, "p.csv", columns={"label": "y_true"})
    assert rank(named).item_ids.tolist() == ["b"]
    assert not [one for one in named.notices if one.code == "not_read"]


@pytest.mark.parametrize(
    "written",
    ["tensor({})", "tensor({}, device='cuda:0')", "np.float32({})", "[{}]", "tensor([{}])",
     "tensor({}, grad_fn=<MaxBackward0>)", "array([{}], dtype=float32)", "['{}']"],
)  # fmt: skip
def test_what_libraries_print_around_a_number_is_no_hindrance(tmp_path: Path, written: str) -> None:
    shares = {"a": 0.875, "b": 0.5, "c": 0.75}
    rows = [f'{i},"[\'cat\']","{written.format(p)}"' for i, p in shares.items()]
    pool = read_table(tmp_path, "t.csv", "\n".join(["id,pred,conf", *rows]))
    assert pool.classes == ("cat",)
    assert order(pool) == ["b", "c", "a"]


@pytest.mark.parametrize("more", [", device='cuda:0'", ", grad_fn=<SoftmaxBackward0>", ""])
def test_tensors_of_scores_are_read(tmp_path: Path, more: str) -> None:
    shares = {"a": "[0.8750, 0.1250]", "b": "[0.5000, 0.5000]", "c": "[0.2500, 0.7500]"}
    rows = [f'{i},"tensor({p}{more})"' for i, p in shares.items()]
    assert order(read_table(tmp_path, "t.csv", "\n".join(["id,probs", *rows]))) == ["b", "c", "a"]
