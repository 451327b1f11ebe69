"""A page of rows as Hugging Face's datasets server answers with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.unit.files.reading import notice, order, read

TRUTH = {"name": "label", "type": {"names": ["dog", "cat"], "_type": "ClassLabel"}}
SCORES = {"a": 0.9, "b": 0.6, "c": 0.75}


def page(rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    told = [{"row_idx": n, "row": row, "truncated_cells": []} for n, row in enumerate(rows)]
    return {"features": [{"feature_idx": 0, **TRUTH}], "rows": told, **more}


def test_its_rows_are_items(tmp_path: Path) -> None:
    rows = [{"id": i, "cat": p, "dog": round(1 - p, 2)} for i, p in SCORES.items()]
    pool = read(tmp_path, "p.json", page(rows, num_rows_total=3, num_rows_per_page=100))
    assert order(pool) == ["b", "c", "a"]
    assert not [one for one in pool.notices if one.code == "partial"]


def test_numbers_of_classes_are_their_names(tmp_path: Path) -> None:
    labels = {"a": -1, "b": -1, "c": 1}
    rows = [{"id": i, "label": labels[i], "probs": [1 - p, p]} for i, p in SCORES.items()]
    pool = read(tmp_path, "p.json", page(rows))
    assert order(pool) == ["b", "a"]
    assert pool.classes is not None
    assert pool.labels is not None
    assert pool.classes[pool.labels[2]] == "cat"
    assert pool.mean_probabilities[0, pool.classes.index("cat")] == 0.9


def test_what_the_page_lacks_is_said(tmp_path: Path) -> None:
    rows = [{"id": i, "cat": p, "dog": round(1 - p, 2)} for i, p in SCORES.items()]
    pool = read(tmp_path, "p.json", page(rows, num_rows_total=1000, partial=False))
    assert notice(pool, "partial").message.startswith("The file has 3 of the 1,000 rows")
