"""Further columns of files, by which quotas can go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from labelnext.config import load_config
from labelnext.errors import ConfigError, InvalidInput
from labelnext.pool import Pool
from labelnext.ranking import rank
from labelnext.runs.check import check
from labelnext.runs.run import run
from tests.unit.files.reading import read

RECORDS: list[dict[str, Any]] = [
    {"item_id": "a", "probabilities": [0.5, 0.5], "city": "Oslo", "year": 2024},
    {"item_id": "b", "probabilities": [0.9, 0.1], "city": 7, "year": 2025},
    {"item_id": "c", "probabilities": [0.8, 0.2], "city": None, "year": None},
]
WIDE = "item_id,cat,dog,city,year\na,0.5,0.5,Oslo,2024\nb,0.9,0.1,7,2025\nc,0.8,0.2,,\n"
LONG = (
    "image,class,confidence,city,year\na,cat,0.5,Oslo,2024\na,dog,0.5,Oslo,2024\n"
    "b,cat,0.9,7,2025\nb,dog,0.1,7,2025\nc,cat,0.8,,\nc,dog,0.2,,\n"
)
ASKED = ["city", "year"]


def columns(pool: Pool) -> dict[str, list[str]]:
    return {name: column.tolist() for name, column in (pool.metadata or {}).items()}


def file(folder: Path, name: str) -> Pool:
    if name == "p.jsonl":
        return read(folder, name, "\n".join(map(json.dumps, RECORDS)) + "\n", metadata=ASKED)
    if name == "p.parquet":
        frame = pd.DataFrame(RECORDS).astype({"city": str}).replace({"city": {"None": None}})
        frame.to_parquet(folder / name)
        return read(folder, name, metadata=ASKED)
    if name == "p.npz":
        named = {"city": np.array(["Oslo", "7", ""]), "year": np.array([2024, 2025, np.nan])}
        rows = np.array([row["probabilities"] for row in RECORDS])
        np.savez(folder / name, item_ids=np.array([*"abc"]), probabilities=rows, **named)
        return read(folder, name, metadata=ASKED)
    contents = {"wide.csv": WIDE, "long.csv": LONG, "p.json": RECORDS}
    return read(folder, name, contents[name], metadata=ASKED)


@pytest.mark.parametrize(
    "name", ["p.jsonl", "p.json", "wide.csv", "long.csv", "p.parquet", "p.npz"]
)
def test_columns_and_keys_are_read_as_texts(tmp_path: Path, name: str) -> None:
    pool = file(tmp_path, name)
    assert columns(pool) == {"city": ["Oslo", "7", ""], "year": ["2024", "2025", ""]}
    assert pool.probabilities is not None
    assert pool.probabilities.tolist() == [[0.5, 0.5], [0.9, 0.1], [0.8, 0.2]]


@pytest.mark.parametrize("name", ["p.jsonl", "p.json", "p.csv", "p.parquet"])
def test_items_may_have_no_group(tmp_path: Path, name: str) -> None:
    rows = [{"item_id": r["item_id"], "a": 0.5, "b": 0.5, "group": r["city"]} for r in RECORDS]
    rows[1]["group"] = "Rome"
    text: object = rows
    if name == "p.jsonl":
        text = "\n".join(map(json.dumps, rows))
    elif name == "p.csv":
        text = pd.DataFrame(rows).to_csv(index=False)
    elif name == "p.parquet":
        pd.DataFrame(rows).to_parquet(tmp_path / name)
        text = None
    pool = read(tmp_path, name, text)
    assert pool.groups is not None
    assert pool.groups.tolist() == ["Oslo", "Rome", ""]
    assert rank(pool, per_group=1, exclude=["b"]).item_ids.tolist() == ["a", "c"]


def test_an_item_without_a_cost_is_refused_with_the_cure(tmp_path: Path) -> None:
    rows = [
        {"item_id": i, "probabilities": [0.5, 0.5], "cost": c} for i, c in [("a", 1), ("b", None)]
    ]
    with pytest.raises(InvalidInput, match="item b.: cost must be a number above 0") as caught:
        read(tmp_path, "p.jsonl", "\n".join(map(json.dumps, rows)))
    assert caught.value.hint == "give each item what it takes to label it, such as seconds."


def test_keys_within_keys_and_of_tasks_are_read(tmp_path: Path) -> None:
    inner = [{"item_id": "a", "probabilities": [1, 0], "meta": {"city": "Oslo"}}]
    pool = read(tmp_path, "p.json", inner, metadata=["meta.city"])
    assert columns(pool) == {"meta.city": ["Oslo"]}
    result = [{"from_name": "k", "to_name": "t", "type": "choices", "value": {"choices": ["x"]}}]
    tasks = [
        {"id": number, "data": data, "predictions": [{"result": result, "score": 0.5}]}
        for number, data in enumerate([{"city": "Oslo", "n": 1.5}, {"n": True}])
    ]
    pool = read(tmp_path, "export.json", tasks, format="label-studio", metadata=["city", "n"])
    assert columns(pool) == {"city": ["Oslo", ""], "n": ["1.5", "true"]}
    with pytest.raises(InvalidInput, match=r"keys of the tasks' data \(city, n\); got town"):
        read(tmp_path, "export.json", tasks, format="label-studio", metadata=["town"])


def test_a_column_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"\(item_id, cat, dog, city, year\); got town"):
        read(tmp_path, "wide.csv", WIDE, metadata=["town"])
    np.savez(tmp_path / "p.npz", item_ids=["a"], probabilities=[[1.0]], city=["Oslo"])
    with pytest.raises(InvalidInput, match=r"\(item_ids, probabilities, city\); got town"):
        read(tmp_path, "p.npz", metadata=["town"])


def test_from_pandas_takes_metadata() -> None:
    frame = pd.DataFrame(RECORDS)[["item_id", "year"]].assign(p_cat=1.0, p_dog=0.0)
    assert columns(Pool.from_pandas(frame, metadata=["year"])) == {"year": ["2024", "2025", ""]}


def settings(folder: Path, name: str, content: str, **options: Any) -> dict[str, Any]:
    (folder / name).write_text(content)
    return {
        "source": {"adapter": "files", "path": str(folder / name), "metadata": ASKED},
        "selection": {"budget": 2, "options": options},
        "write": {"output": str(folder / "ranking.csv")},
        "state": str(folder / "state"),
        "report": {"path": None},
    }


def test_a_run_keeps_quotas_of_a_column_and_check_shows_it(tmp_path: Path) -> None:
    config = settings(tmp_path, "wide.csv", WIDE, quota={"class": {"cat": 2}, "city": {"7": 1}})
    assert sorted(run(config).ranking.item_ids) == ["a", "b"]
    lines = [finding.message for finding in check(config).findings]
    assert {"read metadata city: no city 1, 7 1, Oslo 1"} <= {*lines}


def test_metadata_where_there_are_none_are_refused(tmp_path: Path) -> None:
    quota = {"quota": "uniform", "quota_of": "town"}
    with pytest.raises(
        ConfigError, match=r"selection.options.quota must be of one of .* city, year;"
    ):
        load_config(settings(tmp_path, "wide.csv", WIDE, **quota))
    coco = [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 0.5}]
    with pytest.raises(
        ConfigError, match=r"metadata must be left out for files .*; got city, year"
    ):
        run(settings(tmp_path, "coco.json", json.dumps(coco)))
    named = settings(tmp_path, "wide.csv", WIDE)
    named["source"]["metadata"] = ["class"]
    with pytest.raises(ConfigError, match="source.metadata must be different names, none of them"):
        load_config(named)
