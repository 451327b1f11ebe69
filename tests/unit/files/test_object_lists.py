"""Lists and rows of detected objects under any usual name, also where each image has one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.formats.independent import codes, ranked
from tests.unit.files.images import put, read, told


@pytest.mark.parametrize("drawn", ["xyxy", "xywh", "rle", "keypoints", "bbox_xyxy"])
def test_any_usual_name_of_a_shape_makes_objects(tmp_path: Path, drawn: str) -> None:
    part = {"label": "car", "confidence": 0.9, drawn: [1, 2, 3, 4]}
    records = [{"image": "a", "found": [part]}, {"image": "b", "found": []}]
    put(tmp_path, {"r.json": records})
    assert told(read(tmp_path, "r.json")) == {"a": [0.9], "b": []}


@pytest.mark.parametrize("name", ["detections", "instances", "faces", "persons"])
def test_lists_of_objects_may_lack_shapes_or_classes(tmp_path: Path, name: str) -> None:
    for part in (
        {"label": "car", "score": 0.9},
        {"bbox": [1, 2, 3, 4], "score": 0.9},
        {"score": 0.9},
    ):
        put(tmp_path, {"r.json": [{"image": "a", name: [part]}, {"image": "b", name: []}]})
        assert told(read(tmp_path, "r.json")) == {"a": [0.9], "b": []}


@pytest.mark.parametrize("sides", ["x,y,w,h", "left,top,width,height", "xmin,ymin,xmax,ymax"])
def test_rows_with_a_box_are_objects_even_if_each_image_has_one(tmp_path: Path, sides: str) -> None:
    rows = "a,car,1,1,2,2,0.9\nb,bus,1,1,2,2,0.3\n"
    put(tmp_path, {"r.csv": f"filename,class,{sides},score\n{rows}"})
    assert told(read(tmp_path, "r.csv")) == {"a": [0.9], "b": [0.3]}


def test_columns_of_lists_are_no_arrays_of_one_image(tmp_path: Path) -> None:
    columns = {"image": ["a", "b"], "boxes": [[[1, 2, 3, 4]], []], "scores": [[0.9], []]}
    put(tmp_path, {"r.json": {**columns, "labels": [["car"], []]}})
    assert told(read(tmp_path, "r.json")) == {"a": [0.9], "b": []}


def test_arrays_of_npz_that_are_not_read_are_named(tmp_path: Path) -> None:
    ids = np.array(["a", "b"])
    np.savez(tmp_path / "a.npz", item_ids=ids, confidence=[0.9, 0.3], spare=["x", "y"])
    pool = read(tmp_path, "a.npz")
    assert ranked(pool, "least_confidence") == ["b", "a"]
    (told_,) = (one.message for one in pool.notices if one.code == "not_read")
    assert told_ == "Didn't read spare: source.columns names arrays of other names."
    np.savez(tmp_path / "a.npz", item_ids=ids, probabilities=[[0.9, 0.1], [0.5, 0.5]])
    assert "not_read" not in codes(read(tmp_path, "a.npz"))
