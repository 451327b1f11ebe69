"""Frames of pandas with an index of several levels, as Parquet."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from labelnext import Pool
from labelnext.adapter.registry import open_adapter
from labelnext.errors import InvalidInput
from tests.unit.files.reading import notice, order, read

SCORES = {"cat": [0.9, 0.6, 0.75], "dog": [0.1, 0.4, 0.25]}
PAIRS = [("v1", 0), ("v1", 1), ("v2", 0)]


@pytest.mark.parametrize("names", [["video", "frame"], ["item_id", "part"], [None, None]])
def test_levels_that_tell_items_apart_together_are_their_id(
    tmp_path: Path, names: list[str]
) -> None:
    frame = pd.DataFrame(SCORES, index=pd.MultiIndex.from_tuples(PAIRS, names=names))
    frame.to_parquet(tmp_path / "p.parquet")
    pool = read(tmp_path, "p.parquet")
    assert order(pool) == order(Pool.from_pandas(frame)) == ["v1/1", "v2/0", "v1/0"]
    assert "the levels of their index" in notice(pool, "layout").message


def test_a_level_that_tells_items_apart_alone_is_their_id(tmp_path: Path) -> None:
    levels = pd.MultiIndex.from_tuples([("x", "a"), ("x", "b"), ("y", "c")], names=["split", "id"])
    pd.DataFrame(SCORES, index=levels).to_parquet(tmp_path / "p.parquet")
    assert order(read(tmp_path, "p.parquet")) == ["b", "c", "a"]


def test_a_level_may_be_the_group_of_an_item(tmp_path: Path) -> None:
    levels = pd.MultiIndex.from_tuples(PAIRS, names=["video", "frame"])
    pd.DataFrame(SCORES, index=levels).to_parquet(tmp_path / "p.parquet")
    pool = read(tmp_path, "p.parquet", columns={"group": "video"})
    assert pool.groups is not None
    assert pool.groups.tolist() == ["v1", "v1", "v2"]


def test_a_stated_key_goes_before_the_index(tmp_path: Path) -> None:
    levels = pd.MultiIndex.from_tuples(PAIRS, names=["video", "frame"])
    pd.DataFrame(SCORES, index=levels).to_parquet(tmp_path / "p.parquet")
    with pytest.raises(InvalidInput, match="frame"):
        read(tmp_path, "p.parquet", key="frame")


@pytest.mark.parametrize("group", [None, "video"])
def test_levels_name_the_items_of_a_folder_too(tmp_path: Path, group: str | None) -> None:
    (tmp_path / "f").mkdir()
    for n, video in enumerate(("v1", "v2")):
        levels = pd.MultiIndex.from_product([[video], [0, 1]], names=["video", "frame"])
        scores = {"p_cat": [0.9 - n / 10, 0.6 - n / 10], "p_dog": [0.1 + n / 10, 0.4 + n / 10]}
        pd.DataFrame(scores, index=levels).to_parquet(tmp_path / "f" / f"{video}.parquet")
    columns = {"group": group} if group else {}
    adapter = open_adapter("files", path=str(tmp_path / "f"), columns=columns)
    assert order(adapter.read()) == ["v2/1", "v1/1", "v2/0", "v1/0"]
    parts = adapter.parts() or []
    read_parts = [adapter.read_part(part, ["group"] if group else []) for part in parts]
    assert [ids.to_pylist() for _, ids in read_parts] == [["v1/0", "v1/1"], ["v2/0", "v2/1"]]
    if group:
        assert [pool.groups.tolist() for pool, _ in read_parts] == [["v1"] * 2, ["v2"] * 2]


def test_rows_of_a_folder_are_found_by_all_levels(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    levels = pd.MultiIndex.from_tuples(PAIRS, names=["video", "frame"])
    frame = pd.DataFrame({**SCORES, "photo": ["a.jpg", "b.jpg", "c.jpg"]}, index=levels)
    frame.to_parquet(tmp_path / "f" / "p.parquet")
    adapter = open_adapter("files", path=str(tmp_path / "f"), columns={"media": "photo"})
    (shown,) = adapter.previews(["v1/1"]).values()
    assert shown.image is not None
