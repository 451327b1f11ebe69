"""Frames of pandas with an index of several levels, as Parquet."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from labelnext import Pool
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
