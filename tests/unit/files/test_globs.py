"""Globs in folders whose names look like globs, and rankings beside what they take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from labelnext.config.config import load_config
from labelnext.errors import ConfigError
from labelnext.runs.run import run
from labelnext.support.folders import files_below
from tests.unit.files.reading import order, read

SCORES = {"a": 0.9, "b": 0.55, "c": 0.3}


def put(folder: Path, **files: str) -> None:
    """A file for each of these names, with the items called by its letters."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, items in files.items():
        rows = [f"{i},{SCORES[i]},{1 - SCORES[i]:.2f}" for i in items]
        (folder / f"{name}.csv").write_text("\n".join(["item_id,p_cat,p_dog", *rows]) + "\n")
        cat = [SCORES[i] for i in items]
        table = {"item_id": list(items), "p_cat": cat, "p_dog": [1 - p for p in cat]}
        pa.parquet.write_table(pa.table(table), folder / f"{name}.parquet")


@pytest.mark.parametrize("folder", ["preds/[x]", "preds [v1]", "a*b", "what?", "[a-c]/[!d]"])
@pytest.mark.parametrize("glob", ["*.csv", "**/*.csv", "[12].csv", "*.parquet", "?.parquet"])
def test_a_folder_may_be_called_like_a_glob(tmp_path: Path, folder: str, glob: str) -> None:
    put(tmp_path / folder, **{"1": "ab", "2": "c"})
    put(tmp_path / "preds" / "x", **{"3": "a"})  # which the name would match as a glob
    assert order(read(tmp_path, f"{folder}/{glob}")) == ["b", "c", "a"]


def test_brackets_that_name_no_folder_are_a_glob(tmp_path: Path) -> None:
    put(tmp_path / "px", **{"1": "ab"})
    put(tmp_path / "py", **{"1": "c"})
    assert order(read(tmp_path, "p[xy]/*.csv")) == ["b", "c", "a"]
    assert order(read(tmp_path, "p[xy]/*.parquet")) == ["b", "c", "a"]


def _configured(folder: Path, output: str) -> Any:
    put(folder / "preds", **{"1": "ab", "2": "c"})
    for parquet in (folder / "preds").glob("*.parquet"):
        parquet.unlink()
    text = f"source: {{adapter: files, path: preds}}\nwrite: {{output: preds/{output}}}\n"
    (folder / "labelnext.yaml").write_text(text)
    return load_config(folder / "labelnext.yaml")


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_a_ranking_in_the_folder_that_is_read_is_no_part_of_it(tmp_path: Path, ending: str) -> None:
    settings = _configured(tmp_path, f"ranking.{ending}")
    for _ in range(2):
        assert run(settings).ranking.item_ids.tolist() == ["b", "c", "a"]


def test_a_parquet_file_in_the_folder_is_not_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "preds"
    folder.mkdir()
    (folder / "a.txt").write_text("0 0.5 0.5 0.2 0.2 0.9\n")
    theirs = folder / "embeddings.parquet"
    pa.parquet.write_table(pa.table({"item_id": ["a"], "embedding": [[0.5]]}), theirs)
    before = theirs.read_bytes()
    (tmp_path / "labelnext.yaml").write_text(
        "source: {adapter: files, path: preds}\nwrite: {output: preds/embeddings.parquet}\n"
    )
    with pytest.raises(ConfigError, match="must not be one of the files of source.path"):
        run(load_config(tmp_path / "labelnext.yaml"))
    assert theirs.read_bytes() == before


@pytest.mark.parametrize("glob", ["preds", "preds/*.csv", "preds/**/*.csv"])
def test_a_link_to_itself_is_passed_over(tmp_path: Path, glob: str) -> None:
    put(tmp_path / "preds", **{"1": "ab", "2": "c"})
    for parquet in (tmp_path / "preds").glob("*.parquet"):
        parquet.unlink()
    (tmp_path / "preds" / "3.csv").symlink_to("3.csv")
    assert order(read(tmp_path, glob)) == ["b", "c", "a"]


def test_links_are_told_apart_from_files_that_they_lead_to(tmp_path: Path) -> None:
    put(tmp_path / "preds" / "in", **{"1": "a"})
    for name, target in (
        ("self", "self"),
        ("gone", "nothing"),
        ("folder", "in"),
        ("file", "in/1.csv"),
    ):
        (tmp_path / "preds" / name).symlink_to(target)
    links: list[str] = []
    names = sorted(files_below(tmp_path / "preds", links=links))
    assert names == ["file", "in/1.csv", "in/1.parquet"]
    assert sorted(links) == ["folder", "gone", "self"]
