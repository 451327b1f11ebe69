"""Columns that hold an embedding, or one number each of it, by their names."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labelnext.pool import Pool
from tests.unit.files.reading import notice, order, read

VECTORS = ([0.5, 2.0, 0.25], [0.75, 0.5, 1.5], [1.0, 0.25, 0.5])


def _table(names: list[str], sign: float = 1) -> str:
    rows = [[name, *(str(sign * x) for x in v)] for name, v in zip("abc", VECTORS, strict=True)]
    return "\n".join(map(",".join, [["id", *names], *rows]))


def _vectors(pool: Pool) -> list[list[float]]:
    assert pool.embeddings is not None
    found: list[list[float]] = pool.embeddings.tolist()
    return found


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    "written",
    ["emb_{}", "emb{}", "dim{}", "Dim.{}", "embedding_{}", "embeddings[{}]", "clip_emb-{}"],
)
@pytest.mark.parametrize("first", [0, 1])
def test_columns_called_as_parts_of_an_embedding_are_one(
    tmp_path: Path, written: str, sign: int, first: int
) -> None:
    names = [written.format(n) for n in range(first, first + 3)]
    pool = read(tmp_path, "t.csv", _table(names, sign))
    assert _vectors(pool) == [[sign * x for x in row] for row in VECTORS]
    assert "as embeddings" in notice(pool, "layout").message


def test_parts_of_an_embedding_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    names = [f"emb_{n}" for n in (0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9)]
    rows = [",".join([item, *(name[4:] for name in names)]) for item in "ab"]
    pool = read(tmp_path, "t.csv", "\n".join([f"id,{','.join(names)}", *rows]))
    assert _vectors(pool) == [list(range(12))] * 2


@pytest.mark.parametrize(
    ("head", "rows", "options"),
    [
        ("cat,dog", ("0.875,0.125", "0.5,0.5", "0.25,0.75"), {}),
        ("p_cat,p_dog", ("0.875,0.125", "0.5,0.5", "0.25,0.75"), {}),
        ("cat,dog", ("2,-2", "0,0", "-1,1"), {"logits": "softmax"}),
        ("cat,dog", ("0.875,0.125", "0.5,0.5", "0.25,0.75"), {"multilabel": True}),
        ("prediction,confidence", ("cat,0.875", "dog,0.5", "dog,0.75"), {}),
    ],
    ids=["wide", "p_", "logits", "independent", "one confidence"],
)
def test_predictions_beside_parts_of_an_embedding_are_read(
    tmp_path: Path, head: str, rows: tuple[str, ...], options: dict[str, object]
) -> None:
    lines = [f"{i},{row},0.5,0.{n}" for n, (i, row) in enumerate(zip("abc", rows, strict=True), 1)]
    pool = read(tmp_path, "t.csv", "\n".join([f"id,{head},emb_0,emb_1", *lines]), **options)
    assert order(pool) == ["b", "c", "a"]
    assert _vectors(pool) == [[0.5, 0.1], [0.5, 0.2], [0.5, 0.3]]


def test_numbered_outputs_that_sum_to_1_are_classes(tmp_path: Path) -> None:
    content = "id,dim_0,dim_1\na,0.875,0.125\nb,0.5,0.5\nc,0.25,0.75\n"
    pool = read(tmp_path, "t.csv", content)
    assert pool.embeddings is None
    assert order(pool) == ["b", "c", "a"]


@pytest.mark.parametrize("written", ["x{}", "feature_{}", "f{}", "V{}", "vec.{}", "pc{}"])
@pytest.mark.parametrize(("sign", "other"), [(0.5, "multilabel: true"), (-1, "logits: softmax")])
def test_what_may_be_an_embedding_is_asked_about(
    tmp_path: Path, written: str, sign: float, other: str
) -> None:
    names = [written.format(n) for n in range(3)]
    said = notice(read(tmp_path, "t.csv", _table(names, sign)), "no_predictions").message
    assert f"{', '.join(names)} seem to be embeddings" in said
    assert "call them e_0, e_1, …" in said
    assert f"source.{other}" in said
    stated = read(tmp_path, "t.csv", columns={"embedding": names})
    assert _vectors(stated) == [[sign * x for x in row] for row in VECTORS]


def test_other_numbers_beside_what_may_be_an_embedding_are_not_called_so(tmp_path: Path) -> None:
    content = "id,age,x0,x1\na,34,0.5,0.25\nb,22,0.25,0.5\n"
    said = notice(read(tmp_path, "t.csv", content), "no_predictions").message
    assert "predictions: x0, x1 seem to be embeddings" in said
    assert "{embedding: [x0, …]}" in said
    assert said.endswith("source.multilabel: true.")


def test_columns_with_numbers_alone_may_be_logits_or_embeddings(tmp_path: Path) -> None:
    said = notice(read(tmp_path, "t.csv", _table(["0", "1", "2"], -1)), "maybe_logits").message
    assert "source.logits: softmax" in said
    assert "call them e_0, e_1, …" in said


@pytest.mark.parametrize(
    "names", [["emb_0", "emb_2", "emb_4"], ["emb_3", "emb_4", "emb_5"], ["emb_0", "cat", "dog"]]
)
def test_numbers_with_gaps_are_no_embedding(tmp_path: Path, names: list[str]) -> None:
    assert read(tmp_path, "t.csv", _table(names)).embeddings is None


def _lists(name: str, **more: object) -> str:
    rows = [{"id": i, name: v, **more} for i, v in zip("abc", VECTORS, strict=True)]
    return "\n".join(map(json.dumps, rows))


@pytest.mark.parametrize("name", ["emb", "Embeddings", "clip_embedding", "image embeddings"])
@pytest.mark.parametrize("probs", [{"probs": [0.75, 0.25]}, {"probabilities": {"a": 1.0}}, {}])
def test_a_column_of_lists_called_an_embedding_is_one(
    tmp_path: Path, name: str, probs: dict[str, object]
) -> None:
    pool = read(tmp_path, "t.jsonl", _lists(name, **probs))
    assert _vectors(pool) == [list(row) for row in VECTORS]
    assert f"Read column '{name}' as embeddings." in [one.message for one in pool.notices]


def test_a_column_of_lists_of_fixed_size_is_an_embedding(tmp_path: Path) -> None:
    vectors = pa.array([list(row) for row in VECTORS], pa.list_(pa.float32(), 3))
    pq.write_table(pa.table({"id": list("abc"), "emb": vectors}), tmp_path / "t.parquet")
    assert _vectors(read(tmp_path, "t.parquet")) == [list(row) for row in VECTORS]


@pytest.mark.parametrize("name", ["features", "Feature Vector", "last_hidden", "vec"])
def test_lists_that_may_be_embeddings_are_named(tmp_path: Path, name: str) -> None:
    pool = read(tmp_path, "t.jsonl", _lists(name, probs=[0.75, 0.25]))
    assert pool.embeddings is None
    assert notice(pool, "not_read").message == (
        f"Column {name} holds lists of numbers and was not read; to use it as embeddings, set "
        f"source.columns: {{embedding: {name}}}."
    )
    read_now = read(
        tmp_path, "t.jsonl", _lists(name, probs=[0.75, 0.25]), columns={"embedding": name}
    )
    assert _vectors(read_now) == [list(row) for row in VECTORS]


def test_two_lists_called_embeddings_are_asked_about(tmp_path: Path) -> None:
    pool = read(tmp_path, "t.jsonl", _lists("clip_emb", text_emb=[1.0], probs=[0.75, 0.25]))
    assert pool.embeddings is None
    assert "Columns clip_emb, text_emb hold lists" in notice(pool, "not_read").message


def test_other_lists_are_no_embeddings(tmp_path: Path) -> None:
    more = {"dims": [640, 480], "emb": "none", "probs": [0.75, 0.25]}
    pool = read(tmp_path, "t.jsonl", _lists("sizes", **more))
    assert pool.embeddings is None
    assert [one.message for one in pool.notices if one.code == "not_read"] == []


@pytest.mark.parametrize("written", [list, np.array])
def test_lists_in_a_csv_are_an_embedding_as_pandas_writes_them(
    tmp_path: Path, written: Callable[[tuple[float, ...]], object]
) -> None:
    frame = pd.DataFrame({"cat": 0.75, "dog": 0.25, "emb": map(written, VECTORS)}, index=[*"abc"])
    frame.to_csv(tmp_path / "t.csv", index_label="id")
    assert _vectors(read(tmp_path, "t.csv")) == [list(row) for row in VECTORS]
