"""Any source as Parquet files, read back as the same pool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

import labelnext
from labelnext import Objects, Pool, open_adapter
from labelnext.errors import ConfigError, InvalidInput
from labelnext.streamed.export import export, table_of_pool

POOL = Pool(
    ["b", "a", "c"],
    probabilities=[[0.5, 0.25, 0.25], [np.nan] * 3, [0.0, 0.0, 1.0]],
    classes=["cat", "dog", "owl"],
    embeddings=[[1, 2], [3, 4], [5, 6]],
    labels=[-1, -1, 2],
    votes=[[-1, -1], [-1, -1], [2, 1]],
    groups=["v", "v", "w"],
    costs=[1, 2, 3],
    missing=[False, True, False],
    objects=Objects(
        [0, 2, 2, 3],
        [0.5, 0.25, 1],
        class_ids=[0, -1, 2],
        boxes=[[0, 0, 1, 1], [0, 0, 0.5, 1], [0, 0, 1, 0.5]],
        probabilities=[[0.5, 0.5, 0], [0.25, 0.25, 0.5], [0, 0, 1]],
        embeddings=[[1], [2], [3]],
    ),
)


class Given:
    """An adapter that holds a pool."""

    name, requires = "given", ()

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def read(self) -> Pool:
        return self._pool


def same(left: Any, right: Any) -> bool:
    if isinstance(left, Objects):
        return all(same(getattr(left, n), getattr(right, n)) for n in vars(left))
    if left is None or isinstance(left, (tuple, bool)):
        return left == right
    return np.array_equal(left, right, equal_nan=left.dtype.kind == "f")


def test_what_was_exported_reads_back_as_the_same_pool(tmp_path: Path) -> None:
    config = {"source": {"adapter": "files", "path": "not-read.jsonl"}}
    text = export(config, tmp_path / "pool", rows=2, adapter=Given(POOL))
    assert sorted(f.name for f in (tmp_path / "pool").iterdir()) == [
        "part-00000.parquet",
        "part-00001.parquet",
    ]
    source = yaml.safe_load(text)["source"]
    back = open_adapter(source.pop("adapter"), **source).read()
    columns = ["item_ids", "probabilities", "classes", "embeddings", "labels", "labelled"]
    columns += ["votes", "groups", "costs", "objects", "missing"]
    assert [c for c in columns if not same(getattr(POOL, c), getattr(back, c))] == []


def test_the_ranking_of_an_export_is_that_of_the_source(tmp_path: Path) -> None:
    export({"source": {"adapter": "files", "path": "x.jsonl"}}, tmp_path / "p", adapter=Given(POOL))
    report = labelnext.run(
        {
            "source": {"adapter": "files", "path": str(tmp_path / "p"), "classes": POOL.classes},
            "acquisition": {"name": "entropy"},
            "write": {"output": str(tmp_path / "ranking")},
            "state": str(tmp_path / "state"),
            "report": {"path": None},
        }
    )
    assert report.ranking.item_ids.tolist() == labelnext.rank(POOL, "entropy").item_ids.tolist()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="must be empty; it is not"):
        export({"source": {"adapter": "files", "path": "x.jsonl"}}, tmp_path, adapter=Given(POOL))
    assert [f.name for f in tmp_path.iterdir()] == ["mine.txt"]


def test_several_model_versions_are_refused() -> None:
    with pytest.raises(InvalidInput, match="one model version"):
        table_of_pool(Pool(["a"], probabilities=[[[0.5, 0.5]], [[1, 0]]]))


def test_numbers_stay_where_the_pool_names_no_classes(tmp_path: Path) -> None:
    table = table_of_pool(Pool(["a", "b"], probabilities=[[1, 0], [0, 1]], labels=[1, -1]))
    pq.write_table(table, tmp_path / "p.parquet")
    assert pq.read_table(tmp_path / "p.parquet").column("label").to_pylist() == [1, None]
