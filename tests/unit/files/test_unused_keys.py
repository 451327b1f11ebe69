"""A key of the ids that nothing is looked up by is an error that says so, with the cure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labelnext import rank
from labelnext.errors import InvalidInput
from tests.formats.independent import read
from tests.unit.files import reading

UNUSED: dict[str, tuple[dict[str, Any], str]] = {
    "voc/scores": ({}, "names of the images"),
    "voc-text/kitti": ({}, "names of the images"),
    "yolo/detect": ({}, "names of the images"),
    "cvat/boxes.xml": ({}, "names of the images"),
    "fasttext/all.txt": ({}, "lines have no columns"),
    "tables/scores.npy": ({"ids": "tables/scores.txt"}, "scores.txt lists ids alone"),
    "huggingface/audio-by-id.json": ({}, "keys of the outputs"),
    "llm/chat-n.json": ({}, "keys of the answers"),
}


@pytest.mark.parametrize("place", UNUSED)
def test_a_key_that_is_not_used_is_refused(place: str) -> None:
    source, why = UNUSED[place]
    with pytest.raises(InvalidInput, match=f"source.key can't be used here: .*{why}") as error:
        read(place, key="uid", **source)
    assert "'uid'" in str(error.value)
    assert (error.value.hint or "").startswith("leave it out")


@pytest.mark.parametrize("place", UNUSED)
def test_the_key_that_side_files_have_by_default_is_no_fault(place: str) -> None:
    source, _ = UNUSED[place]
    ids = [read(place, **named, **source).item_ids.tolist() for named in ({}, {"key": "item_id"})]
    assert ids[0] == ids[1]


def test_an_array_without_a_file_of_ids_has_no_key() -> None:
    with pytest.raises(InvalidInput, match="the rows of an array have no ids; got 'uid'"):
        read("tables/scores.npy", key="uid")


def test_images_without_predictions_have_no_key(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(InvalidInput, match="can't be used here: the names of the images"):
        reading.read(tmp_path.parent, tmp_path.name, format="images", key="uid")


def test_results_of_coco_alone_are_called_by_one_of_two_keys(tmp_path: Path) -> None:
    box = {"category_id": 1, "bbox": [1, 1, 5, 5]}
    told = [
        {"image_id": n, "file_name": f"{n}.jpg", "score": s, **box} for n, s in ((1, 0.5), (2, 0.9))
    ]
    (tmp_path / "r.json").write_text(json.dumps(told), "utf-8")
    for key, ids in (("image_id", ["1", "2"]), ("file_name", ["1.jpg", "2.jpg"])):
        pool = reading.read(tmp_path, "r.json", key=key)
        assert rank(pool, "mean_object_confidence").item_ids.tolist() == ids
    with pytest.raises(InvalidInput, match="detections have image_id and file_name; got 'uid'"):
        reading.read(tmp_path, "r.json", key="uid")
