"""A score that is NaN gives no score of its item, however the file writes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from labelnext import rank
from labelnext.adapter.registry import open_adapter
from labelnext.pool import Pool

GOOD = [{"cat": 0.7, "dog": 0.3}, {"cat": 0.9, "dog": 0.1}]
NAN = float("nan")


def read(folder: Path, name: str, content: str) -> Pool:
    (folder / name).write_text(content)
    return open_adapter("files", directory=folder, path=name).read()  # type: ignore[attr-defined]  # of the files adapter


def records(first: Any) -> list[dict[str, Any]]:
    return [{"item_id": i, "probabilities": p} for i, p in zip("abc", [first, *GOOD], strict=True)]


def as_lines(folder: Path, first: Any) -> Pool:
    return read(folder, "p.jsonl", "".join(json.dumps(r) + "\n" for r in records(first)))


def as_array(folder: Path, first: Any) -> Pool:
    return read(folder, "p.json", json.dumps(records(first)))


def as_long_table(folder: Path, first: Any) -> Pool:
    rows = [
        f"{r['item_id']},{name},{'' if value != value else value}"
        for r in records(first)
        for name, value in r["probabilities"].items()
    ]
    return read(folder, "p.csv", "\n".join(["id,class,score", *rows]) + "\n")


def as_frame(folder: Path, first: Any) -> Pool:
    return Pool.from_pandas(pd.DataFrame(records(first)))


def as_arrow(folder: Path, first: Any) -> Pool:
    return Pool.from_arrow(pa.Table.from_pylist(records(first)))


def as_ranked_classes(folder: Path, first: Any) -> Pool:
    rows = []
    for record in records(first):
        pairs = [f"{n},{'' if v != v else v}" for n, v in record["probabilities"].items()]
        rows.append(",".join([record["item_id"], *pairs]))
    return read(folder, "p.csv", "\n".join(["id,pred_1,prob_1,pred_2,prob_2", *rows]) + "\n")


FORMS = [as_lines, as_array, as_long_table, as_frame, as_arrow, as_ranked_classes]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("first", [{"cat": NAN, "dog": 0.5}, {"cat": NAN, "dog": 0.02}])
def test_an_item_with_nan_among_its_classes_has_no_score(
    tmp_path: Path, form: Callable[[Path, Any], Pool], first: dict[str, float]
) -> None:
    ranking = rank(form(tmp_path, first), "margin")
    assert ranking.item_ids.tolist() == ["b", "c"]  # margins 0.4 and 0.8
    assert ranking.unscored_ids == ("a",)


@pytest.mark.parametrize("form", [as_lines, as_array, as_frame, as_arrow])
def test_a_class_that_is_null_isn_t_named(
    tmp_path: Path, form: Callable[[Path, Any], Pool]
) -> None:
    # What is left, 0.45, goes to the other class: a margin of 0.1.
    ranking = rank(form(tmp_path, {"cat": None, "dog": 0.55}), "margin")
    assert ranking.item_ids.tolist() == ["a", "b", "c"]
