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
from labelnext.errors import ConfigError
from labelnext.runs.large.export import export, table_of_pool

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
    if isinstance(left, tuple) and left and isinstance(left[0], Objects):
        return all(map(same, left, right))
    if isinstance(left, Objects):
        return all(same(getattr(left, n), getattr(right, n)) for n in vars(left))
    if left is None or isinstance(left, (tuple, bool)):
        return left == right
    if left.dtype == object:  # masks
        return list(left) == list(right)
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


MASKED = Objects(
    [0, 1, 1, 2],
    [0.5, 0.75],
    class_ids=[1, 0],
    masks=[{"size": [2, 2], "counts": [0, 2, 2]}, {"size": [2, 4], "counts": [1, 3, 4]}],
    missing=[False, True, False],
)
OLDER = Objects(
    [0, 1, 1, 2],
    [0.25, 1],
    class_ids=[1, 1],
    masks=[{"size": [2, 2], "counts": [0, 4]}, {"size": [2, 4], "counts": [0, 8]}],
    missing=[False, False, False],
)
OF_VERSIONS = {
    "probabilities": Pool(
        ["b", "a", "c", "d"],
        probabilities=[
            [[0.5, 0.5], [0.25, 0.75], [np.nan] * 2, [np.nan] * 2],
            [[1, 0], [np.nan] * 2, [0.75, 0.25], [np.nan] * 2],
        ],
        classes=["cat", "dog"],
        versions=["v 1", "v 2"],
        missing=[False, False, False, True],
    ),
    "masks": Pool(["b", "a", "c"], objects=(OLDER, MASKED), classes=["cat", "dog"]),
    "independent classes": Pool(
        ["b", "a"], probabilities=[[0.9, 0.9], [0.5, 0]], classes=["x", "y"], multilabel=True
    ),
    "people who said nothing": Pool(["b", "a"], votes=[[0, -1], [1, 1]], classes=["x", "y"]),
}


@pytest.mark.parametrize("what", OF_VERSIONS)
def test_whatever_a_pool_holds_reads_back(tmp_path: Path, what: str) -> None:
    pool = OF_VERSIONS[what]
    config = {"source": {"adapter": "files", "path": "not-read.jsonl"}}
    text = export(config, tmp_path / "pool", rows=2, adapter=Given(pool))
    source = yaml.safe_load(text)["source"]
    back = open_adapter(source.pop("adapter"), **source).read()
    columns = [n for n in vars(pool) if n not in ("notices", "versions", "tie_order")]
    assert [c for c in columns if not same(getattr(pool, c), getattr(back, c))] == []
    assert back.version_names == pool.version_names


@pytest.mark.parametrize(
    ("what", "name"), [("probabilities", "bald"), ("masks", "committee_certainty")]
)
def test_the_ranking_of_an_exported_committee_is_that_of_the_source(
    tmp_path: Path, what: str, name: str
) -> None:
    pool = OF_VERSIONS[what]
    config = {"source": {"adapter": "files", "path": "x.jsonl"}}
    text = export(config, tmp_path / "pool", rows=1, adapter=Given(pool))
    of = "objects" if what == "masks" else "items"
    report = labelnext.run(
        {
            **yaml.safe_load(text),
            "acquisition": {"name": name, "of": of},
            "write": {"output": str(tmp_path / "ranking")},
            "state": str(tmp_path / "state"),
            "report": {"path": None},
        }
    )
    whole = labelnext.rank(pool, name, of=of)
    assert len(whole) == 3
    assert report.ranking.item_ids.tolist() == whole.item_ids.tolist()
    assert report.ranking.scores.tolist() == whole.scores.tolist()


def test_versions_of_one_name_are_numbered() -> None:
    pool = Pool(["a"], probabilities=[[[0.5, 0.5]], [[1, 0]]], versions=["new", "new"])
    names = ["item_id", "probabilities_1", "probabilities_2", "labelled"]
    assert table_of_pool(pool).column_names == names


def test_numbers_stay_where_the_pool_names_no_classes(tmp_path: Path) -> None:
    table = table_of_pool(Pool(["a", "b"], probabilities=[[1, 0], [0, 1]], labels=[1, -1]))
    pq.write_table(table, tmp_path / "p.parquet")
    assert pq.read_table(tmp_path / "p.parquet").column("label").to_pylist() == [1, None]
