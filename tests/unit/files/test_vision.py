"""MMDetection, torchvision, supervision, Roboflow, CVAT and VOC; Ultralytics has its own files."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from labelnext.adapter import open_adapter
from labelnext.adapter.formats import recognition
from labelnext.config import load_config
from labelnext.errors import InvalidInput
from labelnext.runs.run import run
from tests.formats.independent import (
    FIXTURES,
    by_least_confidence,
    by_mean,
    codes,
    ranked,
    read,
)

#: The images that most fixtures hold, as their make scripts say.
IMAGES: dict[str, list[float]] = {"bus": [0.9, 0.5], "zidane": [0.3], "empty": []}
STEMS = by_mean(IMAGES)
NAMES = by_mean({f"{stem}.jpg": scores for stem, scores in IMAGES.items()})
POSITIONS = by_mean({str(i): scores for i, scores in enumerate(IMAGES.values())})
SINK = by_mean({"bus.jpg": [0.9, 0.5], "zidane.jpg": [0.3], "007": [0.8]})
TENTHS = [0.1, 0.25, 0.5, 0.5]  # the box 10 20 50 40 in an image of 100 × 80 pixels


@pytest.mark.parametrize(
    ("place", "kind", "expected"),
    [
        ("mmdetection/outputs", "mmdetection", STEMS),
        ("mmdetection/outputs/preds", "mmdetection", STEMS),
        ("mmdetection/masks", "mmdetection", STEMS),
        ("mmdetection/instances.json", "mmdetection", NAMES),
        ("torchvision/by_name.json", "torchvision", NAMES),
        ("torchvision/named.json", "torchvision", NAMES),
        ("torchvision/list.json", "torchvision", POSITIONS),
        ("supervision/sink.csv", "supervision", SINK),
        ("supervision/sink.json", "supervision", SINK),
        ("supervision/frames.csv", "supervision", ["1", "0", "2"]),
        ("supervision/arrays.json", "supervision", ["empty.jpg", *SINK]),
        ("roboflow/list.json", "roboflow", NAMES),
        ("roboflow/by_name.json", "roboflow", NAMES),
        ("roboflow/workflow.json", "roboflow", NAMES),
        ("roboflow/nameless.json", "roboflow", POSITIONS),
        ("roboflow/folder", "roboflow", STEMS),
        ("roboflow/one.json", "roboflow", ["one"]),
        ("cvat/boxes.xml", "cvat", NAMES),
        ("cvat/confidence.xml", "cvat", NAMES),
        ("cvat/shapes.xml", "cvat", ["b.jpg", "a.jpg"]),
        ("cvat/tags.xml", "cvat", ["b.jpg", "a.jpg"]),
        ("voc/scores", "voc", NAMES),
        ("voc/confidences", "voc", NAMES),
    ],
)
def test_a_fixture_is_recognised_and_ranked(place: str, kind: str, expected: list[str]) -> None:
    assert recognition(FIXTURES / place).format.name == kind
    assert ranked(read(place)) == expected


def test_positions_as_ids_are_told() -> None:
    for place in ("torchvision/list.json", "roboflow/nameless.json"):
        assert "numbered" in codes(read(place))


@pytest.mark.parametrize(
    "place",
    ["mmdetection/masks", "mmdetection/instances.json", "roboflow/list.json", "cvat/boxes.xml",
     "voc/scores"],
)  # fmt: skip
def test_boxes_are_read_where_the_size_is_known(place: str) -> None:
    boxes = read(place).objects.boxes
    assert boxes.shape == (3, 4)
    np.testing.assert_allclose(boxes, [TENTHS] * 3)


@pytest.mark.parametrize(
    "place", ["mmdetection/outputs", "torchvision/by_name.json", "supervision/sink.csv"]
)
def test_boxes_in_pixels_need_a_size(place: str) -> None:
    assert "boxes_without_size" in codes(read(place))
    pool = read(place, image_size=[100, 80])
    np.testing.assert_allclose(pool.objects.boxes[0], TENTHS)
    assert "boxes_without_size" not in codes(pool)


def test_shapes_of_cvat_have_the_box_around_them() -> None:
    np.testing.assert_allclose(
        read("cvat/shapes.xml").objects.boxes, [[0.1, 0.25, 0.505, 0.5], TENTHS, TENTHS]
    )


def test_classes_are_named_by_the_file_or_by_the_user() -> None:
    assert read("mmdetection/masks").classes == ("0", "1")
    assert read("mmdetection/masks", classes=["person", "dog"]).classes == ("person", "dog")
    assert read("torchvision/list.json", classes=["_", "a", "b"]).objects.class_ids.tolist() == [
        1,
        2,
        1,
    ]
    assert read("cvat/boxes.xml").classes == ("person", "dog")
    assert read("supervision/arrays.json").classes == ("dog", "person")
    with pytest.raises(InvalidInput, match=r"a class must be one of 0 to 0; got 1"):
        read("mmdetection/masks", classes=["person"])


def test_classification_of_roboflow_is_ranked_by_its_probabilities() -> None:
    told = json.loads((FIXTURES / "roboflow/classified.json").read_text())
    scores = {name: [p["confidence"] for p in r["predictions"]] for name, r in told.items()}
    pool = read("roboflow/classified.json")
    assert ranked(pool, "least_confidence") == by_least_confidence(scores) == ["b.jpg", "a.jpg"]
    pool = read("roboflow/multilabel.json")
    assert pool.multilabel
    np.testing.assert_allclose(pool.mean_probabilities, [[0.9, 0.8], [0.5, 0.1]])


@pytest.mark.parametrize("place", ["supervision/labels.json", "cvat/labels.xml", "voc/labels"])
def test_labels_are_refused_by_name(place: str) -> None:
    with pytest.raises(InvalidInput, match="labels, not predictions"):
        read(place)


def test_a_shape_of_an_unknown_kind_is_left_out_and_named(tmp_path: Path) -> None:
    boxes = "".join(
        f'<image id="{i}" name="{i}.jpg" width="10" height="10">'
        f'<box label="dog" score="0.{i + 10}" xtl="1" ytl="1" xbr="5" ybr="5"/></image>'
        for i in range(19)
    )
    odd = '<image id="19" name="odd.jpg"><star label="dog" score="0.5"/></image>'
    (tmp_path / "a.xml").write_text(f"<annotations>{boxes}{odd}</annotations>")
    pool = open_adapter("files", path=str(tmp_path / "a.xml")).read()
    (notice,) = [n for n in pool.notices if n.item_ids]
    assert "image odd.jpg, shape 1 (item odd.jpg): its kind must be one of" in notice.message
    assert notice.item_ids == ("odd.jpg",)


def test_cvat_for_video_is_told_what_to_export() -> None:
    with pytest.raises(InvalidInput, match=r"video.*CVAT for images 1\.1"):
        read("cvat/video.xml")


def test_a_sink_needs_a_column_of_images() -> None:
    with pytest.raises(InvalidInput, match=r"name the image.*no column of your own.*custom_data"):
        read("supervision/nameless.csv")
    with pytest.raises(InvalidInput, match=r"name the image.*got photo\..*source\.key"):
        read("supervision/own_column.csv")
    assert ranked(read("supervision/own_column.csv", key="photo")) == SINK


@pytest.mark.parametrize("kind", ["mmdetection", "torchvision", "supervision", "roboflow", "voc"])
def test_an_empty_folder_is_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(InvalidInput, match=r"the folder must hold .* files; it has none"):
        read(tmp_path, format=kind)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *((kind, text) for kind in ("mmdetection", "torchvision", "supervision", "roboflow")
          for text in ("", "[]", "{}", "3", "null", '"x"', "[3]", "[[", '{"a": []}')),
        *((kind, text) for kind in ("cvat", "voc")
          for text in ("", "<a", "<a/>", "<annotations/>", "x")),
    ],
)  # fmt: skip
def test_other_content_is_refused(tmp_path: Path, kind: str, text: str) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(InvalidInput, match=r"p\.json"):
        read(tmp_path / "p.json", format=kind)


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"scores": [0.5], "bboxes": [], "labels": [0]}, "bboxes must be as many as the scores, 1"),
        ({"scores": [0.5], "bboxes": [[1]], "labels": 3}, "labels must be a list; got 3"),
        ({"scores": [5], "bboxes": [None], "labels": [0]}, "must be in [0, 1]; got 5"),
        ({"scores": None, "bboxes": [[1, 1, 2, 2]]}, "have no confidence"),
        ({"scores": [0.5], "bboxes": [[1, 1, 2, 2]], "labels": [[1]]}, "a class must be a name"),
        (7, "it must be an object with bboxes, labels and scores; got 7"),
    ],
)
def test_an_odd_image_is_left_out_and_counted(tmp_path: Path, odd: Any, why: str) -> None:
    good = {"scores": [0.5], "bboxes": [[1, 1, 2, 2]], "labels": [0]}
    for number in range(15):
        (tmp_path / f"{number:02}.json").write_text(json.dumps(good if number != 7 else odd))
    pool = read(tmp_path)
    (notice,) = [n for n in pool.notices if n.code == "left_out"]
    assert "Left out 1 of 15 detections: 07.json" in notice.message
    assert why in notice.message
    assert len(pool) == 15
    assert len(ranked(pool)) == 14


def test_an_odd_box_loses_the_box_alone(tmp_path: Path) -> None:
    image = {"width": 100, "height": 80}
    odd = [
        {"x": None, "y": 1, "width": 1, "height": 1},
        {"x": 500, "y": 1, "width": 1, "height": 1},
        {"x": 10**400, "y": 1, "width": 1, "height": 1},
        {"x": 5, "y": 5, "width": -4, "height": 1},
    ]
    predictions = [{"class": "cat", "confidence": 0.5, **box} for box in odd]
    (tmp_path / "p.json").write_text(json.dumps({"image": image, "predictions": predictions}))
    pool = read(tmp_path / "p.json")
    assert pool.objects.confidences.tolist() == [0.5] * 4
    assert "bad_boxes" in codes(pool)


def test_ids_are_text(tmp_path: Path) -> None:
    rows = [{"image_id": i, "boxes": [], "labels": [], "scores": []} for i in (7, "007", 2**70)]
    (tmp_path / "p.json").write_text(json.dumps(rows))
    assert read(tmp_path / "p.json").item_ids.tolist() == ["7", "007", str(2**70)]


def test_a_key_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"it must have the key 'photo', which source\.key"):
        read("torchvision/named.json", key="photo")


def test_entities_of_xml_are_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><annotations>&y;</annotations>'
    outside = (
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><annotations>&x;</annotations>'
    )
    for text in (bomb, outside):
        (tmp_path / "p.xml").write_text(text)
        with pytest.raises(InvalidInput, match="must not declare entities"):
            read(tmp_path / "p.xml")
    (tmp_path / "p.xml").write_text("<a>" * 100 + "</a>" * 100)
    with pytest.raises(InvalidInput, match="nested deeper"):
        read(tmp_path / "p.xml", format="cvat")


def test_voc_files_that_name_one_image_are_named_by_themselves(tmp_path: Path) -> None:
    text = (FIXTURES / "voc/scores/bus.xml").read_text()
    for stem in ("a", "b"):
        (tmp_path / f"{stem}.xml").write_text(text)
    pool = read(tmp_path)
    assert pool.item_ids.tolist() == ["a", "b"]
    assert "repeated_names" in codes(pool)


def test_an_image_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    one = {"file_name": "a.jpg", "boxes": [[1, 1, 2, 2]], "labels": [1], "scores": [0.5]}
    (tmp_path / "p.json").write_text(json.dumps([one, one]))
    with pytest.raises(InvalidInput, match=r"each image must occur once; 'a\.jpg' is there again"):
        read(tmp_path / "p.json")


#: What each section of docs/formats.md names, as a fixture.
OF_THE_PAGE = {
    "runs/detect/predict": "yolo/detect/predict",
    "results": "ultralytics/folder",
    "outputs": "mmdetection/outputs",
    "results.json": "torchvision/by_name.json",
    "results.pkl": "pickle/torchvision_4.pkl",
    "detections.csv": "supervision/sink.csv",
    "responses": "roboflow/folder",
    "megadetector.json": "megadetector/batch.json",
    "result.json": "darknet/result.json",
    "instances.json": "detectron2/by_name.json",
    "paddle": "paddle/boxes",
    "export": "fiftyone/export",
    "labelme": "labelme/scores",
    "datumaro": "datumaro",
    "project": "supervisely",
    "darwin": "darwin/release",
    "via.json": "via/project.json",
    "cloud": "cloud/azure",
    "annotations.xml": "cvat/boxes.xml",
    "Annotations": "voc/scores",
    "detections": "voc-text/comp4",
}


def test_every_configuration_of_the_page_ranks(tmp_path: Path) -> None:
    page = (FIXTURES.parents[1] / "docs/formats.md").read_text("utf-8")
    blocks = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", page, re.S)]
    assert [block["source"]["path"] for block in blocks] == list(OF_THE_PAGE)
    for block in blocks:
        stated = block["source"]["path"]
        place, fixture = tmp_path / stated, FIXTURES / OF_THE_PAGE[stated]
        place.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if fixture.is_dir() else shutil.copyfile)(fixture, place)
        (tmp_path / "labelnext.yaml").write_text(yaml.safe_dump(block))
        report = run(load_config(tmp_path / "labelnext.yaml"))
        assert report.counts["ranked"] >= 2
        assert (tmp_path / "ranking.csv").is_file()


def test_blocks_of_a_workflow_are_responses(tmp_path: Path) -> None:
    """The only block, under any name, in a list of one and by the image's name."""
    block = {"image": {"width": 10, "height": 10}, "predictions": []}
    sure = {"class": "cat", "confidence": 0.75, "x": 5, "y": 5, "width": 2, "height": 2}
    by_name = {
        "a.jpg": [{"found": {**block, "predictions": [sure]}, "count": 1}],
        "b.jpg": [{"found": block, "count": 0}],
    }
    (tmp_path / "flow.json").write_text(json.dumps(by_name))
    pool = open_adapter("files", path="flow.json", directory=tmp_path).read()
    assert pool.item_ids.tolist() == ["a.jpg", "b.jpg"]
    assert pool.newest_objects.confidences.tolist() == [0.75]
    assert pool.newest_objects.boxes.tolist() == [[0.4, 0.4, 0.6, 0.6]]


def test_several_blocks_of_a_workflow_are_named(tmp_path: Path) -> None:
    block = {"image": {"width": 10, "height": 10}, "predictions": []}
    (tmp_path / "flow.json").write_text(json.dumps([{"one": block, "two": block}]))
    with pytest.raises(InvalidInput, match="record 1 has those of one, two") as caught:
        open_adapter("files", path="flow.json", directory=tmp_path).read()
    assert "keep one of them" in str(caught.value.hint)
