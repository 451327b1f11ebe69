"""COCO results inside other lists and objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labelnext import rank
from tests.unit.files.reading import read


def _wrapped(records: list[dict[str, Any]], form: str) -> Any:
    bare = [{k: v for k, v in one.items() if k != "image_id"} for one in records]
    return {
        "results": {"model": "m", "results": records},
        "predictions": {"predictions": records},
        "by image": {str(r["image_id"]): [one] for r, one in zip(records, bare, strict=True)}
        | {"4": []},
        "lists": [[one] for one in records],
        "instances": [{"image_id": r["image_id"], "instances": [r]} for r in records]
        + [{"image_id": 4, "instances": []}],
    }[form]


@pytest.mark.parametrize("form", ["results", "predictions", "by image", "lists", "instances"])
def test_coco_results_are_read_however_they_are_put_into_lists(tmp_path: Path, form: str) -> None:
    scores = {1: 0.9, 2: 0.4, 3: 0.6}
    records = [
        {"image_id": i, "category_id": 1, "bbox": [1, 1, 4, 4], "score": s}
        for i, s in scores.items()
    ]
    images = [{"id": i, "file_name": f"{i}.jpg", "width": 9, "height": 9} for i in range(1, 5)]
    listed = {"images": images, "categories": [{"id": 1, "name": "cat"}]}
    (tmp_path / "i.json").write_text(json.dumps(listed))
    pool = read(tmp_path, "r.json", _wrapped(records, form), images="i.json")
    assert rank(pool, "mean_object_confidence").item_ids.tolist() == ["4", "2", "3", "1"]
    if form in ("by image", "instances"):  # which name images without detections, too
        alone = read(tmp_path, "r.json", _wrapped(records, form), format="coco")
        assert rank(alone, "mean_object_confidence").item_ids.tolist() == ["4", "2", "3", "1"]


@pytest.mark.parametrize("name", ["annotations", "predictions", "results", "detections"])
def test_a_data_set_may_call_its_records_as_other_objects_do(tmp_path: Path, name: str) -> None:
    records = [
        {"image_id": i, "category_id": 1, "bbox": [1, 1, 4, 4], "score": s}
        for i, s in ((1, 0.9), (2, 0.4))
    ]
    images = [{"id": i, "file_name": f"{i}.jpg", "width": 8, "height": 8} for i in (1, 2)]
    value = {"images": images, "categories": [{"id": 1, "name": "cat"}], name: records}
    pool = read(tmp_path, "r.json", value)
    assert pool.classes == ("cat",)
    assert pool.newest_objects is not None
    assert pool.newest_objects.confidences.tolist() == [0.9, 0.4]
    assert pool.newest_objects.boxes is not None
    assert pool.newest_objects.boxes.tolist() == [[0.125, 0.125, 0.625, 0.625]] * 2


def test_categories_may_be_told_by_their_names_and_images_as_a_bare_list(tmp_path: Path) -> None:
    kinds = {1: "cat", 2: 7, 3: "7"}
    records = [
        {"image_id": i, "category_id": kind, "bbox": [1, 1, 4, 4], "score": i / 4}
        for i, kind in kinds.items()
    ]
    images = [{"id": i, "file_name": f"{i}.jpg", "width": 8, "height": 8} for i in (1, 2, 3)]
    listed = {"images": images, "categories": [{"id": 7, "name": "cat"}, {"id": 8, "name": "7"}]}
    (tmp_path / "i.json").write_text(json.dumps(listed))
    (tmp_path / "bare.json").write_text(json.dumps(images))
    pool = read(tmp_path, "r.json", records, images="i.json")
    assert pool.newest_objects is not None
    assert pool.newest_objects.class_ids is not None
    assert pool.newest_objects.class_ids.tolist() == [0, 0, 0]  # an id goes before a name
    bare = read(tmp_path, "r.json", records, images="bare.json", key="file_name")
    assert rank(bare, "mean_object_confidence").item_ids.tolist() == ["1.jpg", "2.jpg", "3.jpg"]
