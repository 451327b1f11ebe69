"""JSON of Datumaro, Supervisely and V7 whose annotations have scores."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext.adapter.formats import recognition
from labelnext.errors import InvalidInput
from tests.unit.files.reading import notice, order, read

SURE = {"a": 0.875, "b": 0.5625}
BOX = [0.2, 0.25, 0.6, 0.75]  # of an image of 100 by 80


def datumaro(**more: Any) -> dict[str, Any]:
    def item(name: str, *annotations: Any) -> dict[str, Any]:
        image = {"path": f"{name}.jpg", "size": [80, 100]}
        return {"id": name, "annotations": list(annotations), "attr": {}, "image": image, **more}

    def box(sure: float, label: int) -> dict[str, Any]:
        return {"id": 0, "type": "bbox", "attributes": {"score": sure}, "label_id": label,
                "bbox": [20, 20, 40, 40]}  # fmt: skip

    labels = [{"name": name, "parent": ""} for name in ("car", "dog")]
    categories = {"label": {"labels": labels, "attributes": []}}
    items = [item(name, box(sure, n)) for n, (name, sure) in enumerate(SURE.items())]
    return {"info": {}, "categories": categories, "items": [*items, item("c")]}


def supervisely(sure: float | None) -> dict[str, Any]:
    tags = [] if sure is None else [{"name": "Confidence", "value": sure}]
    corners = {"exterior": [[20, 20], [60, 60]], "interior": []}
    row = {"classTitle": "car", "geometryType": "rectangle", "tags": tags, "points": corners}
    return {"description": "", "tags": [], "size": {"height": 80, "width": 100}, "objects": [row]}


def test_datumaros_items_rank(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "default.json").write_text(json.dumps(datumaro()))
    for path in ("annotations/default.json", "annotations"):
        assert recognition(tmp_path / path).format.name == "datumaro"
        pool = read(tmp_path, path)
        assert order(pool)[:2] == ["b.jpg", "a.jpg"]
        objects = pool.object_sets[0]
        assert objects.counts.tolist() == [1, 1, 0]
        assert (objects.confidences.tolist(), objects.class_ids.tolist()) == (
            [0.875, 0.5625],
            [0, 1],
        )
        np.testing.assert_allclose(objects.boxes, [BOX, BOX])


def test_datumaros_shapes_and_media(tmp_path: Path) -> None:
    told = datumaro(image=None, media={"path": ""})
    del told["items"][2]["media"]
    told["items"][0]["annotations"][0] |= {"type": "polygon", "points": [20, 20, 60, 20, 60, 60]}
    del told["items"][0]["annotations"][0]["bbox"]
    pool = read(tmp_path, "p.json", told, image_size=[100, 80])
    assert order(pool)[:2] == ["b", "a"]
    np.testing.assert_allclose(pool.object_sets[0].boxes, [BOX, BOX])


def test_labels_of_datumaro_are_classes_of_images(tmp_path: Path) -> None:
    told = datumaro()
    for item in told["items"][:2]:
        item["annotations"][0]["type"] = "label"
        item["annotations"].append({"type": "caption", "caption": "a street"})
    told["items"].pop()
    pool = read(tmp_path, "p.json", told)
    assert order(pool) == ["b.jpg", "a.jpg"]


@pytest.mark.parametrize("change", ["no score", "no such class"])
def test_annotations_that_are_no_predictions_are_refused(tmp_path: Path, change: str) -> None:
    told = datumaro()
    for item in told["items"][:2]:
        one = item["annotations"][0]
        one |= {"attributes": {}} if change == "no score" else {"label_id": 2}
    why = (
        "are labels, not predictions" if change == "no score" else "label_id must be one of 0 to 1"
    )
    with pytest.raises(InvalidInput, match=why):
        read(tmp_path, "p.json", told)


def test_superviselys_images_rank(tmp_path: Path) -> None:
    folder = tmp_path / "project" / "ds" / "ann"
    folder.mkdir(parents=True)
    for name, sure in SURE.items():
        (folder / f"{name}.jpg.json").write_text(json.dumps(supervisely(sure)))
    empty = copy.deepcopy(supervisely(None))
    empty["objects"] = []
    (folder / "c.jpg.json").write_text(json.dumps(empty))
    (tmp_path / "project" / "meta.json").write_text('{"classes": [], "tags": []}')
    for path, above in {"project/ds/ann": "", "project": "ds/ann/"}.items():
        assert recognition(tmp_path / path).format.name == "supervisely"
        pool = read(tmp_path, path)
        assert order(pool)[:2] == [f"{above}b.jpg", f"{above}a.jpg"]
        assert pool.object_sets[0].counts.tolist() == [1, 1, 0]
        np.testing.assert_allclose(pool.object_sets[0].boxes, [BOX, BOX])


def test_an_object_of_supervisely_without_a_score_is_left_out(tmp_path: Path) -> None:
    told = {f"{n}.jpg": supervisely(0.5 + n / 40) for n in range(20)}
    told["3.jpg"]["objects"].append(supervisely(None)["objects"][0])
    pool = read(tmp_path, "p.json", told)
    assert len(pool) == 20
    assert "'3.jpg'" in notice(pool, "left_out").message
    with pytest.raises(InvalidInput, match="these are labels, not predictions"):
        read(tmp_path, "q.json", {"a.jpg": supervisely(None)})


def darwin(sure: float | None, name: str, *, old: bool = False, tag: bool = False) -> Any:
    one: dict[str, Any] = {"name": "car"}
    one |= {"tag": {}} if tag else {"bounding_box": {"x": 10.0, "y": 20.0, "w": 40.0, "h": 20.0}}
    one |= {} if sure is None else {"inference": {"confidence": sure}}
    image = {"width": 100, "height": 80, "filename": name}
    if old:
        return {"dataset": "d", "image": image, "annotations": [one]}
    item = {"name": name, "path": "/", "slots": [{"width": 100, "height": 80}]}
    return {"version": "2.0", "item": item, "annotations": [one]}


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("form", ["folder", "list"])
def test_the_images_of_v7_rank(tmp_path: Path, form: str, old: bool) -> None:
    told = [darwin(sure, f"{name}.jpg", old=old) for name, sure in SURE.items()]
    if form == "list":
        (tmp_path / "p.json").write_text(json.dumps(told))
    else:
        (tmp_path / "p").mkdir()
        for number, one in enumerate(told):
            (tmp_path / "p" / f"{number}.json").write_text(json.dumps(one))
    path = "p.json" if form == "list" else "p"
    assert recognition(tmp_path / path).format.name == "darwin"
    pool = read(tmp_path, path)
    assert order(pool) == ["b.jpg", "a.jpg"]
    np.testing.assert_allclose(pool.object_sets[0].boxes, [[0.1, 0.25, 0.5, 0.5]] * 2)


def test_tags_of_v7_are_classes_of_the_image(tmp_path: Path) -> None:
    told = [darwin(sure, f"{name}.jpg", tag=True) for name, sure in SURE.items()]
    pool = read(tmp_path, "p.json", told)
    assert order(pool) == ["b.jpg", "a.jpg"]


def test_labels_of_v7_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="these are labels, not predictions"):
        read(tmp_path, "p.json", [darwin(None, "a.jpg"), darwin(None, "b.jpg")])
