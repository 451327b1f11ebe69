"""What Triton, KServe, MediaPipe and Clarifai return, in a file or a folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext.adapter.formats import recognition
from labelnext.errors import InvalidInput
from tests.unit.files.reading import notice, order, read

SURE = {"a.jpg": 0.875, "b.jpg": 0.5625}  # how sure each is of a cat; the rest is of a dog
FRACTIONS = {"top_row": 0.1, "left_col": 0.2, "bottom_row": 0.3, "right_col": 0.4}


def tensor(data: list[Any], shape: list[int], datatype: str = "FP32") -> dict[str, Any]:
    return {"name": "probs", "datatype": datatype, "shape": shape, "data": data}


def triton(*tensors: dict[str, Any]) -> dict[str, Any]:
    return {"model_name": "m", "model_version": "1", "outputs": list(tensors)}


def mediapipe(sure: float, *, camel: bool = False) -> dict[str, Any]:
    name = "categoryName" if camel else "category_name"
    said = [{"index": 0, "score": sure, name: "cat"}, {"index": 1, "score": 1 - sure, name: "dog"}]
    return {"classifications": [{"categories": said, "head_index": 0}], "timestamp_ms": 0}


def detected(sure: float, *, camel: bool = False) -> dict[str, Any]:
    kind = {"index": 0, "score": sure, "category_name": "cat", "display_name": ""}
    box = {"origin_x": 20, "origin_y": 10, "width": 20, "height": 20}
    row = {"bounding_box": box, "categories": [kind], "keypoints": []}
    if camel:
        kind = {"index": 0, "score": sure, "categoryName": "cat", "displayName": ""}
        box = {"originX": 20, "originY": 10, "width": 20, "height": 20}
        row = {"boundingBox": box, "categories": [kind]}
    return {"detections": [row]}


def clarifai(name: str, data: dict[str, Any]) -> dict[str, Any]:
    about = {"id": name, "data": {"image": {"url": f"https://images.example/{name}"}}}
    return {
        "id": "x",
        "status": {"code": 10000},
        "model": {"id": "m"},
        "input": about,
        "data": data,
    }


def concepts(sure: float) -> list[dict[str, Any]]:
    return [
        {"id": "1", "name": "cat", "value": sure},
        {"id": "2", "name": "dog", "value": 1 - sure},
    ]


def regions(sure: float) -> list[dict[str, Any]]:
    found = [{"id": "1", "name": "cat", "value": sure}]
    return [{"id": "r", "region_info": {"bounding_box": FRACTIONS}, "data": {"concepts": found}}]


CLASSIFIED: dict[str, Callable[[float], Any]] = {
    "Triton": lambda sure: triton(tensor([sure, 1 - sure], [1, 2])),
    "Triton, without a batch": lambda sure: triton(tensor([sure, 1 - sure], [2])),
    "KServe, nested": lambda sure: triton(tensor([[sure, 1 - sure]], [1, 2])),
    "Triton's classification": lambda sure: triton(
        tensor([f"{sure}:0:cat", f"{1 - sure}:1:dog"], [1, 2], "BYTES")
    ),
    "MediaPipe": mediapipe,
    "MediaPipe in JavaScript": lambda sure: mediapipe(sure, camel=True),
}


def check_classes(folder: Path, name: str, **options: Any) -> None:
    assert recognition(folder / name).format.name == "cloud"
    pool = read(folder, name, **options)
    assert order(pool)[0].startswith("b")
    rows = dict(zip(pool.item_ids.tolist(), pool.mean_probabilities.tolist(), strict=True))
    for item, row in rows.items():
        sure = next(s for full, s in SURE.items() if full.startswith(item))
        np.testing.assert_allclose(row, [sure, 1 - sure])


@pytest.mark.parametrize("kind", CLASSIFIED)
def test_classes_of_each_image_rank(tmp_path: Path, kind: str) -> None:
    said = {name: CLASSIFIED[kind](sure) for name, sure in SURE.items()}
    (tmp_path / "p.json").write_text(json.dumps(said))
    check_classes(tmp_path, "p.json")
    (tmp_path / "p").mkdir()
    for name, one in said.items():
        (tmp_path / "p" / name.replace(".jpg", ".json")).write_text(json.dumps(one))
    check_classes(tmp_path, "p")


@pytest.mark.parametrize("nested", [False, True])
def test_a_batch_of_triton_is_an_item_a_row(tmp_path: Path, nested: bool) -> None:
    rows = [[sure, 1 - sure] for sure in SURE.values()]
    data: list[Any] = rows if nested else [one for row in rows for one in row]
    said = triton(tensor(data, [2, 2]))
    pool = read(tmp_path, "p.json", said)
    assert order(pool) == ["1", "0"]
    assert "the ids are their positions" in notice(pool, "numbered").message
    assert list(read(tmp_path, "p.json", classes=["cat", "dog"]).classes or ()) == ["cat", "dog"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (triton(tensor([-1.0, 2.5], [1, 2])), "is it a logit"),
        (triton(tensor([0.5, 0.5], [1, 2]), tensor([1, 2, 3, 4], [1, 4])), "must have one tensor"),
        (triton(tensor([0.5] * 12, [1, 3, 4])), "must have one tensor"),
        (triton(tensor([0.5], [1, 2])), "must have one tensor"),
    ],
)
def test_other_tensors_say_why_they_are_not_read(
    tmp_path: Path, said: dict[str, Any], why: str
) -> None:
    with pytest.raises(InvalidInput, match=why):
        read(tmp_path, "p.json", said)


@pytest.mark.parametrize("camel", [False, True])
def test_detections_of_mediapipe_rank(tmp_path: Path, camel: bool) -> None:
    said = {name: detected(sure, camel=camel) for name, sure in SURE.items()}
    said["c.jpg"] = {"detections": []}
    pool = read(tmp_path, "p.json", said, image_size=[100, 100])
    assert order(pool)[:2] == ["b.jpg", "a.jpg"]
    assert pool.object_sets[0].counts.tolist() == [1, 1, 0]
    np.testing.assert_allclose(pool.object_sets[0].boxes, [[0.2, 0.1, 0.4, 0.3]] * 2)


def test_clarifai_names_its_inputs(tmp_path: Path) -> None:
    said = [clarifai(name, {"concepts": concepts(sure)}) for name, sure in SURE.items()]
    (tmp_path / "p.json").write_text(json.dumps({"status": {"code": 10000}, "outputs": said}))
    check_classes(tmp_path, "p.json")


def test_regions_of_clarifai_are_objects(tmp_path: Path) -> None:
    said = [clarifai(name, {"regions": regions(sure)}) for name, sure in SURE.items()]
    said.append(clarifai("c.jpg", {}))
    pool = read(tmp_path, "p.json", {"status": {}, "outputs": said})
    assert order(pool)[:2] == ["b.jpg", "a.jpg"]
    assert pool.object_sets[0].counts.tolist() == [1, 1, 0]
    np.testing.assert_allclose(pool.object_sets[0].boxes, [[0.2, 0.1, 0.4, 0.3]] * 2)
